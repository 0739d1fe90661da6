"""Graph of a TensorFlow Lite file: which kernels took its nodes, and what they compute in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["computed_in", "kernels"]

_DELEGATE, _DEQUANTIZE = "DELEGATE", "DEQUANTIZE"
_OPERANDS = {
    "BATCH_MATMUL": (0, 1),
    "CONV_2D": (0, 1),
    "DEPTHWISE_CONV_2D": (0, 1),
    "FULLY_CONNECTED": (0, 1),
    "TRANSPOSE_CONV": (2, 1),
}
"""Where layers with weights have what comes in, and their weights."""

_PRECISIONS = {"float32": "fp32", "float16": "fp16", "uint8": "int8"}

_Nodes = Sequence[dict[str, Any]]


def computed_in(interpreter: Any) -> tuple[str, str]:
    """Give what layers with weights compute in, and the types in which weights are stored.

    Both join several by ``+``. Layers of float32 whose weights are int8 quantise what comes
    as they run: ``int8 dynamic``.
    """
    nodes = interpreter._get_ops_details()
    unpacked = {
        int(node["outputs"][0]): int(node["inputs"][0])
        for node in nodes
        if node["op_name"] == _DEQUANTIZE
    }
    types = {detail["index"]: np.dtype(detail["dtype"]).name for detail in _tensors(interpreter)}
    made = {int(tensor) for node in nodes for tensor in node["outputs"]} - unpacked.keys()
    precisions: set[str] = set()
    stored: set[str] = set()
    for node in nodes:
        if node["op_name"] not in _OPERANDS:
            continue
        source, weights = (int(node["inputs"][place]) for place in _OPERANDS[node["op_name"]])
        stored.update(() if weights in made else (types[unpacked.get(weights, weights)],))
        dynamic = types[source] == "float32" and types[weights] != "float32"
        name = types[weights] if dynamic else types[source]
        precisions.add(_PRECISIONS.get(name, name) + (" dynamic" if dynamic else ""))
    return "+".join(sorted(precisions)) or "fp32", "+".join(sorted(stored)) or "none"


def kernels(interpreter: Any) -> str:
    """Say how many nodes XNNPACK took, such as ``XNNPACK: 30 of 31 nodes``.

    The interpreter shows the file's nodes and one behind them for each part that was taken;
    such a node stands for all that lie between its inputs and its outputs.
    """
    details = interpreter._get_ops_details()
    nodes = [node for node in details if node["op_name"] != _DELEGATE]
    makers = {int(tensor): node for node in nodes for tensor in node["outputs"]}
    taken: set[int] = set()
    for part in details[len(nodes) :]:
        outside = {int(tensor) for tensor in part["inputs"]}
        waiting = [int(tensor) for tensor in part["outputs"]]
        while waiting:
            tensor = waiting.pop()
            if tensor in makers and tensor not in outside:
                node = makers[tensor]
                waiting.extend(map(int, node["inputs"] if node["index"] not in taken else ()))
                taken.add(node["index"])
    if not taken:
        return f"built in: {len(nodes)} nodes"
    return f"XNNPACK: {len(taken)} of {len(nodes)} nodes"


def _tensors(interpreter: Any) -> _Nodes:
    found: _Nodes = interpreter.get_tensor_details()
    return found
