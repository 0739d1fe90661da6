"""pocket-mobilenet: MobileNet-v1 at a quarter of its width, on Fashion-MNIST.

A real trained model and real labelled data that come with the package, so that every
scenario runs with real accuracy, offline, in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends import ModelFile
from inferometer.workloads.classification import class_responses, top1_accuracy
from inferometer.workloads.fashion_mnist import SAMPLE_COUNT, FashionMnistLibrary, read_labels
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer, WorkloadError, WorkloadInfo

__all__ = ["PocketMobileNet"]

_QUALITY_RATIO = 0.99
_SERVER_BOUND_NS = 10_000_000


class PocketMobileNet:
    """Image classification with the pocket MobileNet-v1.

    The quality target is 99 % of the accuracy that the fp32 model was recorded with when
    it was trained. The Server bound, 10 ms, is that of the full MobileNet.
    """

    def __init__(self) -> None:
        record = json.loads(_data_file("pocket_mobilenet.json").read_text("utf-8"))
        self._sha256 = record["onnx_sha256"]
        self.info = WorkloadInfo(
            name="pocket-mobilenet",
            title="MobileNet-v1 (width 0.25) on Fashion-MNIST",
            task="image classification",
            metric="top-1",
            data_set="Fashion-MNIST, test images",
            sample_count=SAMPLE_COUNT,
            reference_accuracy=record["test_top1_fp32"],
            quality_ratio=_QUALITY_RATIO,
            server_latency_bound_ns=_SERVER_BOUND_NS,
            round_benchmark="mobilenet",
            model_formats=("onnx",),
            notes={"parameters": record["parameters"], "seed": record["seed"]},
        )

    def library(self) -> FashionMnistLibrary:
        """Give a library of the 10,000 test images."""
        return FashionMnistLibrary()

    def model(self, formats: tuple[str, ...]) -> ModelFile:
        """Give the model; it comes as ONNX."""
        if "onnx" not in formats:
            raise WorkloadError(
                f"pocket-mobilenet comes as ONNX, and the backend reads {', '.join(formats)}"
            )
        return ModelFile(_data_file("pocket_mobilenet.onnx"), "onnx", self._sha256)

    def postprocess(self, outputs: list[NDArray[Any]]) -> NDArray[Any]:
        """Turn probabilities, float32 [N, 10], into classes, float32 [N, 1]."""
        return class_responses(outputs[0])

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute top-1 accuracy over the 10,000 images."""
        return top1_accuracy(answers, read_labels(), self.info.target_accuracy)


def _data_file(name: str) -> Path:
    path = Path(str(resources.files("inferometer.workloads").joinpath("data", name)))
    if not path.is_file():
        raise WorkloadError(f"{path} is missing; install the package again, with its data files")
    return path
