"""What TensorFlow really computes in, and where: read off the graph that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.protocol import BackendError
from inferometer.backends.tensorflow.loading import FrozenGraph

__all__ = ["device_of", "precision_of", "run_graphs"]

_PRODUCT = re.compile(r"Conv[23]D|MatMul|Einsum|LSTM", re.ASCII)
_TYPES = {1: "fp32", 2: "fp64", 14: "bf16", 19: "fp16"}
_TYPE_ATTRIBUTES = ("T", "Tinput")


def run_graphs(tf: Any, frozen: FrozenGraph, config: Any) -> list[Any]:
    """Run a batch of one and give the graphs, optimised and rewritten, that TensorFlow ran.

    Open axes are 1 wide and all numbers 1. Raises `BackendError` if the model can't be run
    so.
    """
    feeds = {tensor: _ones(frozen.graph, tensor) for tensor in frozen.inputs.values()}
    notes = tf.compat.v1.RunMetadata()
    try:
        # A session of its own, so that the model isn't kept twice.
        with tf.compat.v1.Session(graph=frozen.graph, config=config) as session:
            session.run(
                list(frozen.outputs.values()),
                feeds,
                options=tf.compat.v1.RunOptions(output_partition_graphs=True),
                run_metadata=notes,
            )
    except (tf.errors.OpError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise BackendError(
            f"TensorFlow can't run the model on one sample of ones: {' '.join(reason[:1])}"
        ) from error
    return list(notes.partition_graphs)


def _ones(graph: Any, name: str) -> NDArray[Any]:
    tensor = graph.get_tensor_by_name(name)
    sizes: Sequence[int | None] = () if tensor.shape.rank is None else tensor.shape.as_list()
    return np.ones([1 if size is None else size for size in sizes], tensor.dtype.as_numpy_dtype)


def precision_of(graphs: Iterable[Any]) -> str:
    """Name what a model's convolutions and products are computed in, joined by ``+``.

    Of a model without any, the other operators count; ``unknown`` if none has a type.
    """
    nodes = _nodes(graphs)
    products = [node for node in nodes if _PRODUCT.search(node.op)]
    found = {
        _TYPES[node.attr[name].type]
        for node in products or nodes
        for name in _TYPE_ATTRIBUTES
        if name in node.attr and node.attr[name].type in _TYPES
    }
    return "+".join(sorted(found)) or "unknown"


def device_of(graphs: Iterable[Any]) -> str:
    """Name the kind of device that a model's convolutions and products run on, or the rest."""
    nodes = _nodes(graphs)
    products = [node for node in nodes if _PRODUCT.search(node.op)] or nodes
    kinds = {
        match.group(1) for node in products if (match := re.search(r"device:(\w+)", node.device))
    }
    return "+".join(sorted(kinds)) or "CPU"


def _nodes(graphs: Iterable[Any]) -> list[Any]:
    return [
        node
        for graph in graphs
        for nodes in (graph.node, *(function.node_def for function in graph.library.function))
        for node in nodes
    ]
