"""Classification of one's own photos by one's own model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import Session
from inferometer.workloads.classification.answering import classifier
from inferometer.workloads.classification.folder import read_class_folders, read_list
from inferometer.workloads.classification.scoring import top1_accuracy
from inferometer.workloads.own import OwnPhotos, number_of
from inferometer.workloads.protocol import MODEL, AccuracyResult, Predictor, ScoredAnswer

__all__ = ["OwnClassification"]


class OwnClassification(OwnPhotos):
    """Image classification with a model and photos of the user.

    ``options.data`` is a folder with a folder for each class, or a list file of photos and
    classes. Extra options beside those of `OwnPhotos`: ``label_offset``, ``output``.
    """

    name = "classification"
    task = "image classification"
    metric = "top-1"
    data_words = "a folder with a folder for each class, or a list of photos and classes"
    more_options = ("label_offset", "output")
    usual_preprocessing = "torchvision"
    usual_bound_ms = 15.0
    performance_samples = 1024

    def _read(self) -> list[Path]:
        data, count = self._options.data, self._options.count
        assert data is not None
        paths, labels, _ = read_class_folders(data) if data.is_dir() else read_list(data)
        self._labels = labels[:count]
        return paths[:count]

    def _photo_folder(self) -> Path:
        data = self._options.data
        assert data is not None
        return data if data.is_dir() else data.parent

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns photos into classes, float32 [N, 1]."""
        return classifier(
            sessions[MODEL],
            int(number_of(self._options, "label_offset") or 0),
            self._options.extra.get("output"),
        )

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute top-1 accuracy over the photos."""
        return top1_accuracy(answers, self._labels, self.info.target_accuracy)
