"""Backends: the registry imports nothing, and errors say what would work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inferometer.backends import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
    NullBackend,
    backend_names,
    get_backend,
)
from inferometer.workloads import MODEL, get_workload


def test_names() -> None:
    assert {"null", "onnxruntime"} <= set(backend_names())


def test_unknown_backends_suggest_the_nearest() -> None:
    with pytest.raises(BackendError, match="did you mean 'onnxruntime'"):
        get_backend("onnx-runtime")


def test_listing_backends_imports_no_framework() -> None:
    script = (
        "import sys\n"
        "from inferometer.backends import backend_names, get_backend\n"
        "[get_backend(name) for name in backend_names()]\n"
        "print(sorted({'onnxruntime', 'torch', 'tensorflow', 'openvino'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_a_missing_framework_gives_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        MissingBackendError, match=r"install it with: pip install 'inferometer\[onnxruntime\]'"
    ):
        get_backend("onnxruntime").load(ModelFile(Path("none"), "onnx"), BackendOptions())


def test_null_backend_answers_zeros() -> None:
    session = NullBackend({"scores": (3,), "boxes": (2, 4)}).load(
        ModelFile(Path("none"), "onnx"), BackendOptions()
    )
    scores, boxes = session.run({"input": np.ones((5, 2))})
    assert scores.shape == (5, 3)
    assert boxes.shape == (5, 2, 4)


class TestOnnxRuntime:
    pytest.importorskip("onnxruntime")

    @pytest.fixture
    def model(self) -> ModelFile:
        return get_workload("pocket-mobilenet").models(("onnx",))[MODEL]

    def test_runs_batches_of_any_size(self, model: ModelFile) -> None:
        session = get_backend("onnxruntime").load(model, BackendOptions(threads=1))
        assert session.input_names == ("input",)
        assert session.output_names == ("probabilities",)
        assert session.description["device"] == "CPUExecutionProvider"
        for count in (1, 3, 32):
            (found,) = session.run({"input": np.zeros((count, 1, 28, 28), np.float32)})
            assert found.shape == (count, 10)
            assert found.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-5)

    def test_devices_are_listed_and_checked(self, model: ModelFile) -> None:
        backend = get_backend("onnxruntime")
        assert backend.devices()[0] == "cpu"
        with pytest.raises(BackendError, match="no device 'quantum' here; it offers cpu"):
            backend.load(model, BackendOptions(device="quantum"))
        assert backend.load(model, BackendOptions(device="CPUExecutionProvider"))

    @pytest.mark.parametrize(
        ("extra", "message"),
        [
            ({"nonsense": "1"}, "no option 'nonsense'; it knows graph_optimization"),
            ({"graph_optimization": "most"}, "takes all, extended"),
            ({"inter_op_threads": "x"}, "whole number"),
        ],
    )
    def test_unknown_options_are_refused(
        self, model: ModelFile, extra: dict[str, str], message: str
    ) -> None:
        with pytest.raises(BackendError, match=message):
            get_backend("onnxruntime").load(model, BackendOptions(extra=extra))

    def test_models_are_checked(self, model: ModelFile, tmp_path: Path) -> None:
        backend = get_backend("onnxruntime")
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"not a model")
        for bad, message in (
            (ModelFile(tmp_path / "none.onnx", "onnx"), "no such model file"),
            (ModelFile(model.path, "tflite"), "reads onnx"),
            (ModelFile(model.path, "onnx", "0" * 64), "damaged or was changed"),
            (ModelFile(broken, "onnx"), "broken.onnx: ONNX Runtime can't load it"),
        ):
            with pytest.raises(BackendError, match=message):
                backend.load(bad, BackendOptions())

    def test_options_are_taken(self, model: ModelFile) -> None:
        options = BackendOptions(
            threads=2, extra={"graph_optimization": "none", "inter_op_threads": "2"}
        )
        session = get_backend("onnxruntime").load(model, options)
        assert session.description["threads"] == 2
