"""ONNX files: layers by their order, constants as computed, and real published networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import shared_data
from tests.workloads.weights.fixtures import image

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from inferometer.workloads.models.export import export_onnx  # noqa: E402
from inferometer.workloads.models.mobilenet_v1 import MobileNetV1  # noqa: E402
from inferometer.workloads.models.resnet50 import ResNet  # noqa: E402
from inferometer.workloads.protocol import WorkloadError  # noqa: E402
from inferometer.workloads.weights import resnet50  # noqa: E402
from inferometer.workloads.weights.loading import load_weights  # noqa: E402
from inferometer.workloads.weights.onnx_file import read_initializers, read_layers  # noqa: E402
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


@pytest.mark.parametrize("folded", [True, False], ids=["folded", "with batch norms"])
@pytest.mark.parametrize(
    ("workload", "make"),
    [
        ("resnet50", small_resnet),
        ("mobilenet", small_mobilenet),
        ("ssd-mobilenet", small_ssd_mobilenet),
        ("ssd-resnet34", small_ssd_resnet),
    ],
)
def test_onnx_files_are_read_by_the_order_of_their_layers(
    workload: str, make: Callable[[], Any], folded: bool, tmp_path: Path
) -> None:
    model, path = randomize(make()), tmp_path / "model.onnx"
    if folded:
        names = ["a", "b"][: len(outputs(model))]
        given = (torch.from_numpy(image()),)
        export_onnx(model, given, path, inputs=["input"], outputs=names, dynamic={})
    else:
        export_with_norms(model, path)
    found = make()
    load_weights(workload, path, found)
    assert_same(outputs(found), outputs(model))


def export_with_norms(model: Any, path: Path) -> None:
    """Export without folding batch norms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.from_numpy(image()),),
            str(path),
            dynamo=False,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            opset_version=13,
        )


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_shortcut_may_stand_anywhere_in_its_block(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = randomize(small_resnet()), tmp_path / "model.onnx"
    given = (torch.from_numpy(image()),)
    export_onnx(model, given, path, inputs=["input"], outputs=["logits"], dynamic={})

    def moved(path: Path) -> list[Any]:
        layers = read_layers(path)
        for first in (1, 8):  # behind the stem, and behind it and two blocks
            block = layers[first : first + 4]
            shortcut = max(
                (one for one in block if one.source == block[0].source),
                key=lambda layer: len(layer.weight),
            )
            others = [one for one in block if one is not shortcut]
            layers[first : first + 4] = [*others[:place], shortcut, *others[place:]]
        return layers

    monkeypatch.setattr(resnet50, "read_layers", moved)
    found = small_resnet()
    load_weights("resnet50", path, found)
    assert_same(outputs(found), outputs(model))


@pytest.mark.slow
def test_a_real_resnet50_computes_the_same(tmp_path: Path) -> None:
    """The published INT4 network; its ceilings on activations are lifted, as ours has none."""
    onnx = pytest.importorskip("onnx")
    path = shared_data("models", "resnet50_v15.onnx")
    model = ResNet(classes=1000, pool_padding="torch").eval()
    load_weights("resnet50", path, model)
    proto = onnx.load(str(path))
    for item in proto.graph.initializer:
        if item.name.endswith("_max"):
            item.CopyFrom(onnx.numpy_helper.from_array(np.float32(1e30), item.name))
    batch = np.random.default_rng(3).normal(0, 1, (1, 3, 224, 224)).astype(np.float32)
    (wanted,) = run_onnx(proto.SerializeToString(), batch)
    np.testing.assert_allclose(outputs(model, batch)[0], wanted, rtol=1e-3, atol=1e-3)


def test_a_real_mobilenet_computes_nearly_the_same() -> None:
    """The published uint8 network rounds activations, ours doesn't; the weights are equal."""
    path = shared_data("models", "mobilenet_v1_quant.onnx")
    model = MobileNetV1().eval()
    load_weights("mobilenet", path, model)
    batch = np.random.default_rng(3).uniform(-1, 1, (2, 3, 224, 224)).astype(np.float32)
    (wanted,) = run_onnx(path.read_bytes(), batch)
    found = outputs(model, batch)[0]
    assert (found.argmax(1) == wanted.argmax(1)).all()
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99


def run_onnx(content: bytes, batch: NDArray[Any]) -> list[NDArray[Any]]:
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    found: list[NDArray[Any]] = session.run(["logits"], {"input": batch})
    return found


def chain(nodes: list[Any], constants: dict[str, NDArray[Any]], path: Path) -> Path:
    """Write a graph that goes from the tensor x to the tensor y."""
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    ends = [onnx.helper.make_tensor_value_info(name, 1, None) for name in ("x", "y")]
    graph = onnx.helper.make_graph(nodes, "chain", ends[:1], ends[1:], stored)
    opset = onnx.helper.make_opsetid("", 13)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset]), str(path))
    return path


