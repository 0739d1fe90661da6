"""ONNX files: the weights of their layers in the order of the graph, and by name.

Names in ONNX files are the converter's, so layers are told apart by their order and by
what they read. Weights that the file keeps as integers, or turned, are computed as its own
nodes say; batch norms and the like that follow a layer become a scale and a shift.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError

__all__ = ["OnnxLayer", "read_graph", "read_initializers", "read_layers"]

_PASSING = ("Identity", "Transpose", "Cast", "QuantizeLinear", "DequantizeLinear", "Pad")
_AFFINE = ("BatchNormalization", "Add", "Sub", "Mul")
_MOST_STEPS = 16
_DEQUANTIZING_OPSET = 21


@dataclass(frozen=True)
class OnnxLayer:
    """A convolution or dense layer: float32 weights, and what follows it for each channel.

    ``weight`` is [outputs, inputs / groups, height, width] of a convolution and [outputs,
    inputs] of a dense layer. The layer's sums are multiplied by ``scale`` and have
    ``shift`` added, float32 [outputs] both. ``source`` is the tensor that it reads, before
    nodes that only turn, pad or quantise it; layers that share one read the same. ``name`` is
    that of the stored weight, which an exporter may have kept or made up.
    """

    weight: NDArray[np.float32]
    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    source: str
    name: str = ""

    @property
    def is_convolution(self) -> bool:
        """Whether it is a convolution."""
        return self.weight.ndim == 4

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a bias follows."""
        return bool((self.scale == 1).all())


def read_initializers(path: Path) -> dict[str, NDArray[Any]]:
    """Read the stored tensors of an ONNX file by name, as they are stored."""
    return read_graph(path)[1]


def read_graph(path: Path) -> tuple[list[Any], dict[str, NDArray[Any]]]:
    """Read the nodes of an ONNX file in the order of the graph, and its stored tensors."""
    onnx = _onnx()
    graph = _load(path).graph
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    return list(graph.node), stored


def read_layers(path: Path) -> list[OnnxLayer]:
    """Read the convolutions and dense layers of an ONNX file, in the order of the graph.

    Raises `WorkloadError` if the file is no ONNX file, or a layer's weights aren't in it.
    """
    graph = _Graph(_load(path), path)
    return [graph.layer(node) for node in graph.nodes if graph.is_layer(node)]


def _onnx() -> Any:
    try:
        import onnx  # noqa: PLC0415
        import onnx.numpy_helper  # noqa: PLC0415
        import onnx.reference  # noqa: PLC0415
    except ImportError as error:
        raise WorkloadError(
            "reading ONNX files needs onnx; install it with: pip install 'inferometer[export]'"
        ) from error
    return onnx


def _load(path: Path) -> Any:
    onnx = _onnx()
    try:
        return onnx.load(str(path))
    except OSError as error:
        raise WorkloadError(f"{path}: can't be read: {error.strerror or error}") from error
    except Exception as error:  # each version of protobuf has its own error
        raise WorkloadError(f"{path} is damaged, or no ONNX file: {error}") from error


class _Graph:
    """A graph with its nodes by what they make and read, and the constants among that."""

    def __init__(self, model: Any, path: Path):
        self._model, self._path = model, path
        self.nodes = list(model.graph.node)
        self._maker = {name: node for node in self.nodes for name in node.output}
        self._readers: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._constant = {item.name for item in model.graph.initializer} | {""}
        for node in self.nodes:
            if self._constant.issuperset(node.input):
                self._constant.update(node.output)

    def is_layer(self, node: Any) -> bool:
        """Tell whether a node is a layer with weights."""
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            return False
        return node.input[1] in self._constant and node.input[0] not in self._constant

    def layer(self, node: Any) -> OnnxLayer:
        """Give a layer with what follows it."""
        weight = self._value(node.input[1]).astype(np.float32)
        if node.op_type == "MatMul" or (node.op_type == "Gemm" and not _attribute(node, "transB")):
            weight = weight.T
        outputs = len(weight)
        scale, shift = np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
        if len(node.input) > 2:
            shift = shift + self._value(node.input[2]).astype(np.float32).reshape(-1)
        for follower in self._followers(node):
            scale, shift = self._apply(follower, scale, shift)
        weight = np.ascontiguousarray(weight)
        return OnnxLayer(weight, scale, shift, self._source(node.input[0]), node.input[1])

    def _followers(self, node: Any) -> Iterator[Any]:
        """Give the nodes that only scale or shift a layer's sums, one after the other."""
        for _ in range(_MOST_STEPS):
            readers = self._readers.get(node.output[0], [])
            if len(readers) != 1:
                return
            (node,) = readers
            if node.op_type in _AFFINE and self._operand(node) is not None:
                yield node
            elif node.op_type != "Transpose":
                return

    def _operand(self, node: Any) -> str | None:
        """Give the name of the constant that a node combines with; ``None`` for two tensors."""
        constants = [name for name in node.input if name in self._constant]
        if node.op_type == "Sub" and node.input[0] in self._constant:
            return None
        return constants[0] if constants else None

    def _apply(
        self, node: Any, scale: NDArray[np.float32], shift: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if node.op_type == "BatchNormalization":
            gamma, beta, mean, variance = (self._value(name) for name in node.input[1:5])
            factor = gamma / np.sqrt(variance + (_attribute(node, "epsilon") or 1e-5))
            return scale * factor, (shift - mean) * factor + beta
        operand = self._value(self._operand(node) or "").reshape(-1).astype(np.float32)
        if operand.size not in (1, scale.size):
            raise WorkloadError(
                f"{self._path}: {node.name or node.output[0]} combines {scale.size} channels with "
                f"{operand.size} numbers"
            )
        if node.op_type == "Mul":
            return scale * operand, shift * operand
        return scale, shift - operand if node.op_type == "Sub" else shift + operand

    def _source(self, name: str) -> str:
        """Follow nodes that keep the numbers up to the tensor that they come from."""
        while (node := self._maker.get(name)) is not None and node.op_type in _PASSING:
            name = node.input[0]
        return name

    def _value(self, name: str) -> NDArray[Any]:
        """Compute a constant by the nodes that make it."""
        onnx = _onnx()
        for item in self._model.graph.initializer:
            if item.name == name:
                value: NDArray[Any] = onnx.numpy_helper.to_array(item)
                return value
        needed, nodes = {name}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                nodes.append(node)
                needed.update(node.input)
        stored = [item for item in self._model.graph.initializer if item.name in needed]
        result = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        graph = onnx.helper.make_graph(nodes[::-1], "constant", [], [result], stored)
        opsets = list(self._model.opset_import)
        if any(node.op_type == "DequantizeLinear" for node in nodes):
            # onnx computes no older ones; what they mean hasn't changed.
            opsets = [onnx.helper.make_opsetid("", _DEQUANTIZING_OPSET)]
        model = onnx.helper.make_model(graph, opset_imports=opsets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            computed: NDArray[Any] = onnx.reference.ReferenceEvaluator(model).run(None, {})[0]
        return computed


def _attribute(node: Any, name: str) -> Any:
    """Give an attribute of a node; ``None`` if it has none of this name."""
    for attribute in node.attribute:
        if attribute.name == name:
            return _onnx().helper.get_attribute_value(attribute)
    return None
