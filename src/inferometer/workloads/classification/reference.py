"""Reference classifiers: ResNet-50 v1.5 and MobileNet-v1 on ImageNet, as in v0.5."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

from inferometer.backends import Session
from inferometer.workloads.classification.answering import classifier
from inferometer.workloads.classification.imagenet import CLASS_COUNT, ImageNet, read_imagenet
from inferometer.workloads.classification.scoring import top1_accuracy
from inferometer.workloads.definition import Architecture, open_batch
from inferometer.workloads.protocol import MODEL, AccuracyResult, Predictor, ScoredAnswer
from inferometer.workloads.reference import OwnForm, PhotoWorkload

__all__ = ["MobileNetWorkload", "ResNet50Workload"]

_MODELS = "inferometer.workloads.models.reference"


def _architecture(name: str, build: str, version: int = 1) -> Architecture:
    return Architecture(
        name,
        f"{_MODELS}:{build}",
        ("input",),
        ("logits",),
        open_batch(("input", "logits")),
        (3, 224, 224),
        version=version,
    )


class _ImageNetClassifier(PhotoWorkload):
    """Classification of the 50,000 validation photos; a subclass says by which model."""

    @functools.cached_property
    def _data(self) -> ImageNet:
        return read_imagenet(self.folder, self._options.count)

    def photo_paths(self) -> list[Path]:
        """Give the photos in the order of ``val_map.txt``."""
        return self._data.paths

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns photos into classes 0 … 999, float32 [N, 1]."""
        session, output = sessions[MODEL], self.profile.outputs[0]
        known = output if output in session.output_names else None
        return classifier(session, self.profile.label_offset, known, CLASS_COUNT)

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute top-1 accuracy over the photos of the library."""
        return top1_accuracy(answers, self._data.labels, self.info.target_accuracy)


class ResNet50Workload(_ImageNetClassifier):
    """ResNet-50 v1.5 on ImageNet."""

    name = "resnet50"
    own_forms = (
        OwnForm(_architecture("resnet50", "resnet50"), "imagenet", "NCHW", "argmax"),
        OwnForm(
            _architecture("resnet50-torchvision", "resnet50_torchvision"),
            "torchvision",
            "NCHW",
            "argmax",
            ("resnet50-torchvision",),
        ),
    )


class MobileNetWorkload(_ImageNetClassifier):
    """MobileNet-v1 1.0-224 on ImageNet."""

    name = "mobilenet"
    own_forms = (
        OwnForm(
            _architecture("mobilenet", "mobilenet", version=2),
            "imagenet_mobilenet",
            "NCHW",
            "argmax",
        ),
    )