def node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs.split(), [output], **attributes)


def test_what_follows_a_layer_becomes_scale_and_shift(tmp_path: Path) -> None:
    row = np.array([2.0, 4.0], np.float32)
    kernel = np.arange(2, dtype=np.float32).reshape(2, 1, 1, 1)
    nodes = [
        node("Transpose", "x", "turned", perm=[0, 3, 1, 2]),
        node("Conv", "turned kernel bias", "a"),
        node("Transpose", "a", "b", perm=[0, 2, 3, 1]),
        node("Mul", "b row", "c"),
        node("Add", "row c", "d"),
        node("Sub", "d one", "e"),
        node("BatchNormalization", "e one2 one2 row one2", "f", epsilon=3.0),
        node("Relu", "f", "g"),
        node("Mul", "g row", "y"),
    ]
    constants = {
        "kernel": kernel,
        "bias": row,
        "row": row,
        "one": np.ones(1, np.float32),
        "one2": np.ones(2, np.float32),
    }
    (layer,) = read_layers(chain(nodes, constants, tmp_path / "a.onnx"))
    assert layer.source == "x"
    assert layer.is_convolution
    assert (layer.weight == kernel).all()
    # ((2x + 2·2 + 2 − 1 − 2) / 2 + 1), and the same with 4: what follows a ReLU isn't part.
    assert layer.scale.tolist() == [1.0, 2.0]
    assert layer.shift.tolist() == [2.5, 8.5]


@pytest.mark.parametrize("kind", ["MatMul", "Gemm", "Gemm turned"])
def test_dense_layers_have_outputs_first(kind: str, tmp_path: Path) -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    turned = {"transB": 1} if kind == "Gemm turned" else {}
    nodes = [node(kind.split(maxsplit=1)[0], "x kernel", "a", **turned), node("Add", "a bias", "y")]
    constants = {
        "kernel": kernel.T.copy() if turned else kernel,
        "bias": np.array([1, 2, 3], np.float32),
    }
    (layer,) = read_layers(chain(nodes, constants, tmp_path / "a.onnx"))
    assert (layer.weight == kernel.T).all()
    assert layer.shift.tolist() == [1.0, 2.0, 3.0]
    assert not layer.is_convolution


def test_weights_are_computed_as_the_file_says(tmp_path: Path) -> None:
    nodes = [
        node("DequantizeLinear", "stored scale zero", "floats"),
        node("Transpose", "floats", "kernel", perm=[1, 0]),
        node("QuantizeLinear", "x scale zero", "q"),
        node("DequantizeLinear", "q scale zero", "d"),
        node("MatMul", "d kernel", "y"),
    ]
    constants: dict[str, NDArray[Any]] = {
        "stored": np.array([[130, 128], [126, 0]], np.uint8),
        "scale": np.array(0.5, np.float32),
        "zero": np.array(128, np.uint8),
    }
    path = chain(nodes, constants, tmp_path / "a.onnx")
    (layer,) = read_layers(path)
    assert layer.source == "x"
    assert layer.weight.tolist() == [[1.0, 0.0], [-1.0, -64.0]]
    assert read_initializers(path)["stored"].tolist() == [[130, 128], [126, 0]]


def test_channels_that_do_not_fit_are_told(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x kernel", "a"), node("Mul", "a three", "y")]
    constants = {"kernel": np.zeros((2, 2), np.float32), "three": np.zeros(3, np.float32)}
    with pytest.raises(WorkloadError, match="combines 2 channels with 3 numbers"):
        read_layers(chain(nodes, constants, tmp_path / "a.onnx"))
