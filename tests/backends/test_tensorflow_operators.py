"""Operators of ONNX in TensorFlow: each as ONNX Runtime computes it."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.backends import (
    BackendOptions,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
    get_backend,
)
from inferometer.backends.tensorflow.backend import TensorFlowBackend

onnx = pytest.importorskip("onnx")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(util.find_spec("tensorflow") is None, reason="TensorFlow isn't installed"),
]

BACKEND = TensorFlowBackend()
PHOTO = ("N", 4, 9, 8)
TABLE = ("N", 5, 6)
RNG = np.random.default_rng(5)


def weights(*shape: int) -> NDArray[np.float32]:
    return RNG.standard_normal(shape, dtype=np.float32)


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def node(operator: str, inputs: str, outputs: str = "y", /, **attributes: Any) -> Any:
    names = ["" if name == "-" else name for name in inputs.split()]
    return onnx.helper.make_node(operator, names, outputs.split(), name=outputs, **attributes)


def write(
    path: Path,
    nodes: list[Any],
    constants: dict[str, NDArray[Any]],
    shape: tuple[Any, ...],
    opset: int,
    dtype: Any = np.float32,
) -> Path:
    """Write a graph of one input ``x`` whose last node gives the outputs."""
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = onnx.helper.make_graph(
        nodes,
        "graph",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.ValueInfoProto(name=name) for name in nodes[-1].output if name],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    imports = [onnx.helper.make_opsetid("", opset)]
    proto = onnx.helper.make_model(graph, opset_imports=imports, ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(proto)
    onnx.save(inferred, str(path))
    return path


def source(path: Path) -> SourceModel:
    return SourceModel(path.stem, None, path, (), (), {}, {})


def conv(pads: tuple[int, ...] = (0, 0, 0, 0), **more: Any) -> Any:
    return node("Conv", "x w", pads=pads, **more)


K33 = {"w": weights(6, 4, 3, 3)}
LAST = node("Transpose", "y", "z", perm=[0, 2, 3, 1])
POOL = {"kernel_shape": (3, 3), "strides": (2, 2)}
LSTM = {
    "w": weights(2, 12, 6),
    "r": weights(2, 12, 3),
    "b": weights(2, 24),
    "n": np.array([2, 5, 1], np.int32),
    "h": weights(2, 3, 3),
    "c": weights(2, 3, 3),
}
STEPS = (5, 3, 6)

CASES: dict[str, tuple[list[Any], dict[str, NDArray[Any]], tuple[Any, ...], int]] = {
    "conv": ([conv()], K33, PHOTO, 17),
    "conv-bias": ([node("Conv", "x w b")], {**K33, "b": weights(6)}, PHOTO, 17),
    "conv-same": ([conv((1, 1, 1, 1))], K33, PHOTO, 17),
    "conv-odd-pads": ([conv((2, 0, 1, 3), strides=[2, 1])], K33, PHOTO, 17),
    "conv-dilated": ([conv((2, 2, 2, 2), dilations=[2, 2])], K33, PHOTO, 17),
    "conv-upper": ([node("Conv", "x w", auto_pad="SAME_UPPER", strides=[2, 2])], K33, PHOTO, 17),
    "conv-lower": ([node("Conv", "x w", auto_pad="SAME_LOWER", strides=[2, 2])], K33, PHOTO, 17),
    "conv-depthwise": ([conv((1, 1, 1, 1), group=4)], {"w": weights(4, 1, 3, 3)}, PHOTO, 17),
    "conv-multiplied": ([conv(group=4)], {"w": weights(8, 1, 3, 3)}, PHOTO, 17),
    "conv-unequal": ([conv(group=4, strides=[1, 2])], {"w": weights(4, 1, 3, 3)}, PHOTO, 17),
    "conv-groups": ([conv(group=2)], {"w": weights(6, 2, 3, 3)}, PHOTO, 17),
    "conv-open": ([conv((1, 1, 1, 1))], K33, ("N", 4, "H", "W"), 17),
    "padded-conv": (
        [node("Pad", "x p", "q"), node("Conv", "q w", "y", pads=(1, 0, 0, 1), strides=(2, 2))],
        {**K33, "p": whole(0, 0, 0, 1, 0, 0, 1, 0)},
        PHOTO,
        17,
    ),
    "pad": (
        [node("Pad", "x p v")],
        {"p": whole(0, 1, 2, 0, 0, 0, 1, 3), "v": weights()},
        PHOTO,
        17,
    ),
    "pad-reflect": (
        [node("Pad", "x p", mode="reflect")],
        {"p": whole(0, 0, 1, 2, 0, 0, 1, 2)},
        PHOTO,
        17,
    ),
    "pad-old": ([node("Pad", "x", pads=[0, 0, 1, 1, 0, 0, 0, 0], value=2.0)], {}, PHOTO, 10),
    "max-pool": ([node("MaxPool", "x", pads=(1, 1, 1, 1), **POOL)], {}, PHOTO, 17),
    "max-pool-ceil": ([node("MaxPool", "x", ceil_mode=1, **POOL)], {}, PHOTO, 17),
    "max-pool-relu": (
        [node("Relu", "x", "q"), node("MaxPool", "q", pads=(1, 1, 1, 1), **POOL)],
        {},
        PHOTO,
        17,
    ),
    "average-pool": ([node("AveragePool", "x", **POOL)], {}, PHOTO, 17),
    "average-pool-pads": ([node("AveragePool", "x", pads=(1, 1, 0, 1), **POOL)], {}, PHOTO, 17),
    "average-pool-ceil": ([node("AveragePool", "x", ceil_mode=1, **POOL)], {}, PHOTO, 17),
    "average-pool-all": (
        [node("AveragePool", "x", pads=(1, 1, 1, 1), count_include_pad=1, **POOL)],
        {},
        PHOTO,
        17,
    ),
    "global-pool": (
        [node("GlobalAveragePool", "x", "q"), node("Flatten", "q")],
        {},
        PHOTO,
        17,
    ),
    "global-max": ([node("GlobalMaxPool", "x")], {}, PHOTO, 17),
    "batch-norm": (
        [conv(), node("BatchNormalization", "y s t m v", "z", epsilon=1e-3)],
        {**K33, "s": weights(6), "t": weights(6), "m": weights(6), "v": weights(6) ** 2},
        PHOTO,
        15,
    ),
    "batch-norm-table": (
        [node("BatchNormalization", "x s t m v")],
        {"s": weights(5), "t": weights(5), "m": weights(5), "v": weights(5) ** 2},
        TABLE,
        15,
    ),
    "broadcast": ([conv(), node("Mul", "y c", "z")], {**K33, "c": weights(6, 1, 6)}, PHOTO, 17),
    "residual": (
        [conv((1, 1, 1, 1)), node("Add", "y x", "z")],
        {"w": weights(4, 4, 3, 3)},
        PHOTO,
        17,
    ),
    "concat": ([conv((1, 1, 1, 1)), node("Concat", "y x y", "z", axis=1)], K33, PHOTO, 17),
    "to-last": ([conv(), LAST], K33, PHOTO, 17),
    "from-last": (
        [node("Transpose", "x", "q", perm=[0, 3, 1, 2]), node("Conv", "q w")],
        K33,
        ("N", 9, 8, 4),
        17,
    ),
    "turned": ([conv(), node("Transpose", "y", "z", perm=[0, 3, 1, 2])], K33, PHOTO, 17),
    "slice-photo": (
        [conv(), node("Slice", "y s e a", "z")],
        {**K33, "s": whole(1, -3), "e": whole(5, 2**62), "a": whole(1, 3)},
        PHOTO,
        17,
    ),
    "split-photo": (
        [conv(), node("Split", "y s", "u v", axis=1)],
        {**K33, "s": whole(2, 4)},
        PHOTO,
        17,
    ),
    "split-even": ([node("Split", "x", "u v w", axis=2)], {}, TABLE, 17),
    "split-old": ([node("Split", "x", "u v", axis=1, split=[1, 4])], {}, TABLE, 11),
    "softmax-photo": ([conv(), node("Softmax", "y", "z", axis=1)], K33, PHOTO, 17),
    "softmax-old": ([node("Softmax", "x", axis=1)], {}, TABLE, 11),
    "log-softmax": ([node("LogSoftmax", "x", axis=1)], {}, TABLE, 17),
    "mean-photo": ([conv(), node("ReduceMean", "y", "z", axes=[2, 3], keepdims=0)], K33, PHOTO, 17),
    "mean-kept": ([conv(), node("ReduceMean", "y", "z", axes=[-1, 2])], K33, PHOTO, 17),
    "mean-channels": ([conv(), node("ReduceMean", "y", "z", axes=[1], keepdims=0)], K33, PHOTO, 17),
    "mean-rows": ([conv(), node("ReduceMean", "y", "z", axes=[2], keepdims=0)], K33, PHOTO, 17),
    "mean-new": ([node("ReduceMean", "x a")], {"a": whole(1)}, TABLE, 18),
    "max-all": ([node("ReduceMax", "x", keepdims=0)], {}, TABLE, 17),
    "l2": ([node("ReduceL2", "x", axes=[1, 2])], {}, TABLE, 17),
    "clip-six": (
        [node("Clip", "x a b")],
        {"a": np.array(0, np.float32), "b": np.array(6, np.float32)},
        TABLE,
        17,
    ),
    "clip-low": ([node("Clip", "x a")], {"a": np.array(0, np.float32)}, TABLE, 17),
    "clip-high": ([node("Clip", "x - b")], {"b": np.array(0.3, np.float32)}, TABLE, 17),
    "clip-old": ([node("Clip", "x", min=-0.5, max=0.5)], {}, TABLE, 10),
    "leaky": ([node("LeakyRelu", "x", alpha=0.3)], {}, TABLE, 17),
    "hard-sigmoid": ([node("HardSigmoid", "x", alpha=0.3)], {}, TABLE, 17),
    "hard-swish": ([node("HardSwish", "x")], {}, TABLE, 17),
    "erf": ([node("Erf", "x")], {}, TABLE, 17),
    "elu": ([node("Elu", "x")], {}, TABLE, 17),
    "round": ([node("Round", "x")], {}, TABLE, 17),
    "max-of-three": ([node("Max", "x a b")], {"a": weights(6), "b": weights(5, 1)}, TABLE, 17),
    "pow": ([node("Pow", "x e")], {"e": np.array(3)}, TABLE, 17),
    "where": (
        [node("Less", "x a", "q"), node("Where", "q x b")],
        {"a": weights(6), "b": weights(5, 1)},
        TABLE,
        17,
    ),
    "gemm": (
        [node("Flatten", "x", "q"), node("Gemm", "q w b", transB=1, alpha=0.5, beta=2.0)],
        {"w": weights(7, 30), "b": weights(1, 7)},
        TABLE,
        17,
    ),
    "gemm-bias": (
        [node("Flatten", "x", "q"), node("Gemm", "q w b")],
        {"w": weights(30, 7), "b": weights(7)},
        TABLE,
        17,
    ),
    "matmul": ([node("MatMul", "x w")], {"w": weights(6, 3)}, TABLE, 17),
    "matmul-vector": ([node("MatMul", "x w")], {"w": weights(6)}, TABLE, 17),
    "vector-matmul": ([node("MatMul", "w x")], {"w": weights(5)}, TABLE, 17),
    "top-k": ([node("TopK", "x k", "u v", axis=1)], {"k": whole(3)}, TABLE, 17),
    "bottom-k": ([node("TopK", "x k", "u v", largest=0)], {"k": whole(2)}, TABLE, 17),
    "arg-max": ([node("ArgMax", "x", axis=1, keepdims=0)], {}, TABLE, 17),
    "arg-min": ([node("ArgMin", "x", axis=-1)], {}, TABLE, 17),
    "gather": (
        [node("Gather", "x i", axis=1)],
        {"i": np.array([[0, -1], [2, 1]], np.int64)},
        TABLE,
        17,
    ),
    "gather-open": ([node("Gather", "x i", axis=0)], {"i": whole(0, -1)}, TABLE, 17),
    "gather-scalar": ([node("Gather", "x i", axis=2)], {"i": np.array(-2)}, TABLE, 17),
    "slice-back": (
        [node("Slice", "x s e a t")],
        {"s": whole(-1), "e": whole(-(2**63)), "a": whole(1), "t": whole(-2)},
        TABLE,
        17,
    ),
    "slice-old": ([node("Slice", "x", starts=[1], ends=[3], axes=[2])], {}, TABLE, 9),
    "squeeze": (
        [node("Unsqueeze", "x a", "q"), node("Squeeze", "q b")],
        {"a": whole(0, -1), "b": whole(0)},
        TABLE,
        17,
    ),
    "squeeze-old": (
        [node("Unsqueeze", "x", "q", axes=[1, 3]), node("Squeeze", "q", axes=[3])],
        {},
        TABLE,
        11,
    ),
    "flatten-deep": ([node("Flatten", "x", axis=2)], {}, TABLE, 17),
    "reshape-zero": ([node("Reshape", "x s")], {"s": whole(0, 3, -1)}, TABLE, 17),
    "reshape-front": ([node("Reshape", "x s")], {"s": whole(-1, 6)}, TABLE, 17),
    "reshape-shape": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Unsqueeze", "n o", "m"),
            node("Concat", "m t", "r", axis=0),
            node("Reshape", "x r"),
        ],
        {"i": np.array(0), "o": whole(0), "t": whole(-1, 3)},
        TABLE,
        17,
    ),
    "reshape-counted": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Mul", "n k", "m"),
            node("Unsqueeze", "m o", "l"),
            node("Concat", "l t", "r", axis=0),
            node("Reshape", "x r"),
        ],
        {"i": np.array(0), "k": np.array(5), "o": whole(0), "t": whole(6)},
        TABLE,
        17,
    ),
    "expand": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s a b", "m"),
            node("Concat", "m t", "r", axis=0),
            node("Expand", "c r"),
        ],
        {"a": whole(0), "b": whole(1), "t": whole(2, 6), "c": weights(2, 1)},
        TABLE,
        17,
    ),
    "tile": ([node("Tile", "x r")], {"r": whole(1, 2, 3)}, TABLE, 17),
    "zeros": (
        [node("Shape", "x", "s"), node("ConstantOfShape", "s", "z"), node("Add", "z x")],
        {},
        TABLE,
        17,
    ),
    "range": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Range", "a n d", "r"),
            node("Cast", "r", to=1),
        ],
        {"i": np.array(0), "a": np.array(0), "d": np.array(1)},
        TABLE,
        17,
    ),
    "cast": ([node("Cast", "x", to=6)], {}, TABLE, 17),
    "dropout": ([node("Dropout", "x")], {}, TABLE, 17),
    "mod": ([node("Mod", "x a", fmod=1)], {"a": weights(6)}, TABLE, 17),
    "lstm": (
        [node("LSTM", "x w r b", "y h c", hidden_size=3)],
        {n: LSTM[n][:1] for n in "wrb"},
        STEPS,
        17,
    ),
    "lstm-reverse": (
        [node("LSTM", "x w r", "y h c", hidden_size=3, direction="reverse")],
        {n: LSTM[n][:1] for n in "wr"},
        STEPS,
        17,
    ),
    "lstm-both": (
        [node("LSTM", "x w r b n h c", "y u v", hidden_size=3, direction="bidirectional")],
        LSTM,
        STEPS,
        17,
    ),
    "lstm-step": (
        [node("LSTM", "x w r b - h c", "y u v", hidden_size=3)],
        {n: LSTM[n][:1] for n in "wrbhc"},
        (1, 3, 6),
        17,
    ),
    "lstm-last": (
        [node("LSTM", "x w r b", "- h", hidden_size=3)],
        {n: LSTM[n][:1] for n in "wrb"},
        ("T", "N", 6),
        17,
    ),
}


def batch(shape: tuple[Any, ...], count: int) -> NDArray[np.float32]:
    sizes = [count if axis in ("N", "T") else {"H": 7, "W": 6}.get(axis, axis) for axis in shape]
    return np.asarray(3 * RNG.standard_normal(sizes), np.float32)


@pytest.mark.parametrize("name", CASES)
def test_operators_compute_what_onnx_runtime_does(name: str, tmp_path: Path) -> None:
    nodes, constants, shape, opset = CASES[name]
    path = write(tmp_path / "graph.onnx", nodes, constants, shape, opset)
    BACKEND.export(source(path), tmp_path / "saved")
    session = BACKEND.load(ModelFile(tmp_path / "saved", "savedmodel"), BackendOptions())
    reference = get_backend("onnxruntime").load(ModelFile(path, "onnx"), BackendOptions())
    for count in (1, 4):
        given = {"x": batch(shape, count)}
        for found, expected in zip(session.run(given), reference.run(given), strict=True):
            assert found.dtype == expected.dtype
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("operator", "attributes", "divisor"),
    [("Div", {}, 3), ("Div", {}, -3), ("Mod", {}, 3), ("Mod", {}, -3), ("Mod", {"fmod": 1}, -3)],
)
def test_integers_are_divided_as_onnx_does(
    operator: str, attributes: dict[str, int], divisor: int, tmp_path: Path
) -> None:
    nodes, given = [node(operator, "x d", **attributes)], np.arange(-7, 8)
    path = write(tmp_path / "graph.onnx", nodes, {"d": whole(divisor)}, ("N",), 17, np.int64)
    BACKEND.export(source(path), tmp_path / "saved")
    session = BACKEND.load(ModelFile(tmp_path / "saved", "savedmodel"), BackendOptions())
    reference = get_backend("onnxruntime").load(ModelFile(path, "onnx"), BackendOptions())
    np.testing.assert_array_equal(session.run({"x": given})[0], reference.run({"x": given})[0])


def test_operators_that_are_lacking_are_all_named_before_anything_is_written(
    tmp_path: Path,
) -> None:
    nodes = [
        onnx.helper.make_node("NonZero", ["x"], ["a"], name="first"),
        onnx.helper.make_node("Compress", ["x", "a"], ["b"], name="second"),
        onnx.helper.make_node("Relu", ["b"], ["y"], domain="own.domain"),
    ]
    path = tmp_path / "graph.onnx"
    write(path, nodes[:1], {}, TABLE, 17)
    proto = onnx.load(str(path))
    proto.graph.node.extend(nodes[1:])
    onnx.save(proto, str(path))
    with pytest.raises(UnsupportedModelError, match=r"NonZero \(node 'first'\), Compress") as told:
        BACKEND.export(source(path), tmp_path / "saved")
    assert told.value.operators == ("NonZero", "Compress", "own.domain.Relu")
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([node("MaxPool", "x", dilations=(2, 2), **POOL)], {}, "MaxPool as node 'y' uses it"),
        ([node("Pad", "x p", mode="edge")], {"p": whole(*[0] * 8)}, "constant or reflect"),
        ([node("Elu", "x", alpha=0.5)], {}, "alpha isn't 1"),
        ([node("Reshape", "x s", "q"), node("Dropout", "q", "y m")], {"s": whole(0, -1)}, "more"),
    ],
)
def test_what_an_operator_cannot_be_told_names_the_node(
    nodes: list[Any], constants: dict[str, NDArray[Any]], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "graph.onnx", nodes, constants, PHOTO, 17)
    with pytest.raises(UnsupportedModelError, match=message) as told:
        BACKEND.export(source(path), tmp_path / "saved")
    assert told.value.operators == (nodes[-1].op_type,)


def test_names_that_tensorflow_cannot_have_are_kept_for_the_session(tmp_path: Path) -> None:
    path = write(tmp_path / "graph.onnx", [node("Relu", "x", "the::answer/1")], {}, TABLE, 17)
    proto = onnx.load(str(path))
    proto.graph.input[0].name = proto.graph.node[0].input[0] = "/photo.1"
    onnx.save(proto, str(path))
    BACKEND.export(source(path), tmp_path / "saved")
    session = BACKEND.load(ModelFile(tmp_path / "saved", "savedmodel"), BackendOptions())
    assert session.input_names == ("/photo.1",)
    assert session.output_names == ("the::answer/1",)
    given = batch(TABLE, 2)
    np.testing.assert_array_equal(session.run({"/photo.1": given})[0], np.maximum(given, 0))
