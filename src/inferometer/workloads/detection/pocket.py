"""Pocket detectors: SSD-MobileNet-v1 and SSD-ResNet34 in small, on scenes of garments.

Real trained models come with the package, and the scenes are composed from its labelled
images, so that every scenario runs with real accuracy, offline, in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.loadgen import Responses
from inferometer.workloads.definition import Architecture, ModelDefinition, open_batch
from inferometer.workloads.detection.postprocess import (
    SsdMobileNetRule,
    SsdResNetRule,
    ssd_mobilenet_responses,
    ssd_resnet_responses,
)
from inferometer.workloads.detection.scene_library import INPUT, SceneLibrary, taken_scenes
from inferometer.workloads.detection.scenes import (
    EVALUATION_SCENE_COUNT,
    SCENE_SIZE_PX,
    calibration_scenes,
    evaluation_scenes,
)
from inferometer.workloads.detection.scoring import coco_map
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

__all__ = ["OUTPUTS", "Detector", "PocketSsdMobileNet", "PocketSsdResNet"]

OUTPUTS = ("boxes", "scores")
"""Names of the model's outputs."""

_DEFAULTS = WorkloadOptions()
_QUALITY_RATIO = 0.99
_MODELS = "inferometer.workloads.models.pocket"

Respond = Callable[
    [NDArray[np.integer[Any]], NDArray[np.float32], NDArray[np.float32]], list[NDArray[np.float32]]
]


@dataclass(frozen=True)
class Detector:
    """What one pocket detector is; ``respond`` turns the model's outputs into responses."""

    name: str
    title: str
    file: str
    builder: str
    round_benchmark: str
    server_latency_bound_ns: int
    respond: Respond


class _PocketDetector:
    """Object detection with a packaged model; a subclass says which.

    The quality target is 99 % of the mAP that the fp32 model was recorded with when it was
    trained. There is none where ``options.count`` takes only a part of the scenes.
    """

    detector: ClassVar[Detector]

    def __init__(self, options: WorkloadOptions = _DEFAULTS):
        self._options = options
        detector = self.detector
        record = json.loads(data_file(f"{detector.file}.json").read_text("utf-8"))
        self._sha256 = record["onnx_sha256"]
        self._numbers = record["architecture"]
        count = taken_scenes(options.count)
        whole = count == EVALUATION_SCENE_COUNT
        self.info = WorkloadInfo(
            name=detector.name,
            title=detector.title,
            task="object detection",
            metric="mAP",
            data_set="scenes of Fashion-MNIST garments",
            sample_count=count,
            reference_accuracy=record["evaluation_map_fp32"] if whole else None,
            quality_ratio=_QUALITY_RATIO,
            server_latency_bound_ns=detector.server_latency_bound_ns,
            round_benchmark=detector.round_benchmark,
            model_formats=("onnx",),
            notes={"parameters": record["parameters"], "seed": record["seed"]},
        )

    def library(self) -> SceneLibrary:
        """Give a library of the evaluation scenes, or of the first few if so asked."""
        if self._options.data is not None:
            raise WorkloadError(
                f"{self.info.name} brings its data, so it can't read {self._options.data}; take "
                "the workload 'detection' for your own"
            )
        scenes = evaluation_scenes(self.info.sample_count)
        return SceneLibrary(scenes, "evaluation scenes", self._options.layout)

    def calibration(self) -> CalibrationSet:
        """Give scenes for quantisation; no garment in them is in an evaluation scene."""
        scenes = calibration_scenes()
        ids = tuple(image["file_name"] for image in scenes.annotations()["images"])
        library = SceneLibrary(scenes, "calibration scenes", self._options.layout)
        return CalibrationSet("calibration scenes of Fashion-MNIST garments", ids, library)

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the packaged model, which is ONNX, or the one that the options name."""
        if self._options.model is not None:
            return {MODEL: ModelFile.of_user(self._options.model)}
        check_packaged(self.info.name, self._options, formats)
        return {MODEL: self._packaged()}

    def _packaged(self) -> ModelFile:
        return ModelFile(data_file(f"{self.detector.file}.onnx"), "onnx", self._sha256)

    def definitions(self) -> Mapping[str, ModelDefinition]:
        """Give the packaged model as PyTorch defines it; none in place of a user's file."""
        if self._options.model is not None:
            return {}
        detector, file = self.detector, self._packaged()
        architecture = Architecture(
            detector.name,
            f"{_MODELS}:{detector.builder}",
            (INPUT,),
            OUTPUTS,
            open_batch((INPUT, *OUTPUTS)),
            (1, SCENE_SIZE_PX, SCENE_SIZE_PX),
            arguments=self._numbers,
        )
        load = f"{_MODELS}:load_{detector.builder}"
        found = packaged_definition(architecture, file, load=load, own=file)
        return {MODEL: found.in_layout(self._options.layout)}

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what turns pictures into responses: float32 [k, 7], one a sample."""
        session = sessions[MODEL]
        if len(session.input_names) != 1:
            raise WorkloadError(
                f"the model takes {', '.join(session.input_names)}; {self.info.name} gives one "
                "input, pictures float32 [N, 1, 96, 96]"
            )
        (input_name,) = session.input_names
        boxes_at, scores_at = _output_places(session.output_names, self.info.name)
        respond = self.detector.respond

        def predict(
            indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]
        ) -> Responses:
            outputs = session.run({input_name: inputs[INPUT]})
            return respond(indices, outputs[boxes_at], outputs[scores_at])

        return predict

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute mAP over the scenes of the library."""
        annotations = evaluation_scenes(self.info.sample_count).annotations()
        return coco_map(answers, annotations, self.info.target_accuracy)


class PocketSsdMobileNet(_PocketDetector):
    """The pocket SSD-MobileNet-v1; its Server bound, 10 ms, is that of the full model.

    Responses follow the rule of the TensorFlow graph, with a lower score threshold, as
    average precision also counts what is found with low scores.
    """

    detector = Detector(
        name="pocket-ssd-mobilenet",
        title="SSD-MobileNet-v1 (width 0.25, 96x96) on scenes of garments",
        file="pocket_ssd_mobilenet",
        builder="ssd_mobilenet",
        round_benchmark="ssd-mobilenet",
        server_latency_bound_ns=10_000_000,
        respond=partial(ssd_mobilenet_responses, rule=SsdMobileNetRule(threshold=0.05)),
    )


class PocketSsdResNet(_PocketDetector):
    """The pocket SSD-ResNet; its Server bound, 100 ms, is that of the full SSD-ResNet34.

    Responses follow the rule of the PyTorch model.
    """

    detector = Detector(
        name="pocket-ssd-resnet",
        title="SSD-ResNet (7 blocks, width 0.25, 96x96) on scenes of garments",
        file="pocket_ssd_resnet",
        builder="ssd_resnet",
        round_benchmark="ssd-resnet34",
        server_latency_bound_ns=100_000_000,
        respond=partial(ssd_resnet_responses, rule=SsdResNetRule()),
    )


def _output_places(names: tuple[str, ...], workload: str) -> tuple[int, int]:
    try:
        boxes, scores = (names.index(name) for name in OUTPUTS)
    except ValueError:
        raise WorkloadError(
            f"the model gives {', '.join(names)}; {workload} needs the outputs "
            f"{' and '.join(OUTPUTS)}"
        ) from None
    return boxes, scores
