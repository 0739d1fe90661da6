"""Folding: what an ONNX graph computes before it sees a sample is computed once, by NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.tensorflow.values import Node, Size, Value

__all__ = ["ALWAYS_FOLDED", "folded"]

ALWAYS_FOLDED = ("Constant", "Shape")
"""Operators that never become one of TensorFlow's."""

_MOVES = ("Concat", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze")
"""Operators that carry numbers to other places, and compute nothing from them."""

_INT64 = 7


def folded(node: Node) -> list[Value] | None:
    """Give what a node computes, if that is known already; else ``None``.

    A shape of which only a part is known is carried along, so that a reshape learns the
    other part.
    """
    given = [value for value in node.inputs if value is not None]
    if node.operator == "Shape":
        return _shape(node)
    if all(value.known for value in given):
        arrays = [None if value is None else value.stored for value in node.inputs]
        return [node.result(array) for array in _evaluated(node, arrays)]
    if not all(isinstance(value.stored, np.ndarray) for value in given):
        return None
    if node.operator == "Cast" and node.attributes["to"] == _INT64:
        return [node.value()]
    return _moved(node) if node.operator in _MOVES else None


def _evaluated(node: Node, arrays: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
    """Compute a node by ONNX's own reference evaluator."""
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    evaluator = ReferenceEvaluator(node.proto, opsets={"": node.opset})
    feeds = {
        name: array
        for name, array in zip(node.proto.input, arrays, strict=True)
        if array is not None
    }
    return [np.asarray(found) for found in evaluator.run(None, feeds)]


def _shape(node: Node) -> list[Value]:
    sizes = node.value().sizes()
    start, end = node.attributes.get("start", 0), node.attributes.get("end", len(sizes))
    return [node.result(_entries(sizes[int(start) : int(end)]))]


def _moved(node: Node) -> list[Value] | None:
    """Carry the entries of a partly known shape, by carrying their numbers instead."""
    data = len(node.inputs) if node.operator == "Concat" else 1
    entries: list[int | Size] = []
    arrays: list[NDArray[Any] | None] = []
    for position, value in enumerate(node.inputs):
        if value is None or position >= data:
            if value is not None and not value.known:
                return None
            arrays.append(None if value is None else value.stored)
            continue
        places = np.arange(len(entries), len(entries) + value.stored.size, dtype=np.int64)
        arrays.append(places.reshape(value.stored.shape))
        entries += value.entries() or []
    (places,) = _evaluated(node, arrays)
    found = _entries([entries[place] for place in places.flat])
    return [node.result(found.reshape(places.shape))]


def _entries(entries: Sequence[int | Size]) -> NDArray[Any]:
    """Make a vector: of integers if all are known, else of objects."""
    if not any(isinstance(entry, Size) for entry in entries):
        return np.array(entries, np.int64)
    vector = np.empty(len(entries), object)
    vector[:] = entries
    return vector
