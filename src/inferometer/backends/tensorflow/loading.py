"""Models of TensorFlow read from disk, as one graph whose weights are constants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.backends.protocol import BackendError, ModelFile
from inferometer.backends.tensorflow.graph import INTERFACE

__all__ = ["FrozenGraph", "read_model"]

_SIGNATURE = "serving_default"
_NO_OUTPUT = ("Assert", "Const", "NoOp", "Placeholder")


@dataclass(frozen=True)
class FrozenGraph:
    """A graph without variables.

    inputs, outputs:
        Names of tensors in the graph, by the names that the model gives them, in order.
    """

    graph: Any
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def read_model(tf: Any, path: Path, model: ModelFile) -> FrozenGraph:
    """Read a SavedModel or a frozen graph.

    The inputs and outputs of a SavedModel that Inferometer wrote are in the order of its
    ONNX file, those of another in alphabetical order; ``model.member`` names the signature.
    Those of a frozen graph are its placeholders and the operators that nothing uses, in the
    graph's order. Raises `BackendError` if the file can't be read.
    """
    if model.format == "savedmodel":
        found, inputs, outputs = _saved_model(tf, path, model.member or _SIGNATURE)
    else:
        found, inputs, outputs = _frozen_file(tf, path)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(found, name="")
        # What is fed can't be fetched, and one tensor may stand for two outputs.
        ends = {
            name: tf.identity(graph.get_tensor_by_name(tensor)).name
            for name, tensor in outputs.items()
        }
    return FrozenGraph(graph, inputs, ends)


def _saved_model(tf: Any, path: Path, member: str) -> tuple[Any, dict[str, str], dict[str, str]]:
    if not (path / "saved_model.pb").is_file():
        raise BackendError(f"{path} isn't a SavedModel: it is no folder with saved_model.pb")
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:
        raise BackendError(f"{path}: TensorFlow can't load it: {error}") from error
    if member not in loaded.signatures:
        known = ", ".join(sorted(loaded.signatures)) or "none"
        raise BackendError(f"{path} has no signature {member!r}; it has {known}")
    signature = loaded.signatures[member]
    frozen = _frozen(path, signature)
    # Signatures have their inputs and outputs sorted by name.
    keys = sorted(signature.structured_input_signature[1])
    inputs = dict(zip(keys, (tensor.name for tensor in frozen.inputs), strict=True))
    ends = (tensor.name for tensor in frozen.outputs)
    outputs = dict(zip(sorted(signature.structured_outputs), ends, strict=True))
    graph = frozen.graph.as_graph_def()
    return graph, *_named(path, inputs, outputs)


def _frozen(path: Path, signature: Any) -> Any:
    """Make constants of variables, which lets TensorFlow lay out the weights once."""
    from tensorflow.python.framework import convert_to_constants  # noqa: PLC0415

    try:
        return convert_to_constants.convert_variables_to_constants_v2(signature)
    except Exception as error:
        raise BackendError(
            f"{path}: TensorFlow can't make constants of its variables: {error}"
        ) from error


def _named(
    path: Path, inputs: dict[str, str], outputs: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Put inputs and outputs under the names and into the order that the export noted."""
    notes = path / INTERFACE
    if not notes.is_file():
        return inputs, outputs
    try:
        noted = json.loads(notes.read_text("utf-8"))
        return (
            {name: inputs[key] for name, key in noted["inputs"].items()},
            {name: outputs[key] for name, key in noted["outputs"].items()},
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BackendError(
            f"{notes} doesn't name the inputs and outputs of the model beside it; export it "
            "again, or delete that file to have them in alphabetical order"
        ) from error


def _frozen_file(tf: Any, path: Path) -> tuple[Any, dict[str, str], dict[str, str]]:
    if path.name == "saved_model.pb":
        raise BackendError(f"{path} is part of a SavedModel; name its folder {path.parent}")
    found = tf.compat.v1.GraphDef()
    try:
        found.ParseFromString(path.read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(found, name="")
    except Exception as error:
        raise BackendError(f"{path}: TensorFlow can't read it as a graph: {error}") from error
    operations = graph.get_operations()
    inputs = {node.name: f"{node.name}:0" for node in operations if node.type == "Placeholder"}
    outputs = {
        tensor.name.removesuffix(":0"): tensor.name
        for node in operations
        if node.type not in _NO_OUTPUT and not any(end.consumers() for end in node.outputs)
        for tensor in node.outputs
    }
    if not inputs or not outputs:
        raise BackendError(f"{path} is a graph without inputs or outputs")
    return found, inputs, outputs
