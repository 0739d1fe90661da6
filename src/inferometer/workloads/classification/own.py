"""Classification of one's own photos by one's own model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from inferometer.backends import ModelFile, Session
from inferometer.workloads.classification.answering import classifier
from inferometer.workloads.classification.folder import Labelled, read_class_folders, read_list
from inferometer.workloads.classification.scoring import top1_accuracy
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.own import (
    OWN_OPTIONS,
    check_options,
    listed_calibration,
    number_of,
    own_parts,
    own_title,
    recipe_of,
)
from inferometer.workloads.places import sample_folder
from inferometer.workloads.protocol import (
    MODEL,
    AccuracyResult,
    CalibrationSet,
    Predictor,
    ScoredAnswer,
    WorkloadInfo,
    WorkloadOptions,
)

__all__ = ["OwnClassification"]

_KNOWN = ("label_offset", "output", *OWN_OPTIONS)
_PERFORMANCE_SAMPLES = 1024
_BOUND_MS = 15.0
_DATA = "a folder with a folder for each class, or a list of photos and classes"


class OwnClassification:
    """Image classification with a model and photos of the user.

    ``options.data`` is a folder with a folder for each class, or a list file of photos and
    classes. Extra options: ``preprocessing`` (a documented variant) or ``size``, ``mean``,
    … (`preprocessing_from_options`); ``label_offset``, ``output``; ``target`` (top-1 in
    percent) and ``bound_ms`` (the Server bound).
    """

    def __init__(self, options: WorkloadOptions):
        check_options("classification", options, _KNOWN)
        self._options = options
        paths, labels, _ = _photos_of(options)
        self._paths, self._labels = paths[: options.count], labels[: options.count]
        target = number_of(options, "target")
        self.info = WorkloadInfo(
            name="classification",
            title=own_title(options),
            task="image classification",
            metric="top-1",
            data_set="your photos" if options.data is None else str(options.data),
            sample_count=len(self._paths),
            reference_accuracy=None if target is None else target / 100.0,
            quality_ratio=1.0,
            server_latency_bound_ns=int((number_of(options, "bound_ms") or _BOUND_MS) * 1e6),
            round_benchmark="*",
            model_formats=("onnx", "python"),
        )

    def library(self) -> PhotoLibrary:
        """Give the photos, preprocessed; they are kept between runs."""
        own_parts("classification", self._options, _DATA)
        return PhotoLibrary(
            self.info.data_set,
            self._paths,
            recipe_of(self._options, "torchvision"),
            "photos",
            _PERFORMANCE_SAMPLES,
            cache=sample_folder(),
        )

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:  # noqa: ARG002
        """Give the user's model."""
        model, _ = own_parts("classification", self._options, _DATA)
        return {MODEL: ModelFile.of_user(model)}

    def calibration(self) -> CalibrationSet:
        """Give the photos of the list that the option ``calibration`` names."""
        _, data = own_parts("classification", self._options, _DATA)
        folders = (data if data.is_dir() else data.parent,)
        recipe = recipe_of(self._options, "torchvision")
        return listed_calibration("classification", self._options, folders, recipe)

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


def _photos_of(options: WorkloadOptions) -> Labelled:
    """Read what there is; making the workload without a model or data is no error yet."""
    if options.data is None or options.model is None:
        return [], np.empty(0, np.int64), ()
    return read_class_folders(options.data) if options.data.is_dir() else read_list(options.data)
