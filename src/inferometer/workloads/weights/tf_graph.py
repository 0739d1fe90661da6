"""Frozen TensorFlow graphs (.pb): their constants, by node name, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.tf_messages import parse_message, tensor_value

__all__ = ["read_graph_tensors"]


def read_graph_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read the numeric constants of a frozen graph by node name.

    A node that only passes a constant on, as freezing leaves behind for each variable, has
    that constant too. Raises `WorkloadError` if the file isn't a graph or is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkloadError(f"{path}: can't be read: {error.strerror or error}") from error
    graph = parse_message("Graph", content, path)
    tensors: dict[str, NDArray[Any]] = {}
    passing: dict[str, str] = {}
    for node in graph.node:
        if node.op == "Const":
            value = _constant(node, path)
            if value is not None:
                tensors[node.name] = value
        elif node.op == "Identity" and node.input:
            passing[node.name] = node.input[0].partition(":")[0]
    if not tensors:
        raise WorkloadError(f"{path} holds no constants; give a frozen graph, with its weights")
    return tensors | {
        name: tensors[source] for name in passing if (source := _source(name, passing)) in tensors
    }


def _source(name: str, passing: dict[str, str]) -> str:
    """Follow nodes that pass something on to where it comes from."""
    for _ in range(len(passing)):  # a damaged file may lead in circles
        if name not in passing:
            break
        name = passing[name]
    return name


def _constant(node: Any, path: Path) -> NDArray[Any] | None:
    for attribute in node.attr:
        if attribute.key == "value":
            return tensor_value(attribute.value.tensor, node.name, path)
    raise WorkloadError(f"{path}: the constant {node.name} has no value; the file is damaged")
