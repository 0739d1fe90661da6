"""Detection in one's own photos by one's own model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import Session
from inferometer.workloads.detection.answering import detector
from inferometer.workloads.detection.coco import read_coco
from inferometer.workloads.detection.scoring import coco_map
from inferometer.workloads.own import OwnPhotos, number_of
from inferometer.workloads.protocol import MODEL, AccuracyResult, Predictor, ScoredAnswer

__all__ = ["OwnDetection"]

_COCO_LABELS = "coco80"


class OwnDetection(OwnPhotos):
    """Object detection with a model and photos of the user.

    ``options.data`` is a JSON file in COCO's format. Extra options beside those of
    `OwnPhotos`: ``images`` (the folder of the photos; by default where the file lies),
    ``postprocessing`` (a rule that reads the outputs), ``threshold`` (the score that a
    detection needs), ``labels=coco80`` for classes 1 … 80 in place of category ids.
    """

    name = "detection"
    task = "object detection"
    metric = "mAP"
    data_words = "a JSON file in COCO's format"
    more_options = ("images", "postprocessing", "threshold", "labels")
    usual_preprocessing = "coco-300"
    usual_bound_ms = 100.0
    performance_samples = 256

    def _read(self) -> list[Path]:
        data = self._options.data
        assert data is not None
        found = read_coco(
            data.parent,
            self._options.count,
            annotations=data.resolve(),
            images=self._photo_folder().resolve(),
        )
        self._ground_truth = found.ground_truth
        return found.paths

    def _photo_folder(self) -> Path:
        data = self._options.data
        assert data is not None
        return Path(self._options.extra.get("images", data.parent))

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns photos into responses: float32 [k, 7], one a photo."""
        rule = self._options.extra.get("postprocessing", "ssd-in-graph")
        return detector(sessions[MODEL], rule, number_of(self._options, "threshold"))

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute mAP over the photos of the library."""
        return coco_map(
            answers,
            self._ground_truth,
            self.info.target_accuracy,
            inverse_map=self._options.extra.get("labels") == _COCO_LABELS,
        )
