"""Arm NN: the same answers as PyTorch in a process of its own; what it lacks is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import inferometer
from inferometer.backends import (
    BackendError,
    BackendOptions,
    Exporter,
    MissingBackendError,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
    get_backend,
)
from inferometer.backends.armnn import backend as armnn
from inferometer.backends.armnn.backend import ArmNnBackend
from inferometer.backends.isolation.isolated import BackendFault

BACKEND = ArmNnBackend()
BATCH = {0: "N"}
GNMT = Path(inferometer.__file__).parent / "workloads" / "data" / "pocket_gnmt_encoder.onnx"


def lacks_armnn() -> str:
    try:
        BACKEND.version()
    except MissingBackendError as error:
        return str(error)
    return ""


needs_armnn = pytest.mark.skipif(bool(lacks_armnn()), reason=lacks_armnn() or "it is here")


def photos(count: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(count)
    return generator.uniform(-1, 1, (count, 12, 12, 3)).astype(np.float32)


def source_of(module: Any, outputs: int = 1) -> SourceModel:
    names = tuple(f"out_{place}" for place in range(outputs))
    return SourceModel(
        name="small",
        module=module.eval(),
        onnx=Path("none.onnx"),
        input_names=("photo",),
        output_names=names,
        examples={"photo": photos(2)},
        dynamic=dict.fromkeys(("photo", *names), BATCH),
    )


@pytest.fixture(scope="module")
def make() -> Callable[..., SourceModel]:
    """Make the source of a function of a convolution's answers, which are not below zero."""
    torch: Any = pytest.importorskip("torch")
    pytest.importorskip("litert_torch")

    class Small(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, function: Callable[..., Any]):
            super().__init__()
            torch.manual_seed(3)
            self.layer = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
            self.dense = torch.nn.Linear(8, 5)
            self.function = function

        def forward(self, photo: Any) -> Any:
            return self.function(torch.relu(self.layer(photo.permute(0, 3, 1, 2))), self.dense)

    def of_function(function: Callable[..., Any], outputs: int = 1) -> SourceModel:
        return source_of(Small(function), outputs)

    return of_function


@pytest.fixture(scope="module")
def source(make: Callable[..., SourceModel]) -> SourceModel:
    """A model with what the parser takes only after it is written another way."""
    import torch

    def pooled_and_cut(found: Any, dense: Any) -> Any:
        pooled = torch.nn.functional.max_pool2d(found, 3, 2, 1)
        flat = pooled.permute(0, 2, 3, 1).reshape(found.shape[0], -1, 4)
        return flat[:, :7, :2] - flat[:, 3:10, 2:], torch.softmax(dense(pooled.mean((2, 3))), 1)

    return make(pooled_and_cut, outputs=2)


