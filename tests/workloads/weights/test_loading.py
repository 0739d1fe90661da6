"""Published weights in our modules: the same numbers come out as where they come from."""

from __future__ import annotations

import re
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from tests.workloads.weights.fixtures import expected, image, unpack

torch = pytest.importorskip("torch")
pytest.importorskip("google.protobuf")

from inferometer.workloads.models.export import export_onnx  # noqa: E402
from inferometer.workloads.models.gnmt import Gnmt  # noqa: E402
from inferometer.workloads.models.mobilenet_v1 import MobileNetV1  # noqa: E402
from inferometer.workloads.weights.gnmt import lstm_state  # noqa: E402
from inferometer.workloads.weights.loading import load_weights  # noqa: E402
from tests.workloads.weights.small_models import (  # noqa: E402
    assert_same,
    outputs,
    randomize,
    small_mobilenet,
    small_resnet,
    small_ssd_mobilenet,
    small_ssd_resnet,
)

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("workload", "file", "make"),
    [
        ("resnet50", "resnet", small_resnet),
        ("mobilenet", "mobilenet", small_mobilenet),
        ("ssd-mobilenet", "ssd_mobilenet", small_ssd_mobilenet),
    ],
)
def test_tensorflow_graphs_give_what_tensorflow_computes(
    workload: str, file: str, make: Callable[[], Any], tmp_path: Path
) -> None:
    model = make()
    load_weights(workload, unpack(f"{file}.pb", tmp_path), model)
    wanted = expected(f"{file} output")
    assert_same(outputs(model), [wanted[str(n)] for n in range(len(wanted))])


@pytest.mark.parametrize("zipped", [True, False])
def test_torchvision_state_dicts(zipped: bool, tmp_path: Path) -> None:
    model = randomize(small_resnet(pool_padding="torch"))
    torch.save(model.state_dict(), tmp_path / "r.pth", _use_new_zipfile_serialization=zipped)
    found = small_resnet(pool_padding="torch")
    load_weights("resnet50", tmp_path / "r.pth", found)
    assert_same(outputs(found), outputs(model))


