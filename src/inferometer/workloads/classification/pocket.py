"""Pocket classifiers: MobileNet-v1 and ResNet v1.5 in small, on Fashion-MNIST.

Real trained models and real labelled data that come with the package, so that every
scenario runs with real accuracy, offline, in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.loadgen import Responses
from inferometer.workloads.classification.fashion_mnist import (
    SAMPLE_COUNT,
    FashionMnistLibrary,
    read_labels,
    taken_samples,
)
from inferometer.workloads.classification.scoring import class_responses, top1_accuracy
from inferometer.workloads.definition import Architecture, ModelDefinition, open_batch
from inferometer.workloads.packaged import check_packaged, data_file, packaged_definition
from inferometer.workloads.protocol import (
    MODEL,
    AccuracyResult,
    CalibrationSet,
    Predictor,
    ScoredAnswer,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)
from inferometer.workloads.subset import SubsetLibrary

__all__ = ["PocketMobileNet", "PocketResNet"]

_DEFAULTS = WorkloadOptions()
_QUALITY_RATIO = 0.99
_CALIBRATION_SEED = 20191106
_CALIBRATION_COUNT = 500
_MODELS = "inferometer.workloads.models.pocket"


class _PocketClassifier:
    """Image classification with a packaged model; a subclass says which.

    The quality target is 99 % of the accuracy that the fp32 model was recorded with when
    it was trained. There is none where ``options.count`` takes only a part of the images.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    file: ClassVar[str]
    builder: ClassVar[str]
    round_benchmark: ClassVar[str]
    server_latency_bound_ns: ClassVar[int]

    def __init__(self, options: WorkloadOptions = _DEFAULTS):
        self._options = options
        record = json.loads(data_file(f"{self.file}.json").read_text("utf-8"))
        self._sha256 = record["onnx_sha256"]
        self._numbers = record["architecture"]
        count = taken_samples(options.count)
        self.info = WorkloadInfo(
            name=self.name,
            title=self.title,
            task="image classification",
            metric="top-1",
            data_set="Fashion-MNIST, test images",
            sample_count=count,
            reference_accuracy=record["test_top1_fp32"] if count == SAMPLE_COUNT else None,
            quality_ratio=_QUALITY_RATIO,
            server_latency_bound_ns=self.server_latency_bound_ns,
            round_benchmark=self.round_benchmark,
            model_formats=("onnx",),
            notes={"parameters": record["parameters"], "seed": record["seed"]},
        )

    def library(self) -> FashionMnistLibrary:
        """Give a library of the 10,000 test images, or of the first few if so asked."""
        if self._options.data is not None:
            raise WorkloadError(
                f"{self.name} brings its data, so it can't read {self._options.data}; take the "
                "workload 'classification' for your own"
            )
        return FashionMnistLibrary(self._options.count, self._options.layout)

    def calibration(self) -> CalibrationSet:
        """Give the images for quantisation, which are test images, as ImageNet's lists are."""
        random = np.random.RandomState(_CALIBRATION_SEED)
        chosen = np.sort(random.permutation(SAMPLE_COUNT)[:_CALIBRATION_COUNT])
        source = "500 of the Fashion-MNIST test images"
        ids = tuple(f"t10k-{index:05d}" for index in chosen.tolist())
        images = FashionMnistLibrary(layout=self._options.layout)
        return CalibrationSet(source, ids, SubsetLibrary(images, chosen, source))

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the packaged model, which is ONNX, or the one that the options name."""
        if self._options.model is not None:
            return {MODEL: ModelFile.of_user(self._options.model)}
        check_packaged(self.name, self._options, formats)
        return {MODEL: self._packaged()}

    def _packaged(self) -> ModelFile:
        return ModelFile(data_file(f"{self.file}.onnx"), "onnx", self._sha256)

    def definitions(self) -> Mapping[str, ModelDefinition]:
        """Give the packaged model as PyTorch defines it; none in place of a user's file."""
        if self._options.model is not None:
            return {}
        architecture = Architecture(
            self.name,
            f"{_MODELS}:{self.builder}",
            ("input",),
            ("probabilities",),
            open_batch(("input", "probabilities")),
            (1, 28, 28),
            arguments=self._numbers,
        )
        file = self._packaged()
        load = f"{_MODELS}:load_classifier"
        found = packaged_definition(architecture, file, load=load, own=file)
        return {MODEL: found.in_layout(self._options.layout)}

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns images into classes, float32 [N, 1], by the first output."""
        session = sessions[MODEL]
        if len(session.input_names) != 1:
            raise WorkloadError(
                f"the model takes {', '.join(session.input_names)}; {self.name} gives one input, "
                "images float32 [N, 1, 28, 28]"
            )
        (input_name,) = session.input_names

        def predict(
            indices: NDArray[np.integer[Any]],  # noqa: ARG001
            inputs: Mapping[str, NDArray[Any]],
        ) -> Responses:
            return class_responses(session.run({input_name: inputs["input"]})[0])

        return predict

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute top-1 accuracy over the images of the library."""
        labels = read_labels()[: self.info.sample_count]
        return top1_accuracy(answers, labels, self.info.target_accuracy)


class PocketMobileNet(_PocketClassifier):
    """The pocket MobileNet-v1; its Server bound, 10 ms, is that of the full MobileNet."""

    name = "pocket-mobilenet"
    title = "MobileNet-v1 (width 0.25) on Fashion-MNIST"
    file = "pocket_mobilenet"
    builder = "mobilenet"
    round_benchmark = "mobilenet"
    server_latency_bound_ns = 10_000_000


class PocketResNet(_PocketClassifier):
    """The pocket ResNet v1.5; its Server bound, 15 ms, is that of the full ResNet-50."""

    name = "pocket-resnet"
    title = "ResNet v1.5 (5 blocks, width 0.25) on Fashion-MNIST"
    file = "pocket_resnet"
    builder = "resnet"
    round_benchmark = "resnet50"
    server_latency_bound_ns = 15_000_000
