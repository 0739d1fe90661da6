"""Operators of ONNX in TensorFlow that move numbers about: shapes, slices, and what picks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from inferometer.backends.tensorflow.values import CHANNELS_LAST, Node, Size, Value

__all__ = ["SHAPES", "element_type"]

_FAR = 2**31 - 1
_TO_CHANNELS_FIRST = [0, 3, 1, 2]


def element_type(node: Node, code: int) -> Any:
    """Give TensorFlow's name of an ONNX element type."""
    from onnx.helper import tensor_dtype_to_np_dtype  # noqa: PLC0415

    try:
        return node.tf.as_dtype(tensor_dtype_to_np_dtype(code))
    except (KeyError, TypeError) as error:
        raise node.unsupported(f"the element type {code} isn't known") from error


def _reshape(node: Node) -> Value:
    """Reshape; a shape of which one size stays open is written with -1 in its place."""
    value, shape = node.value(), node.value(1)
    target = shape.entries()
    if target is None:
        return node.result(node.tf.reshape(value.plain, shape.plain))
    sizes = value.sizes()
    if not node.attributes.get("allowzero", 0):
        target = [sizes[place] if size == 0 else size for place, size in enumerate(target)]
    return node.result(node.tf.reshape(value.plain, _written(node, _completed(sizes, target))))


def _completed(sizes: list[int | Size], target: list[int | Size]) -> list[int | Size]:
    """Put a number for -1 where the one open size of the input is also one of the target."""
    open_before = [size for size in sizes if isinstance(size, Size)]
    open_after = [size for size in target if isinstance(size, Size)]
    if -1 not in target or len(open_before) != 1 or len(open_after) != 1:
        return target
    (one,), (other,) = open_before, open_after
    if one.source is not other.source or one.axis != other.axis:
        return target
    known = prod(size for size in target if isinstance(size, int) and size != -1)
    rest = prod(size for size in sizes if isinstance(size, int)) // max(known, 1)
    return [rest if size == -1 else size for size in target]


def _written(node: Node, target: list[int | Size]) -> Any:
    """Write a shape for TensorFlow: as integers if it can be, else as a tensor."""
    opens = [size for size in target if isinstance(size, Size)]
    if len(opens) == 1 and -1 not in target:
        return [-1 if isinstance(size, Size) else size for size in target]
    if not opens:
        return target
    return node.tf.stack([size.tensor if isinstance(size, Size) else size for size in target])


def _flatten(node: Node) -> Value:
    value = node.value()
    axis = node.axis(1, value.rank)
    before, after = value.shape[:axis], value.shape[axis:]
    rows = prod(size for size in before if size is not None) if None not in before else -1
    columns = prod(size for size in after if size is not None) if None not in after else -1
    if rows == columns == -1:
        rows = node.tf.reduce_prod(node.tf.shape(value.plain)[:axis])
    return node.result(node.tf.reshape(value.plain, [rows, columns]))


def _transpose(node: Node) -> Value:
    """Transpose; from N H W C to N C H W and back is only another way to see the same."""
    value, tf = node.value(), node.tf
    order = list(node.attributes.get("perm", range(value.rank)[::-1]))
    wanted = [value.axes.index(axis) for axis in order]
    if wanted == list(range(value.rank)):
        return Value(tf, value.stored, nonnegative=value.nonnegative)
    if wanted == _TO_CHANNELS_FIRST:
        return Value(tf, value.stored, channels_last=True, nonnegative=value.nonnegative)
    return node.result(tf.transpose(value.stored, wanted), nonnegative=value.nonnegative)


def _squeeze(node: Node) -> Value:
    value = node.value()
    return node.result(node.tf.squeeze(value.plain, node.integers("axes", 1)))


def _unsqueeze(node: Node) -> Value:
    value, axes = node.value(), node.integers("axes", 1) or []
    rank, found = value.rank + len(axes), value.plain
    for axis in sorted(axis % rank for axis in axes):
        found = node.tf.expand_dims(found, axis)
    return node.result(found)


