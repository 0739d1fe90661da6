"""Detection in one's own photos by one's own model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import ModelFile, Session
from inferometer.workloads.detection.answering import detector
from inferometer.workloads.detection.coco import read_coco
from inferometer.workloads.detection.scoring import coco_map
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

__all__ = ["OwnDetection"]

_KNOWN = ("images", "postprocessing", "threshold", "labels", *OWN_OPTIONS)
_DATA = "a JSON file in COCO's format"
_PERFORMANCE_SAMPLES = 256
_BOUND_MS = 100.0
_COCO_LABELS = "coco80"


class OwnDetection:
    """Object detection with a model and photos of the user.

    ``options.data`` is a JSON file in COCO's format. Extra options: ``images`` (the folder
    of the photos; by default where the file lies), ``postprocessing`` (a rule that reads
    the outputs), ``threshold`` (the score that a detection needs), ``labels=coco80`` for
    classes 1 … 80 in place of category ids; ``preprocessing`` or ``size``, ``mean``, …;
    ``target`` (mAP in percent) and ``bound_ms`` (the Server bound).
    """

    def __init__(self, options: WorkloadOptions):
        check_options("detection", options, _KNOWN)
        self._options = options
        self._data = None
        if options.data is not None and options.model is not None:
            images = Path(options.extra.get("images", options.data.parent)).resolve()
            self._data = read_coco(
                options.data.parent,
                options.count,
                annotations=options.data.resolve(),
                images=images,
            )
        target = number_of(options, "target")
        self.info = WorkloadInfo(
            name="detection",
            title=own_title(options),
            task="object detection",
            metric="mAP",
            data_set="your photos" if options.data is None else str(options.data),
            sample_count=0 if self._data is None else len(self._data.paths),
            reference_accuracy=None if target is None else target / 100.0,
            quality_ratio=1.0,
            server_latency_bound_ns=int((number_of(options, "bound_ms") or _BOUND_MS) * 1e6),
            round_benchmark="*",
            model_formats=("onnx", "python"),
        )

    def library(self) -> PhotoLibrary:
        """Give the photos, preprocessed; they are kept between runs."""
        own_parts("detection", self._options, _DATA)
        assert self._data is not None
        return PhotoLibrary(
            self.info.data_set,
            self._data.paths,
            recipe_of(self._options, "coco-300"),
            "photos",
            _PERFORMANCE_SAMPLES,
            cache=sample_folder(),
        )

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:  # noqa: ARG002
        """Give the user's model."""
        model, _ = own_parts("detection", self._options, _DATA)
        return {MODEL: ModelFile.of_user(model)}

    def calibration(self) -> CalibrationSet:
        """Give the photos of the list that the option ``calibration`` names."""
        _, data = own_parts("detection", self._options, _DATA)
        folders = (Path(self._options.extra.get("images", data.parent)),)
        recipe = recipe_of(self._options, "coco-300")
        return listed_calibration("detection", self._options, folders, recipe)

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns photos into responses: float32 [k, 7], one a photo."""
        rule = self._options.extra.get("postprocessing", "ssd-in-graph")
        return detector(sessions[MODEL], rule, number_of(self._options, "threshold"))

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute mAP over the photos of the library."""
        assert self._data is not None
        return coco_map(
            answers,
            self._data.ground_truth,
            self.info.target_accuracy,
            inverse_map=self._options.extra.get("labels") == _COCO_LABELS,
        )
