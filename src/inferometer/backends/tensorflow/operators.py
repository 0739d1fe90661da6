"""Operators of ONNX in TensorFlow: arithmetic, reductions, products and choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from inferometer.backends.tensorflow.convolutions import CONVOLUTIONS
from inferometer.backends.tensorflow.lstm import lstm
from inferometer.backends.tensorflow.shapes import SHAPES, element_type
from inferometer.backends.tensorflow.values import Node, Value, aligned

__all__ = ["OPERATORS"]

_UNARY = {
    "Abs": "abs",
    "Ceil": "math.ceil",
    "Elu": "nn.elu",
    "Erf": "math.erf",
    "Exp": "exp",
    "Floor": "math.floor",
    "Log": "math.log",
    "Neg": "negative",
    "Not": "logical_not",
    "Relu": "nn.relu",
    "Round": "round",
    "Sigmoid": "sigmoid",
    "Softplus": "nn.softplus",
    "Sqrt": "sqrt",
    "Tanh": "tanh",
}
_NONNEGATIVE = ("Abs", "Exp", "Relu", "Sigmoid", "Softplus", "Sqrt")

_BINARY = {
    "Add": "add",
    "And": "logical_and",
    "Equal": "equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "Less": "less",
    "LessOrEqual": "less_equal",
    "Max": "maximum",
    "Min": "minimum",
    "Mul": "multiply",
    "Or": "logical_or",
    "Sub": "subtract",
    "Sum": "add",
}
_REDUCTIONS = {
    "ReduceMax": "reduce_max",
    "ReduceMean": "reduce_mean",
    "ReduceMin": "reduce_min",
    "ReduceProd": "reduce_prod",
    "ReduceSum": "reduce_sum",
}
_SIX = 6.0


def _unary(node: Node) -> Value:
    value = node.value()
    if node.operator == "Elu" and node.attributes.get("alpha", 1.0) != 1.0:
        raise node.unsupported("its alpha isn't 1")
    found = attrgetter(_UNARY[node.operator])(node.tf)(_stored(value))
    return value.like(found, nonnegative=node.operator in _NONNEGATIVE)


def _stored(value: Value) -> Any:
    """Give what is stored, as a tensor or array, in whichever order."""
    return value.stored if value.channels_last else value.plain


def _binary(node: Node) -> Value:
    """Combine two values, or any number of them one after the other."""
    function = attrgetter(_BINARY[node.operator])(node.tf)
    (found, *others), last = aligned([node.value(n) for n in range(len(node.inputs))])
    for other in others:
        found = function(found, other)
    return Value(node.tf, found, channels_last=last)


def _quotient(node: Node) -> Value:
    """Divide; integers are cut towards zero."""
    (above, below), last = aligned([node.value(0), node.value(1)])
    above = node.tf.convert_to_tensor(above)
    divide = node.tf.truncatediv if above.dtype.is_integer else node.tf.divide
    return Value(node.tf, divide(above, below), channels_last=last)


def _mod(node: Node) -> Value:
    """Give what a division leaves, with the sign of the divisor, or of the dividend by fmod."""
    (above, below), last = aligned([node.value(0), node.value(1)])
    rest = node.tf.truncatemod if node.attributes.get("fmod", 0) else node.tf.math.floormod
    return Value(node.tf, rest(above, below), channels_last=last)


def _pow(node: Node) -> Value:
    (base, exponent), last = aligned([node.value(0), node.value(1)])
    base = node.tf.convert_to_tensor(base)
    found = node.tf.pow(base, node.tf.cast(exponent, base.dtype))
    return Value(node.tf, found, channels_last=last)


def _where(node: Node) -> Value:
    (mask, one, other), last = aligned([node.value(n) for n in range(3)])
    return Value(node.tf, node.tf.where(mask, one, other), channels_last=last)


def _clip(node: Node) -> Value:
    """Keep a value within bounds, by the function that convolutions are fused with if it serves."""
    value = node.value()
    lowest, highest = (_bound(node, name, n) for n, name in enumerate(("min", "max"), start=1))
    tf, tensor = node.tf, _stored(value)
    if lowest == 0 and highest == _SIX:
        found = tf.nn.relu6(tensor)
    elif lowest == 0 and highest is None:
        found = tf.nn.relu(tensor)
    else:
        found = tensor if lowest is None else tf.maximum(tensor, tf.cast(lowest, tensor.dtype))
        found = found if highest is None else tf.minimum(found, tf.cast(highest, tensor.dtype))
    return value.like(found, nonnegative=lowest is not None and lowest >= 0)


def _bound(node: Node, name: str, position: int) -> float | None:
    if name in node.attributes:
        return float(node.attributes[name])
    found = node.constant(position)
    return None if found is None else float(found)


def _leaky_relu(node: Node) -> Value:
    value = node.value()
    return value.like(node.tf.nn.leaky_relu(_stored(value), node.attributes.get("alpha", 0.01)))


def _hard_sigmoid(node: Node) -> Value:
    """Clip a line to 0 … 1; HardSwish multiplies the value with that of slope 1/6."""
    value, swish = node.value(), node.operator == "HardSwish"
    slope = 1 / _SIX if swish else float(node.attributes.get("alpha", 0.2))
    middle = 0.5 if swish else float(node.attributes.get("beta", 0.5))
    tensor = _stored(value)
    line = node.tf.clip_by_value(tensor * slope + middle, 0.0, 1.0)
    return value.like(tensor * line if swish else line)


def _softmax(node: Node) -> Value:
    """Normalise along an axis; before opset 13, along all axes from there on."""
    value, tf = node.value(), node.tf
    function = tf.nn.log_softmax if node.operator == "LogSoftmax" else tf.nn.softmax
    axis = node.axis(-1 if node.opset >= 13 else 1, value.rank)
    if node.opset < 13 and axis != value.rank - 1:
        shape = tf.shape(value.plain)
        flat = tf.reshape(value.plain, tf.stack([tf.reduce_prod(shape[:axis]), -1]))
        return node.result(tf.reshape(function(flat, -1), shape))
    return value.like(function(_stored(value), value.axes.index(axis)))


def _reduce(node: Node) -> Value:
    """Reduce over axes; photos stay as they are stored where that gives the same order."""
    value, tf = node.value(), node.tf
    axes = node.integers("axes", 1)
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            return value
        axes = list(range(value.rank))
    axes = [axis % value.rank for axis in axes]
    keep = bool(node.attributes.get("keepdims", 1))
    left = [axis for axis in value.axes if axis not in axes]
    moved = value.channels_last and not keep and left != sorted(left)
    tensor = value.plain if moved else _stored(value)
    places = axes if moved else sorted(value.axes.index(axis) for axis in axes)
    if node.operator == "ReduceL2":
        found = tf.sqrt(tf.reduce_sum(tf.square(tensor), places, keepdims=keep))
    else:
        found = getattr(tf, _REDUCTIONS[node.operator])(tensor, places, keepdims=keep)
    return Value(tf, found, channels_last=value.channels_last and keep)


def _gemm(node: Node) -> Value:
    """Multiply two matrices, and add a third value."""
    tf, alpha = node.tf, float(node.attributes.get("alpha", 1.0))
    turned = [bool(node.attributes.get(name, 0)) for name in ("transA", "transB")]
    first, second = node.value(0).plain, node.value(1).plain
    if isinstance(second, np.ndarray) and turned[1]:
        second, turned[1] = np.ascontiguousarray(second.T), False
    found = tf.matmul(first, second, transpose_a=turned[0], transpose_b=turned[1])
    found = found if alpha == 1 else found * alpha
    bias, beta = node.input(2), float(node.attributes.get("beta", 1.0))
    if bias is None:
        return node.result(found)
    if bias.rank == 1 and beta == 1 and bias.shape == [found.shape[1]]:
        return node.result(tf.nn.bias_add(found, bias.plain))
    return node.result(found + bias.plain * np.float32(beta))


def _matmul(node: Node) -> Value:
    """Multiply matrices, or stacks of them; a vector on either side counts as NumPy has it."""
    tf, (first, second) = node.tf, (node.value(0), node.value(1))
    one, other = first.plain, second.plain
    if first.rank == 1:
        one = tf.expand_dims(one, 0)
    if second.rank == 1:
        other = tf.expand_dims(other, 1)
    found = tf.matmul(one, other)
    if second.rank == 1:
        found = tf.squeeze(found, -1)
    return node.result(tf.squeeze(found, -1 - (second.rank > 1)) if first.rank == 1 else found)


def _top_k(node: Node) -> list[Value]:
    """Give the largest or smallest along an axis, in order, and their places."""
    tf, value, count = node.tf, node.value(), node.input(1)
    count_now = node.attributes["k"] if count is None else count.scalars()[0]
    axis, smallest = node.axis(-1, value.rank), not node.attributes.get("largest", 1)
    order = [*(n for n in range(value.rank) if n != axis), axis]
    tensor = tf.transpose(value.plain, order) if axis != value.rank - 1 else value.plain
    # Of equals, both frameworks take the one in front, and so does the negated order.
    found, places = tf.math.top_k(-tensor if smallest else tensor, tf.cast(count_now, tf.int32))
    results = [-found if smallest else found, tf.cast(places, tf.int64)]
    if axis != value.rank - 1:
        back = [order.index(n) for n in range(value.rank)]
        results = [tf.transpose(result, back) for result in results]
    return [node.result(result) for result in results]


def _arg_max(node: Node) -> Value:
    tf, value = node.tf, node.value()
    if node.attributes.get("select_last_index", 0):
        raise node.unsupported("of equals it takes the last")
    axis = node.axis(0, value.rank)
    function = tf.argmin if node.operator == "ArgMin" else tf.argmax
    found = function(value.plain, axis, output_type=tf.int64)
    return node.result(tf.expand_dims(found, axis) if node.attributes.get("keepdims", 1) else found)


def _cast(node: Node) -> Value:
    value = node.value()
    found = node.tf.cast(_stored(value), element_type(node, int(node.attributes["to"])))
    return value.like(found, nonnegative=value.nonnegative)


def _identity(node: Node) -> Value:
    if len(node.proto.output) > 1:
        raise node.unsupported("it gives more than its input")
    return node.value()


OPERATORS: Mapping[str, Callable[[Node], Value | list[Value]]] = {
    **CONVOLUTIONS,
    **SHAPES,
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys((*_REDUCTIONS, "ReduceL2"), _reduce),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg_max),
    **dict.fromkeys(("Dropout", "Identity"), _identity),
    **dict.fromkeys(("HardSigmoid", "HardSwish"), _hard_sigmoid),
    **dict.fromkeys(("LogSoftmax", "Softmax"), _softmax),
    "Cast": _cast,
    "Clip": _clip,
    "Div": _quotient,
    "Gemm": _gemm,
    "LSTM": lstm,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Mod": _mod,
    "Pow": _pow,
    "TopK": _top_k,
    "Where": _where,
}
"""What makes each operator."""
