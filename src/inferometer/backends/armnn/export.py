"""Export to Arm NN: TensorFlow Lite files for one sample, in operators that its parser has."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.backends.armnn.graph import check_operators, read_graph
from inferometer.backends.litert.export import export_versions, write_tflite
from inferometer.backends.protocol import SourceModel, UnsupportedModelError

__all__ = ["export_versions", "write_for_armnn"]

_BATCH_AXIS = 0
_OPEN = -1
_SHAPES_AT = {"RESHAPE": 1, "SLICE": 2}
_ACTIVATIONS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL"}
_LACKING = {
    "Cast": "CAST",
    "Gather": "GATHER",
    "GreaterOrEqual": "GREATER_EQUAL",
    "LSTM": "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "Range": "RANGE",
    "TopK": "TOPK_V2",
    "Where": "SELECT_V2",
}
"""Operators of ONNX whose counterparts in TensorFlow Lite the parser lacks."""


def write_for_armnn(source: SourceModel, path: Path) -> None:
    """Write a .tflite file for one sample whose ports have the source's names and order.

    Raises `UnsupportedModelError` naming the operators that Arm NN's parser lacks.
    """
    _check_axes(source)
    single = {name: array[:1] for name, array in source.examples.items()}
    write_tflite(replace(source, examples=single), path)
    try:
        tools = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
        model = tools.read_model(str(path))
        for tensor in model.subgraphs[0].tensors:
            tensor.shapeSignature = None
        for operator in model.subgraphs[0].operators:
            _fix_shape(tools, model, operator)
            _pad_with_zeros(tools, model, operator)
        path.write_bytes(tools.convert_object_to_bytearray(model))
        check_operators(read_graph(path), Path(source.name))
    except BaseException:
        path.unlink()
        raise


def _check_axes(source: SourceModel) -> None:
    """Raise `UnsupportedModelError` if other axes than the batch are open."""
    opened = sorted(
        f"{axis} of {name}"
        for name, axes in source.dynamic.items()
        for number, axis in axes.items()
        if number != _BATCH_AXIS
    )
    if not opened:
        return
    onnx = importlib.import_module("onnx")
    graph = onnx.load(str(source.onnx), load_external_data=False).graph
    operators = {node.op_type for node in graph.node}
    lacking = tuple(sorted(theirs for ours, theirs in _LACKING.items() if ours in operators))
    also = f", and it lacks {', '.join(lacking)}" if lacking else ""
    raise UnsupportedModelError(
        f"{source.name} can't be expressed in Arm NN: its TensorFlow Lite parser fixes all "
        f"shapes, but the axes {', '.join(opened)} are open{also}",
        lacking,
    )


def _fix_shape(tools: Any, model: Any, operator: Any) -> None:
    """Write out the shape of a result where its constant leaves an axis open."""
    graph = model.subgraphs[0]
    place = _SHAPES_AT.get(_name(tools, model, operator))
    if place is None:
        return
    buffer = model.buffers[graph.tensors[operator.inputs[place]].buffer]
    if buffer.data is None:
        return
    shape = np.frombuffer(bytes(buffer.data), np.int32)
    if _OPEN in shape:
        fixed = np.array(graph.tensors[operator.outputs[0]].shape, np.int32)
        buffer.data = np.frombuffer(fixed.tobytes(), np.uint8)
        if hasattr(operator.builtinOptions, "newShape"):
            operator.builtinOptions.newShape = fixed


def _pad_with_zeros(tools: Any, model: Any, operator: Any) -> None:
    """Pad with zeros instead of less, before a maximum of numbers none of which is less.

    The parser lacks padding with other numbers; each window of the maximum has a number
    that isn't padding, so that the result is the same.
    """
    if _name(tools, model, operator) != "PADV2":
        return
    graph = model.subgraphs[0]
    value = np.frombuffer(bytes(model.buffers[graph.tensors[operator.inputs[2]].buffer].data), "f4")
    makers = [one for one in graph.operators if operator.inputs[0] in one.outputs]
    takers = [one for one in graph.operators if operator.outputs[0] in one.inputs]
    if (
        value[0] <= 0
        and all(_name(tools, model, one) == "MAX_POOL_2D" for one in takers)
        and all(_gives_no_less_than_zero(tools, model, one) for one in makers)
        and makers
    ):
        schema = importlib.import_module("ai_edge_litert.schema_py_generated")
        operator.opcodeIndex = _opcode(model, schema, schema.BuiltinOperator.PAD)
        operator.inputs = operator.inputs[:2]
        operator.builtinOptionsType = schema.BuiltinOptions.PadOptions
        operator.builtinOptions = schema.PadOptionsT()


def _gives_no_less_than_zero(tools: Any, model: Any, operator: Any) -> bool:
    name = _name(tools, model, operator)
    schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    activations = schema.ActivationFunctionType
    return name in ("RELU", "RELU6") or (
        name in _ACTIVATIONS
        and operator.builtinOptions.fusedActivationFunction in (activations.RELU, activations.RELU6)
    )


def _opcode(model: Any, schema: Any, number: int) -> int:
    """Give the place of a kind of operator in the model's list of them, added if need be."""
    for place, code in enumerate(model.operatorCodes):
        if code.builtinCode == number:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = number
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _name(tools: Any, model: Any, operator: Any) -> str:
    return str(tools.opcode_to_name(model, operator.opcodeIndex))
