"""The pocket detectors: shipped models, and the mAP that was recorded for them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.loadgen import Response
from inferometer.workloads.detection.pocket import PocketSsdMobileNet, PocketSsdResNet
from inferometer.workloads.detection.scoring import FIGURES
from inferometer.workloads.protocol import MODEL, ScoredAnswer, WorkloadError, WorkloadOptions
from tests.support import ROOT

DATA = ROOT / "src/inferometer/workloads/data"
DETECTORS = (PocketSsdMobileNet, PocketSsdResNet)

Detector = type[PocketSsdMobileNet] | type[PocketSsdResNet]


class FixedSession:
    """A session that gives the same boxes and scores for every picture."""

    description: dict[str, Any] = {}  # noqa: RUF012

    def __init__(
        self,
        inputs: tuple[str, ...] = ("image",),
        outputs: tuple[str, ...] = ("scores", "boxes"),
    ):
        self.input_names = inputs
        self.output_names = outputs

    def run(self, inputs: Any) -> list[NDArray[Any]]:
        count = len(inputs["image"])
        boxes = np.tile(np.array([0.1, 0.2, 0.3, 0.5], np.float32), (count, 1, 1))
        scores = np.zeros((count, 1, 11), np.float32)
        scores[:, 0, 4] = 0.75
        return [scores, boxes]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_record_describes_the_shipped_model(detector: Detector) -> None:
    path = DATA / f"{detector.detector.file}.onnx"
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["onnx_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record["evaluation_map_fp32"] >= 0.5
    assert record["curve"][-1]["held_out_map"] > 0.5
    assert path.stat().st_size < 2_000_000
    info = detector().info
    assert info.reference_accuracy == record["evaluation_map_fp32"]
    assert info.target_accuracy == pytest.approx(0.99 * record["evaluation_map_fp32"])


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_recorded_map_is_what_the_model_reaches(detector: Detector) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("hotcoco")
    workload = detector()
    backend = get_backend("onnxruntime")
    models = workload.models(backend.formats)
    predict = workload.predictor({MODEL: backend.load(models[MODEL], BackendOptions())})
    library = workload.library()
    answers = []
    for start in range(0, library.total_sample_count, 50):
        indices = np.arange(start, start + 50)
        library.load(indices)
        responses = predict(indices, library.inputs(indices))
        for index, rows in zip(indices.tolist(), responses, strict=True):
            assert isinstance(rows, np.ndarray)
            answers.append(ScoredAnswer(index, Response(index, rows.tobytes(), b"", None)))
    result = workload.score(answers)
    assert result.value == pytest.approx(workload.info.reference_accuracy, abs=0.001)
    assert result.meets_target
    record = json.loads((DATA / f"{detector.detector.file}.json").read_text())
    for figure, value in record["evaluation_details"].items():
        assert result.details[FIGURES[figure]] == pytest.approx(value, abs=0.002), figure


def test_responses_are_rows_of_the_sample() -> None:
    workload = PocketSsdResNet(WorkloadOptions(count=3))
    library = workload.library()
    library.load(np.arange(3))
    predict = workload.predictor({MODEL: FixedSession()})
    indices = np.array([2, 0])
    found = predict(indices, library.inputs(indices))
    for index, rows in zip(indices.tolist(), found, strict=True):
        expected = np.array([[index, 0.2, 0.1, 0.5, 0.3, 0.75, 4]], np.float32)
        assert np.array_equal(rows, expected)


def test_models_with_other_inputs_or_outputs_are_refused() -> None:
    workload = PocketSsdMobileNet()
    with pytest.raises(WorkloadError, match="takes a, b; pocket-ssd-mobilenet gives one"):
        workload.predictor({MODEL: FixedSession(inputs=("a", "b"))})
    with pytest.raises(WorkloadError, match="gives boxes; pocket-ssd-mobilenet needs"):
        workload.predictor({MODEL: FixedSession(outputs=("boxes",))})


def test_a_part_of_the_scenes_has_no_reference() -> None:
    workload = PocketSsdMobileNet(WorkloadOptions(count=40))
    assert workload.info.sample_count == workload.library().total_sample_count == 40
    assert workload.info.reference_accuracy is None
    pytest.importorskip("hotcoco")
    result = workload.score([])
    assert (result.value, result.missing, result.total) == (0.0, 40, 40)


def test_calibration_samples_are_named_and_loadable() -> None:
    calibration = PocketSsdMobileNet().calibration().first(20)
    assert len(set(calibration.ids)) == 20
    calibration.library.load(np.arange(20))
    assert calibration.library.inputs(np.arange(20))["image"].shape == (20, 1, 96, 96)


def test_another_model_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"model")
    models = PocketSsdResNet(WorkloadOptions(model=path)).models(("onnx",))
    assert models == {MODEL: ModelFile(path, "onnx", None)}


@pytest.mark.parametrize(
    ("options", "formats", "message"),
    [
        (WorkloadOptions(), ("tflite",), "comes as ONNX"),
        (WorkloadOptions(weights="random"), ("onnx",), "trained fp32 weights only"),
        (WorkloadOptions(number_format="int8"), ("onnx",), "trained fp32 weights only"),
    ],
)
def test_what_is_not_packaged_is_refused(
    options: WorkloadOptions, formats: tuple[str, ...], message: str
) -> None:
    with pytest.raises(WorkloadError, match=message):
        PocketSsdMobileNet(options).models(formats)


def test_other_data_are_refused() -> None:
    workload = PocketSsdMobileNet(WorkloadOptions(data=Path("coco")))
    with pytest.raises(WorkloadError, match="brings its data, so it can't read coco"):
        workload.library()