@pytest.fixture(scope="module")
def model(source: SourceModel, tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("armnn") / "small.tflite"
    BACKEND.export(source, path)
    return ModelFile(path, "tflite")


def changed(model: ModelFile, name: str, change: Callable[[Any, Any], None]) -> ModelFile:
    """Give the same file with something in it changed."""
    from ai_edge_litert.tools import flatbuffer_utils as tools

    content = tools.read_model(str(model.path))
    change(tools, content)
    path = model.path.with_name(f"{name}.tflite")
    path.write_bytes(tools.convert_object_to_bytearray(content))
    return ModelFile(path, "tflite")


def test_a_missing_part_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(armnn, "_LIBRARIES", tmp_path)
    for ask in (BACKEND.version, BACKEND.devices):
        with pytest.raises(MissingBackendError, match=r"parser, a backend .* missing.* apt-get"):
            ask()
    assert isinstance(BACKEND, Exporter)


def test_a_python_that_it_was_not_built_for_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "pyarmnn"
    libraries = tmp_path / "some-machine"
    (package / "_generated").mkdir(parents=True)
    (libraries / "armnn33").mkdir(parents=True)
    (package / "_version.py").write_text("version_info = (33, 0, 0)\n")
    (package / "_generated" / "_pyarmnn.cpython-27-some-machine.so").touch()
    (libraries / "armnn33" / "Arm_CpuAcc_backend.so").touch()
    (libraries / "libarmnnTfLiteParser.so.33").touch()
    monkeypatch.setattr(armnn, "_LIBRARIES", tmp_path)
    monkeypatch.setattr(armnn, "package_folder", lambda _: package)
    assert BACKEND.version() == "23.08"
    assert BACKEND.devices() == ("cpu", "CpuAcc")
    with pytest.raises(BackendError, match=r"was built for _pyarmnn\.cpython-27"):
        BACKEND.load(ModelFile(tmp_path / "none.tflite", "tflite"), BackendOptions())


@needs_armnn
def test_what_is_no_model_or_no_option_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    file = ModelFile(path, "tflite")
    path.write_bytes(b"not a model at all")
    with pytest.raises(BackendError, match="isn't a TensorFlow Lite file"):
        BACKEND.load(file, BackendOptions())
    path.write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(BackendError, match="is damaged"):
        BACKEND.load(file, BackendOptions())
    with pytest.raises(BackendError, match="no device 'cuda' here; it offers cpu"):
        BACKEND.load(file, BackendOptions(device="cuda"))
    with pytest.raises(BackendError, match="did you mean 'processes'"):
        BACKEND.load(file, BackendOptions(extra={"process": "2"}))


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("count", [1, 2, 5])
def test_agrees_with_pytorch(source: SourceModel, model: ModelFile, count: int) -> None:
    import torch

    session = BACKEND.load(model, BackendOptions())
    found = session.run({"photo": photos(count)})
    again = session.run({"photo": photos(count)})
    session.close()
    with torch.inference_mode():
        right = [one.numpy() for one in source.module(torch.from_numpy(photos(count)))]
    assert session.input_names == source.input_names
    assert session.output_names == source.output_names
    for one, other, expected in zip(found, again, right, strict=True):
        np.testing.assert_allclose(one, expected, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(one, other)


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_runs_in_processes_of_its_own(model: ModelFile) -> None:
    session = BACKEND.load(model, BackendOptions(extra={"processes": "2"}))
    facts = session.description
    assert len(session.run({"photo": photos(3)})) == 2
    with pytest.raises(BackendError, match="input 'photo' is missing"):
        session.run({"image": photos(1)})
    with pytest.raises(BackendError, match="the model takes photo float32"):
        session.run({"photo": photos(1)[:, 1:]})
    session.close()
    assert facts["version"] == BACKEND.version()
    assert facts["device"] in BACKEND.devices()
    assert (facts["precision"], facts["processes"]) == ("fp32", 2)
    assert "pyarmnn" not in sys.modules


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_a_file_of_a_larger_batch_runs_others_in_parts(model: ModelFile) -> None:
    def of_three(tools: Any, content: Any) -> None:
        graph = content.subgraphs[0]
        made = {tensor for operator in graph.operators for tensor in operator.outputs}
        for tensor in (*graph.inputs, *made):
            graph.tensors[tensor].shape = [3, *graph.tensors[tensor].shape[1:]]
        for operator in graph.operators:
            name = tools.opcode_to_name(content, operator.opcodeIndex)
            place = {"RESHAPE": 1, "SLICE": 2}.get(name)
            if place is not None:
                buffer = content.buffers[graph.tensors[operator.inputs[place]].buffer]
                shape = np.frombuffer(bytes(buffer.data), np.int32).copy()
                shape[0] = 3
                buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
                if hasattr(operator.builtinOptions, "newShape"):
                    operator.builtinOptions.newShape = shape

    found = []
    for file in (model, changed(model, "three", of_three)):
        session = BACKEND.load(file, BackendOptions())
        found.append(session.run({"photo": photos(7)}))
        session.close()
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_a_file_that_aborts_it_is_told(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def int8_weights_alone(tools: Any, content: Any) -> None:
        graph = content.subgraphs[0]
        names = [tools.opcode_to_name(content, one.opcodeIndex) for one in graph.operators]
        dense = graph.operators[names.index("FULLY_CONNECTED")]
        graph.tensors[dense.inputs[1]].type = 9

    broken = changed(model, "aborting", int8_weights_alone)
    with pytest.raises(UnsupportedModelError, match="FULLY_CONNECTED of float32 with weights of"):
        BACKEND.load(broken, BackendOptions())
    monkeypatch.setattr(armnn, "check_operators", lambda *_: None)
    with pytest.raises(BackendFault, match=r"aborting\.tflite: Arm NN can't load it") as caught:
        BACKEND.load(broken, BackendOptions())
    assert (caught.value.kind, caught.value.ending) == ("crashed", "SIGABRT")
    assert "in Optimize" in str(caught.value)


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_operators_that_it_lacks_are_named(
    make: Callable[..., SourceModel], model: ModelFile, tmp_path: Path
) -> None:
    import torch

    path = tmp_path / "model.tflite"
    with pytest.raises(UnsupportedModelError, match=r"small can't be .* lacks CUMSUM") as caught:
        BACKEND.export(make(lambda found, _: torch.cumsum(found, 1)), path)
    assert caught.value.operators == ("CUMSUM",)
    assert not path.exists()

    def fourier(_: Any, content: Any) -> None:
        content.operatorCodes[0].customCode = b"Fourier"
        content.operatorCodes[0].builtinCode = content.operatorCodes[0].deprecatedBuiltinCode = 32

    with pytest.raises(UnsupportedModelError, match="lacks Fourier"):
        BACKEND.load(changed(model, "custom", fourier), BackendOptions())


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_int8_runs_with_one_scale_a_dense_layer(
    make: Callable[..., SourceModel], tmp_path: Path
) -> None:
    pytest.importorskip("ai_edge_quantizer")
    from inferometer.quantization import QuantizationOptions
    from inferometer.quantization.litert import LiteRtQuantizer, PerTensorLiteRtQuantizer

    model = ModelFile(tmp_path / "float.tflite", "tflite")
    BACKEND.export(make(lambda found, dense: dense(found.mean((2, 3)))), model.path)
    found = {}
    for quantizer in (PerTensorLiteRtQuantizer(), LiteRtQuantizer()):
        path = tmp_path / f"{type(quantizer).__name__}.tflite"
        batches = iter([{"photo": photos(1)}, {"photo": photos(2)[1:]}])
        quantizer.static(model, path, batches, QuantizationOptions())
        found[type(quantizer)] = ModelFile(path, "tflite")
    session = BACKEND.load(found[PerTensorLiteRtQuantizer], BackendOptions())
    reference = get_backend("litert").load(found[PerTensorLiteRtQuantizer], BackendOptions())
    for one, other in zip(
        *(s.run({"photo": photos(3)}) for s in (session, reference)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=0.02)
    assert session.description["precision"] == "int8"
    session.close()
    with pytest.raises(UnsupportedModelError, match="per channel; quantise it with --tool litert-"):
        BACKEND.load(found[LiteRtQuantizer], BackendOptions())


@needs_armnn
@pytest.mark.slow
@pytest.mark.torch
def test_open_lengths_are_told_with_the_operators(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    source = SourceModel(
        name="gnmt",
        module=None,
        onnx=GNMT,
        input_names=("tokens",),
        output_names=("memory",),
        examples={"tokens": np.zeros((2, 5), np.int32)},
        dynamic={"tokens": {0: "N", 1: "longest"}},
    )
    with pytest.raises(UnsupportedModelError, match="axes longest of tokens are open") as caught:
        BACKEND.export(source, tmp_path / "model.tflite")
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in caught.value.operators