def _concat(node: Node) -> Value:
    values = [node.value(position) for position in range(len(node.inputs))]
    axis = node.axis(0, values[0].rank)
    if any(value.channels_last for value in values):
        place = CHANNELS_LAST.index(axis)
        found = node.tf.concat([value.last for value in values], place)
        return Value(node.tf, found, True, all(value.nonnegative for value in values))
    return node.result(node.tf.concat([value.plain for value in values], axis))


def _slice(node: Node) -> Value:
    value = node.value()
    if node.opset < 10:
        starts, ends = (list(node.attributes[name]) for name in ("starts", "ends"))
    else:
        starts, ends = node.value(1).scalars(), node.value(2).scalars()
    axes = node.integers("axes", 3) or list(range(len(starts)))
    steps = node.integers("steps", 4) or [1] * len(starts)
    cut = [slice(None)] * value.rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cut[axis % value.rank] = slice(_near(start), _near(end), step)
    return value.like(value.stored[tuple(cut[axis] for axis in value.axes)])


def _near(bound: Any) -> Any:
    """Leave away a bound that stands for the end of the axis."""
    return None if isinstance(bound, int) and abs(bound) >= _FAR else bound


def _split(node: Node) -> list[Value]:
    value, tf, parts = node.value(), node.tf, len(node.proto.output)
    axis = node.axis(0, value.rank)
    sizes = node.integers("split", 1)
    if sizes is None:
        whole = value.shape[axis]
        if whole is None:
            raise node.unsupported("the axis that it splits is open")
        each = -(-whole // parts)
        sizes = [min(each, whole - each * number) for number in range(parts)]
    return [value.like(part) for part in tf.split(value.stored, sizes, value.axes.index(axis))]


def _gather(node: Node) -> Value:
    """Pick along an axis; places that are counted from the end have to be known."""
    value, places = node.value(), node.value(1)
    axis, found = node.axis(0, value.rank), places.plain
    if places.known and found.size and found.min() < 0:
        (size,) = [value.sizes()[axis]]
        found = np.where(found < 0, 0, found) if isinstance(size, Size) else found % size
        if isinstance(size, Size):
            beyond = node.tf.cast(size.tensor, node.tf.int64)
            found = node.tf.where(places.plain < 0, places.plain + beyond, found)
    return node.result(node.tf.gather(value.plain, found, axis=axis))


def _expand(node: Node) -> Value:
    tf, value = node.tf, node.value().plain
    shape = tf.cast(tf.stack(node.value(1).scalars()), tf.int32)
    return node.result(tf.broadcast_to(value, tf.broadcast_dynamic_shape(tf.shape(value), shape)))


def _tile(node: Node) -> Value:
    counts = node.tf.stack(node.value(1).scalars())
    return node.result(node.tf.tile(node.value().plain, counts))


def _constant_of_shape(node: Node) -> Value:
    fill = node.attributes.get("value")
    number = np.float32(0) if fill is None else np.asarray(fill).reshape(-1)[0]
    return node.result(node.tf.fill(node.tf.stack(node.value().scalars()), number))


def _range(node: Node) -> Value:
    """Count from a start to a limit, in the type of the known start if it has one."""
    parts = [node.value(position) for position in range(3)]
    scalars = [part.plain if part.known else part.scalars()[0] for part in parts]
    kinds = [part.stored.dtype for part in parts if not part.partly_known]
    dtype = node.tf.as_dtype(kinds[0]) if kinds else node.tf.int64
    scalars = [node.tf.reshape(node.tf.cast(scalar, dtype), []) for scalar in scalars]
    return node.result(node.tf.range(*scalars))


SHAPES: Mapping[str, Callable[[Node], Value | list[Value]]] = {
    "Concat": _concat,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Range": _range,
    "Reshape": _reshape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""What makes each operator."""
