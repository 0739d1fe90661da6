"""TensorFlow Lite files: their ports named as the source's, their batch opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inferometer.backends.protocol import BackendError

__all__ = ["name_ports", "number_operators", "open_batch"]

_OPEN = -1
_LARGEST_OLD_NUMBER = 127
_SHAPES_AT = {"RESHAPE": 1, "SLICE": 2}
"""Operators that are told a whole shape by a constant, and which of their inputs that is;
-1 there stands for what is left."""


def name_ports(content: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """Give a file whose signature has these names, and whose main graph has their order.

    The converters call them ``args_0``, … and ``output_0``, …, or by these names already.
    """
    tools, model = _read(content)
    (signature,), graph = model.signatureDefs, model.subgraphs[0]
    graph.inputs = _named(signature.inputs, inputs, "args_{}")
    graph.outputs = _named(signature.outputs, outputs, "output_{}")
    return bytes(tools.convert_object_to_bytearray(model))


def open_batch(content: bytes, batch: int) -> bytes:
    """Give a file that was traced for so many samples with its batch axis left open.

    The numbers of shapes that are constants are taken for the batch where they stand first
    and are equal to it. Whether the file then answers rightly is for the caller to check.
    """
    tools, model = _read(content)
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        shape = () if tensor.shape is None else tuple(tensor.shape)
        constant = model.buffers[tensor.buffer].data is not None
        if shape[:1] == (batch,) and not constant:
            tensor.shapeSignature = np.array([_OPEN, *shape[1:]], np.int32)
    for operator in graph.operators:
        _open_shape(tools, model, operator, batch)
    return bytes(tools.convert_object_to_bytearray(model))


def number_operators(content: bytes) -> bytes:
    """Give a file whose operators also have the numbers that readers from before 2021 look at."""
    tools, model = _read(content)
    for code in model.operatorCodes:
        code.deprecatedBuiltinCode = min(code.builtinCode, _LARGEST_OLD_NUMBER)
    return bytes(tools.convert_object_to_bytearray(model))


def _read(content: bytes) -> tuple[Any, Any]:
    from ai_edge_litert.tools import flatbuffer_utils  # noqa: PLC0415

    return flatbuffer_utils, flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def _open_shape(tools: Any, model: Any, operator: Any, batch: int) -> None:
    """Open the batch in the constant that tells an operator its shape."""
    graph = model.subgraphs[0]
    place = _SHAPES_AT.get(tools.opcode_to_name(model, operator.opcodeIndex) or "")
    if place is None or place >= len(operator.inputs):
        return
    buffer = model.buffers[graph.tensors[operator.inputs[place]].buffer]
    if buffer.data is None:
        return
    shape = np.frombuffer(bytes(buffer.data), np.int32).copy()
    if len(shape) and shape[0] == batch and _OPEN not in shape:
        shape[0] = _OPEN
        buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
        if hasattr(operator.builtinOptions, "newShape"):
            operator.builtinOptions.newShape = shape


def _named(ports: Any, names: Sequence[str], numbered: str) -> Any:
    """Rename a signature's ports; give their tensors in the order of the names."""
    found = {port.name.decode(): port for port in ports}
    tensors = []
    for place, name in enumerate(names):
        port = found.get(name) or found.get(numbered.format(place))
        if port is None:
            raise BackendError(
                f"the converted model has no {name!r}; it has {', '.join(sorted(found))}"
            )
        port.name = name.encode()
        tensors.append(port.tensorIndex)
    return np.array(tensors, np.int32)