class Published(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    """A module made of named tensors, as deep as the names say."""

    def __init__(self, tensors: dict[str, Any]):
        super().__init__()
        deeper: dict[str, dict[str, Any]] = {}
        for name, tensor in tensors.items():
            head, _, rest = name.partition(".")
            if rest:
                deeper.setdefault(head, {})[rest] = tensor
            else:
                self.register_buffer(name, tensor)
        for name, inner in deeper.items():
            self.add_module(name, Published(inner))


def save_as_published(tensors: dict[str, Any], path: Path, monkeypatch: Any) -> Path:
    """Save a module whose classes have a published file's names, in its old format."""
    monkeypatch.setattr(Published, "__module__", "models.ssd")
    monkeypatch.setitem(sys.modules, "models", types.ModuleType("models"))
    room = types.ModuleType("models.ssd")
    room.Published = Published  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models.ssd", room)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.save(Published(tensors), path, _use_new_zipfile_serialization=False)
    return path


def test_the_published_ssd_mobilenet_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = randomize(small_ssd_mobilenet())
    own, tensors = model.state_dict(), {}
    for number in range(27):
        block, part = (number + 1) // 2, "depthwise" if number % 2 else "pointwise"
        name = f"backbone.{block}.{part}" if number else "backbone.0.0"
        layer = {leaf: own[f"backbone.{number}.norm.{leaf}"] for leaf in ("weight", "bias")}
        mean = own[f"backbone.{number}.norm.running_mean"]
        variance = own[f"backbone.{number}.norm.running_var"]
        scale = layer["weight"] / torch.sqrt(variance + 1e-3)
        kernel = own[f"backbone.{number}.conv.weight"]
        if part == "depthwise":
            tensors[f"{name}/BatchNorm.scale"] = scale.view(1, -1, 1, 1)
        else:
            kernel = kernel * scale.view(-1, 1, 1, 1)
        tensors[f"{name}.weight"] = kernel
        shift = layer["bias"] - mean * scale
        tensors[f"{name}/BatchNorm.bias"] = shift.view(1, -1, 1, 1)
    tensors |= {name: own[name] for name in own if not name.startswith("backbone.")}
    path = save_as_published(tensors, tmp_path / "ssd_mobilenet_v1.pytorch", monkeypatch)
    found = small_ssd_mobilenet()
    load_weights("ssd-mobilenet", path, found)
    assert_same(outputs(found), outputs(model))


@pytest.mark.parametrize("checkpoint", [True, False])
def test_the_published_ssd_resnet34_module(
    checkpoint: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = randomize(small_ssd_resnet()), tmp_path / "resnet34-ssd1200.pytorch"
    if checkpoint:
        torch.save({"model": model.state_dict(), "epoch": 60}, path)
    else:
        save_as_published(model.state_dict(), path, monkeypatch)
    found = small_ssd_resnet()
    load_weights("ssd-resnet34", path, found)
    assert_same(outputs(found), outputs(model))


def test_the_published_gnmt_checkpoint(tmp_path: Path) -> None:
    for name in ("translate.ckpt.index", "translate.ckpt.data-00000-of-00001"):
        unpack(name, tmp_path)
    model = Gnmt(vocabulary=11, hidden=4)
    load_weights("gnmt", tmp_path / "translate.ckpt", model)
    published, own = expected("gnmt"), model.state_dict()
    root = "dynamic_seq2seq"
    attention = f"{root}/decoder/multi_rnn_cell/cell_0_attention/attention"
    bahdanau = f"{attention}/bahdanau_attention"
    for name, array in {
        "encoder.embedding.weight": published["embeddings/encoder/embedding_encoder"],
        "decoder.embedding.weight": published["embeddings/decoder/embedding_decoder"],
        "encoder.memory_layer.weight": published[f"{root}/decoder/memory_layer/kernel"].T,
        "decoder.output.weight": published[f"{root}/decoder/output_projection/kernel"].T,
        "decoder.attention.query_layer.weight": published[f"{bahdanau}/query_layer/kernel"].T,
        "decoder.attention.direction": published[f"{bahdanau}/attention_v"],
        "decoder.attention.gain": published[f"{bahdanau}/attention_g"],
        "decoder.attention.bias": published[f"{bahdanau}/attention_b"],
    }.items():
        assert (own[name].numpy() == array).all(), name
    cells = {
        "encoder.bidirectional": f"{root}/encoder/bidirectional_rnn/fw",
        "encoder.layers.0": f"{root}/encoder/rnn/multi_rnn_cell/cell_0",
        "encoder.layers.2": f"{root}/encoder/rnn/multi_rnn_cell/cell_2",
        "decoder.layers.0": attention,
        "decoder.layers.3": f"{root}/decoder/multi_rnn_cell/cell_3",
    }
    for layer, cell in cells.items():
        kernel = published[f"{cell}/basic_lstm_cell/kernel"]
        assert_lstm(model.get_submodule(layer), kernel, published[f"{cell}/basic_lstm_cell/bias"])


def assert_lstm(layer: Any, kernel: NDArray[Any], bias: NDArray[Any]) -> None:
    """Run PyTorch's layer beside TensorFlow's cell, written out, over a few steps."""

    def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(1 / (1 + np.exp(-x)))

    hidden = kernel.shape[1] // 4
    steps = np.random.default_rng(1).uniform(-1, 1, (5, len(kernel) - hidden)).astype(np.float32)
    state = output = np.zeros(hidden)
    for step in steps:
        i, j, f, o = np.split(np.concatenate([step, output]) @ kernel + bias, 4)
        state = state * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
        output = np.tanh(state) * sigmoid(o)
    with torch.no_grad():
        found, _ = layer(torch.from_numpy(steps)[None])
    np.testing.assert_allclose(found[0, -1, :hidden].numpy(), output, rtol=1e-4, atol=1e-5)


def test_both_directions_of_the_first_encoder_layer(tmp_path: Path) -> None:
    for name in ("translate.ckpt.index", "translate.ckpt.data-00000-of-00001"):
        unpack(name, tmp_path)
    model = Gnmt(vocabulary=11, hidden=4)
    load_weights("gnmt", tmp_path / "translate.ckpt.index", model)
    cell = "dynamic_seq2seq/encoder/bidirectional_rnn/bw/basic_lstm_cell"
    published = expected("gnmt")
    wanted = lstm_state(published[f"{cell}/kernel"], published[f"{cell}/bias"], "x", "l0_reverse")
    for name, array in wanted.items():
        own = model.encoder.bidirectional.get_parameter(name.removeprefix("x."))
        assert (own.detach().numpy() == array).all(), name


ERRORS = {
    "a missing name": (
        {"fc.bias": None, "bn1.bias": None},
        "it lacks bn1.bias, fc.bias",
    ),
    "an unknown name": ({"extra": torch.zeros(1)}, "it has unknown extra"),
    "another shape": (
        {"fc.bias": torch.zeros(1000)},
        "of another shape are fc.bias ((1000,) for (5,))",
    ),
    "many": (
        {f"x{n}": torch.zeros(1) for n in range(9)},
        "it has unknown x0, x1, x2 and 6 more",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_weights_of_another_model_are_told_by_name(name: str, tmp_path: Path) -> None:
    changes, message = ERRORS[name]
    model = small_resnet()
    state = {**model.state_dict(), **changes}
    path = tmp_path / "r.pth"
    torch.save({key: value for key, value in state.items() if value is not None}, path)
    with pytest.raises(WorkloadError, match=re.escape(message)) as error:
        load_weights("resnet50", path, model)
    assert str(path) in str(error.value)


def test_files_of_another_model_are_refused(tmp_path: Path) -> None:
    graph = unpack("mobilenet.pb", tmp_path)
    with pytest.raises(WorkloadError, match=r"lacks dense/kernel, dense/bias, conv2d/kernel and"):
        load_weights("resnet50", graph, small_resnet())
    with pytest.raises(WorkloadError, match="for another model: of another shape are features"):
        load_weights("mobilenet", graph, MobileNetV1(classes=5, width=1 / 16))
    model, path = small_resnet(), tmp_path / "m.onnx"
    given = (torch.from_numpy(image()),)
    export_onnx(model, given, path, inputs=["input"], outputs=["logits"], dynamic={})
    with pytest.raises(WorkloadError, match="has 13 layers with weights, and the model 28"):
        load_weights("mobilenet", path, small_mobilenet())
    with pytest.raises(
        WorkloadError, match=r"for another model: of another shape are conv1\.weight"
    ):
        load_weights("resnet50", path, small_resnet(in_channels=1))


def test_unknown_workloads_and_files(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="'resnet5'; did you mean 'resnet50'"):
        load_weights("resnet5", tmp_path / "x.pth", small_resnet())
    with pytest.raises(WorkloadError, match=r"aren't read from such files; known: \.pb, \.onnx"):
        load_weights("mobilenet", tmp_path / "x.pth", small_mobilenet())
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(WorkloadError, match=r"x\.onnx is damaged, or no ONNX file"):
        load_weights("mobilenet", tmp_path / "x.onnx", small_mobilenet())
    with pytest.raises(WorkloadError, match=r"y\.onnx: can't be read"):
        load_weights("mobilenet", tmp_path / "y.onnx", small_mobilenet())
