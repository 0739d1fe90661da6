"""Quantising: the model, its recipe, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import BackendOptions, ModelFile, get_backend
from inferometer.quantization import QuantizationOptions, quantize_workload, tool_names
from inferometer.quantization.protocol import QuantizationError
from inferometer.workloads import MODEL, CalibrationSet, Workload, WorkloadError, get_workload
from inferometer.workloads.places import HOME_VARIABLE
from inferometer.workloads.quantized import quantized_models, read_recipe

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

OPTIONS = QuantizationOptions(count=32, reduce_range=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def workload() -> Workload:
    return get_workload("pocket-mobilenet")


def test_a_recipe_says_how_the_model_was_made(workload: Workload, home: Path) -> None:
    made = quantize_workload(workload, OPTIONS)
    assert made.folder == home / "quantized/pocket-mobilenet"
    recipe = json.loads((made.folder / "recipe.json").read_text())
    assert recipe == read_recipe(made.folder)
    assert recipe["workload"] == "pocket-mobilenet"
    assert recipe["weights"] == "int8, symmetric, per channel"
    ids = recipe["calibration"]["ids"]
    assert len(ids) == recipe["calibration"]["count"] == 32
    text = "".join(f"{name}\n" for name in ids)
    assert hashlib.sha256(text.encode()).hexdigest() == recipe["calibration"]["ids_sha256"]
    part = recipe["parts"][MODEL]
    assert hashlib.sha256((made.folder / part["file"]).read_bytes()).hexdigest() == part["sha256"]
    assert part["source_sha256"] == workload.models(("onnx",))[MODEL].sha256
    assert made.quantized_bytes < 0.5 * made.source_bytes
    assert "onnxruntime" in recipe["tools"]


def test_weights_are_int8_per_channel_and_the_end_stays_in_float(workload: Workload) -> None:
    made = quantize_workload(workload, OPTIONS)
    graph = onnx.load(str(made.folder / made.recipe["parts"][MODEL]["file"])).graph
    weights = [
        t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4
    ]
    assert len(weights) == 27, "a stem and thirteen pairs"
    scales = {t.name: t for t in graph.initializer}
    per_channel = [
        node for node in graph.node
        if node.op_type == "DequantizeLinear"
        and node.input[0] in {t.name for t in weights}
        and list(scales[node.input[1]].dims) == [scales[node.input[0]].dims[0]]
    ]  # fmt: skip
    assert len(per_channel) == 27
    assert "Softmax" in {node.op_type for node in graph.node}


def test_the_same_recipe_gives_the_same_model(workload: Workload, tmp_path: Path) -> None:
    first = quantize_workload(workload, OPTIONS, tmp_path / "one")
    second = quantize_workload(workload, OPTIONS, tmp_path / "two")
    assert first.recipe["parts"] == second.recipe["parts"]


def test_the_int8_model_answers_nearly_as_the_fp32_one(workload: Workload) -> None:
    quantize_workload(workload, OPTIONS)
    sources = workload.models(("onnx",))
    backend = get_backend("onnxruntime")
    library = workload.library()
    indices = np.arange(500)
    library.load(indices)
    answers = []
    for files in (
        workload.models(backend.formats),
        quantized_models("pocket-mobilenet", ("onnx",), lambda _: sources),
    ):
        sessions = {name: backend.load(file, BackendOptions()) for name, file in files.items()}
        predict = workload.predictor(sessions)
        answers.append(np.asarray(predict(indices, library.inputs(indices))))
    assert (answers[0] == answers[1]).mean() > 0.97


def test_a_missing_or_changed_model_is_told(workload: Workload) -> None:
    sources = workload.models(("onnx",))
    with pytest.raises(WorkloadError, match="make it with: inferometer quantize pocket-mobilenet"):
        quantized_models("pocket-mobilenet", ("onnx",), lambda _: sources)
    made = quantize_workload(workload, OPTIONS)
    with pytest.raises(WorkloadError, match="the backend reads tflite"):
        quantized_models("pocket-mobilenet", ("tflite",), lambda _: sources)
    other = {MODEL: dataclasses.replace(sources[MODEL], sha256="0" * 64)}
    with pytest.raises(WorkloadError, match="was made of another fp32 model"):
        quantized_models("pocket-mobilenet", ("onnx",), lambda _: other)
    path = made.folder / made.recipe["parts"][MODEL]["file"]
    path.write_bytes(path.read_bytes() + b"\0")
    file = quantized_models("pocket-mobilenet", ("onnx",), lambda _: sources)[MODEL]
    with pytest.raises(Exception, match="is damaged or was changed"):
        get_backend("onnxruntime").load(file, BackendOptions())
    (made.folder / "recipe.json").write_text("{")
    with pytest.raises(WorkloadError, match=r"recipe\.json: damaged"):
        quantized_models("pocket-mobilenet", ("onnx",), lambda _: sources)


def test_what_cannot_be_quantised(workload: Workload, tmp_path: Path) -> None:
    assert "onnxruntime" in tool_names()
    with pytest.raises(QuantizationError, match="did you mean 'onnxruntime'"):
        quantize_workload(workload, QuantizationOptions(tool="onnxruntme"))
    with pytest.raises(QuantizationError, match="no calibration method 'mean'"):
        quantize_workload(workload, dataclasses.replace(OPTIONS, calibrate="mean"))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")

    class Broken:
        info = workload.info

        def models(self, formats: tuple[str, ...]) -> dict[str, ModelFile]:
            return {MODEL: ModelFile(broken, formats[0])}

        def calibration(self) -> CalibrationSet:
            return CalibrationSet("none", ("0",), workload.library())

    with pytest.raises(QuantizationError, match="can't be prepared for quantising"):
        quantize_workload(Broken(), OPTIONS)  # type: ignore[arg-type]
    Broken.calibration = None  # type: ignore[assignment,method-assign]
    with pytest.raises(QuantizationError, match="has no calibration samples"):
        quantize_workload(Broken(), OPTIONS)  # type: ignore[arg-type]
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("keep")
    with pytest.raises(QuantizationError, match="holds no quantised model"):
        quantize_workload(workload, OPTIONS, taken)
    assert (taken / "mine.txt").read_text() == "keep"
