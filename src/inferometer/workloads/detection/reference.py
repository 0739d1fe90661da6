"""Reference detectors: SSD-MobileNet-v1 and SSD-ResNet34 on COCO, as in v0.5."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import Session
from inferometer.workloads.definition import Architecture, open_batch
from inferometer.workloads.detection.answering import detector
from inferometer.workloads.detection.coco import ANNOTATED_COUNT, Coco, read_coco
from inferometer.workloads.detection.scoring import coco_map
from inferometer.workloads.protocol import MODEL, AccuracyResult, Predictor, ScoredAnswer
from inferometer.workloads.reference import OwnForm, PhotoWorkload

__all__ = ["SsdMobileNetWorkload", "SsdResNet34Workload"]

_MODELS = "inferometer.workloads.models.reference"
_OUTPUTS = ("boxes", "scores")
_LEAVES_OUT_EMPTY = "coco-1200-pt"
_OPEN_BATCH = open_batch(("image", *_OUTPUTS))


class _CocoDetector(PhotoWorkload):
    """Detection on the photos of COCO 2017; a subclass says by which model."""

    photo_folders = ("train2017", "val2017")

    @functools.cached_property
    def _data(self) -> Coco:
        return read_coco(self.folder, self._options.count, only_annotated=self.only_annotated)

    def photo_paths(self) -> list[Path]:
        """Give the photos in the order of the annotations."""
        return self._data.paths

    @property
    def only_annotated(self) -> bool:
        """Whether photos without annotations are left out, as the PyTorch form does."""
        return (self.own_form or self.profile).preprocessing == _LEAVES_OUT_EMPTY

    def data_count(self) -> int:
        """Give how many photos there are in this form."""
        return ANNOTATED_COUNT if self.only_annotated else super().data_count()

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns photos into responses: float32 [k, 7], one a photo."""
        form = self.own_form or self.profile
        threshold = None if self.own_form else self.profile.threshold
        return detector(sessions[MODEL], form.postprocessing, threshold)

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute mAP over the photos of the library."""
        return coco_map(
            answers,
            self._data.ground_truth,
            self.info.target_accuracy,
            inverse_map=self.profile.inverse_map,
        )


class SsdMobileNetWorkload(_CocoDetector):
    """SSD-MobileNet-v1 on COCO at 300 x 300."""

    name = "ssd-mobilenet"
    _architecture = Architecture(
        "ssd-mobilenet",
        f"{_MODELS}:ssd_mobilenet",
        ("image",),
        _OUTPUTS,
        _OPEN_BATCH,
        (300, 300, 3),
        "uint8",
        layout="NHWC",
        version=2,
    )
    own_forms = (
        OwnForm(_architecture, "coco-300", "NHWC", "ssd-mobilenet"),
        OwnForm(_architecture, "coco-300", "NHWC", "ssd-mobilenet-pt", ("ssd-mobilenet-pytorch",)),
    )


class SsdResNet34Workload(_CocoDetector):
    """SSD-ResNet34 on COCO at 1200 x 1200; its answers are labels 1 … 80."""

    name = "ssd-resnet34"
    largest_batch = 4
    _architecture = Architecture(
        "ssd-resnet34",
        f"{_MODELS}:ssd_resnet34",
        ("image",),
        _OUTPUTS,
        _OPEN_BATCH,
        (3, 1200, 1200),
        version=2,
    )
    own_forms = (
        OwnForm(_architecture, "coco-1200", "NCHW", "ssd-resnet34"),
        OwnForm(_architecture, "coco-1200-pt", "NCHW", "ssd-resnet34", ("ssd-resnet34-pytorch",)),
    )
