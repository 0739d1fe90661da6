"""A SavedModel from an ONNX file: its graph is walked node by node into TensorFlow's operators."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inferometer.backends.installed import missing
from inferometer.backends.protocol import BackendError, UnsupportedModelError
from inferometer.backends.tensorflow.folding import ALWAYS_FOLDED, folded
from inferometer.backends.tensorflow.operators import OPERATORS
from inferometer.backends.tensorflow.values import Node, Value

__all__ = ["INTERFACE", "WALKER_VERSION", "saved_model_of_onnx"]

WALKER_VERSION = "1"
"""Goes up whenever the same ONNX file gives another SavedModel."""

INTERFACE = "assets.extra/interface.json"
"""The file in a SavedModel that names inputs and outputs in their order."""

_ONNX_DOMAINS = ("", "ai.onnx")


def saved_model_of_onnx(tf: Any, source: Path, folder: Path) -> None:
    """Write the SavedModel that computes what an ONNX file does.

    Its one signature, ``serving_default``, has the inputs and outputs of the ONNX file, with
    the same axes open; `INTERFACE` has their order. Photos are convolved as N H W C, and
    stay so from one operator to the next as long as these don't mind. Raises
    `UnsupportedModelError` naming all operators that aren't covered before it builds
    anything, or the node that uses one in a way that isn't.
    """
    proto = _read(source)
    graph = proto.graph
    _check_operators(graph.node, source)
    opset = max(item.version for item in proto.opset_import if item.domain in _ONNX_DOMAINS)
    weights = _weights(graph)
    inputs = [item for item in graph.input if item.name not in weights]
    input_keys = _keys([item.name for item in inputs], "input")
    output_keys = _keys([item.name for item in graph.output], "output")
    specifications = [
        tf.TensorSpec(_open_shape(item), _input_type(tf, item), name=input_keys[item.name])
        for item in inputs
    ]

    def serve(*tensors: Any) -> dict[str, Any]:
        values = {name: Value(tf, array) for name, array in weights.items()}
        pairs = zip(inputs, tensors, strict=True)
        values |= {item.name: Value(tf, tensor) for item, tensor in pairs}
        _walk(tf, graph.node, opset, values)
        return {
            key: tf.identity(tf.convert_to_tensor(values[name].plain))
            for name, key in output_keys.items()
        }

    model = tf.Module()
    model.serve = tf.function(serve, input_signature=specifications, autograph=False)
    tf.saved_model.save(model, str(folder), signatures=model.serve)
    notes = folder / INTERFACE
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text(
        json.dumps({"inputs": input_keys, "outputs": output_keys}, indent=1) + "\n", "utf-8"
    )


def _read(path: Path) -> Any:
    try:
        import onnx  # noqa: PLC0415
    except ImportError as error:
        raise missing("onnx", "tensorflow") from error
    try:
        return onnx.load(str(path))
    except Exception as error:
        raise BackendError(f"{path} can't be read as an ONNX file: {error}") from error


def _check_operators(nodes: Sequence[Any], path: Path) -> None:
    """Raise `UnsupportedModelError` for all operators at once that the table hasn't."""
    lacking: dict[str, str] = {}
    for node in nodes:
        known = node.op_type in OPERATORS or node.op_type in ALWAYS_FOLDED
        if not known or node.domain not in _ONNX_DOMAINS:
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            lacking.setdefault(name, node.name or ", ".join(node.output))
    if lacking:
        told = ", ".join(f"{name} (node {where!r})" for name, where in lacking.items())
        raise UnsupportedModelError(
            f"{path.name}: TensorFlow's export lacks the operators {told}", tuple(lacking)
        )


def _weights(graph: Any) -> dict[str, Any]:
    from onnx.numpy_helper import to_array  # noqa: PLC0415

    return {item.name: to_array(item) for item in graph.initializer}


def _open_shape(item: Any) -> list[int | None]:
    """Give an input's shape, with ``None`` for what stays open."""
    axes = item.type.tensor_type.shape.dim
    return [axis.dim_value if axis.HasField("dim_value") else None for axis in axes]


def _input_type(tf: Any, item: Any) -> Any:
    from onnx.helper import tensor_dtype_to_np_dtype  # noqa: PLC0415

    return tf.as_dtype(tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type))


def _keys(names: Sequence[str], kind: str) -> dict[str, str]:
    """Give each name as TensorFlow can have it, in their order."""
    keys = {name: re.sub(r"\W", "_", name, flags=re.ASCII) for name in names}
    plain = len(set(keys.values())) == len(keys) and all(key[:1].isalpha() for key in keys.values())
    return keys if plain else {name: f"{kind}_{place}" for place, name in enumerate(names)}


def _walk(tf: Any, nodes: Sequence[Any], opset: int, values: dict[str, Value]) -> None:
    """Make every node, whose inputs lie among the values, and lay its outputs there."""
    for proto in nodes:
        inputs = [values[name] if name else None for name in proto.input]
        node = Node(tf, proto, opset, inputs, _attributes(proto))
        found: Value | list[Value] | None = folded(node)
        if found is None:
            found = OPERATORS[proto.op_type](node)
        outputs = found if isinstance(found, list) else [found]
        # Outputs that nobody asks for may be left out at the end.
        values.update(zip(proto.output, outputs, strict=False))


def _attributes(proto: Any) -> Mapping[str, Any]:
    """Give a node's attributes as numbers, lists, strings and arrays."""
    from onnx.helper import get_attribute_value  # noqa: PLC0415
    from onnx.numpy_helper import to_array  # noqa: PLC0415

    found = {}
    for attribute in proto.attribute:
        value = get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode()
        elif hasattr(value, "raw_data"):
            value = to_array(value)
        found[attribute.name] = value
    return found
