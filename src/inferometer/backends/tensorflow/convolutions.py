"""Convolutions and pools of ONNX in TensorFlow, on tensors stored N H W C."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.tensorflow.values import Node, Value

__all__ = ["CONVOLUTIONS"]

_NO_PADS = (0, 0, 0, 0)


def _conv(node: Node) -> Value:
    """Convolve; padding that came before as zeros of its own is taken in."""
    weights = node.constant(1)
    value, strides, dilations = node.value(), _pair(node, "strides"), _pair(node, "dilations")
    if weights is None or value.rank != 4 or weights.ndim != 4:
        raise node.unsupported("it isn't two-dimensional")
    kernel = (int(weights.shape[2]), int(weights.shape[3]))
    pads = _pads(node, value, kernel, strides, dilations)
    if value.unpadded is not None:
        value, before = value.unpadded
        pads = tuple(a + b for a, b in zip(before, pads, strict=True))
    tensor, padding = _padded(value, pads, kernel, strides, dilations)
    found = _convolved(node, tensor, weights, strides, padding, dilations)
    bias = node.input(2)
    if bias is not None:
        found = node.tf.nn.bias_add(found, bias.plain)
    return Value(node.tf, found, channels_last=True)


def _convolved(
    node: Node,
    tensor: Any,
    weights: NDArray[Any],
    strides: tuple[int, int],
    padding: str,
    dilations: tuple[int, int],
) -> Any:
    """Convolve in as many groups as the node has."""
    tf, groups, channels = node.tf, int(node.attributes.get("group", 1)), tensor.shape[3]
    if groups == channels and weights.shape[1] == 1 and groups > 1:
        many = weights.shape[0] // groups
        # ONNX counts output channels group by group, as TensorFlow's multiplier does.
        filters = weights.reshape(groups, many, *weights.shape[2:]).transpose(2, 3, 0, 1)
        # TensorFlow's depthwise kernel takes only equal strides.
        if strides[0] == strides[1]:
            return tf.nn.depthwise_conv2d(
                tensor, filters, (1, *strides, 1), padding, dilations=dilations
            )
    filters = np.ascontiguousarray(weights.transpose(2, 3, 1, 0))
    if groups == 1:
        return tf.nn.conv2d(tensor, filters, strides, padding, dilations=dilations)
    parts = zip(tf.split(tensor, groups, 3), np.split(filters, groups, 3), strict=True)
    found = [tf.nn.conv2d(part, own, strides, padding, dilations=dilations) for part, own in parts]
    return tf.concat(found, 3)


def _max_pool(node: Node) -> Value:
    """Take the largest of each window."""
    value, kernel, strides, pads = _window(node)
    tensor, padding = _padded(value, pads, kernel, strides, (1, 1), node.tf.float32.min)
    found = node.tf.nn.max_pool2d(tensor, kernel, strides, padding)
    return Value(node.tf, found, channels_last=True, nonnegative=value.nonnegative)


def _average_pool(node: Node) -> Value:
    """Take the mean of each window, of what isn't padding unless the node counts that too."""
    value, kernel, strides, pads = _window(node)
    tf = node.tf
    if pads == _NO_PADS:
        found = tf.nn.avg_pool2d(value.last, kernel, strides, "VALID")
        return Value(tf, found, channels_last=True, nonnegative=value.nonnegative)
    top, left, bottom, right = pads
    widths = [[0, 0], [top, bottom], [left, right], [0, 0]]
    found = tf.nn.avg_pool2d(tf.pad(value.last, widths), kernel, strides, "VALID")
    if not node.attributes.get("count_include_pad", 0):
        height, width = _extent(node, value)
        rows = _covered(height, kernel[0], strides[0], top, bottom)
        columns = _covered(width, kernel[1], strides[1], left, right)
        counts = np.outer(rows, columns)[None, :, :, None]
        found = found * (kernel[0] * kernel[1] / counts).astype(np.float32)
    return Value(tf, found, channels_last=True, nonnegative=value.nonnegative)


def _covered(size: int, kernel: int, stride: int, before: int, after: int) -> NDArray[Any]:
    """Count the true places of each window along one axis."""
    inside = np.pad(np.ones(size), (before, after))
    windows: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(inside, kernel)
    counts: NDArray[Any] = windows[::stride].sum(axis=1)
    return counts


def _global_average_pool(node: Node) -> Value:
    value = node.value()
    found = node.tf.reduce_mean(value.last, [1, 2], keepdims=True)
    return Value(node.tf, found, channels_last=True, nonnegative=value.nonnegative)


def _global_max_pool(node: Node) -> Value:
    value = node.value()
    found = node.tf.reduce_max(value.last, [1, 2], keepdims=True)
    return Value(node.tf, found, channels_last=True, nonnegative=value.nonnegative)


def _batch_normalization(node: Node) -> Value:
    """Scale and shift each channel by what was learned."""
    scale, shift, mean, variance = (node.constant(position) for position in range(1, 5))
    if scale is None or shift is None or mean is None or variance is None:
        raise node.unsupported("an input is missing")
    if node.attributes.get("training_mode", 0):
        raise node.unsupported("it is in training mode")
    factor = scale / np.sqrt(variance + np.float32(node.attributes.get("epsilon", 1e-5)))
    offset = shift - mean * factor
    value = node.value()
    if value.rank == 4:
        return Value(node.tf, value.last * factor + offset, channels_last=True)
    shape = (-1,) + (1,) * (value.rank - 2)
    return node.result(value.plain * factor.reshape(shape) + offset.reshape(shape))


def _pad(node: Node) -> Value:
    """Put a value around a tensor; zeros around photos can become part of a convolution."""
    modes = {"constant": "CONSTANT", "reflect": "REFLECT"}
    mode = modes.get(str(node.attributes.get("mode", "constant")))
    widths, value = node.integers("pads", 1), node.value()
    if mode is None or widths is None or min(widths) < 0 or node.input(3) is not None:
        raise node.unsupported("it takes widths from 0 up for all axes, as constant or reflect")
    fill = node.attributes.get("value", 0) if node.opset < 11 else node.constant(2)
    number = 0 if fill is None else np.asarray(fill).item()
    pairs = list(zip(widths[: value.rank], widths[value.rank :], strict=True))
    padded = node.tf.pad(
        value.stored, [pairs[axis] for axis in value.axes], mode, constant_values=number
    )
    found = value.like(padded, nonnegative=value.nonnegative and number >= 0)
    if value.rank == 4 and mode == "CONSTANT" and number == 0 and pairs[:2] == [(0, 0), (0, 0)]:
        (top, bottom), (left, right) = pairs[2:]
        found.unpadded = (value, (top, left, bottom, right))
    return found


def _pair(node: Node, name: str) -> tuple[int, int]:
    found = node.attributes.get(name, (1, 1))
    if len(found) != 2:
        raise node.unsupported("it isn't two-dimensional")
    return int(found[0]), int(found[1])


def _window(node: Node) -> tuple[Value, tuple[int, int], tuple[int, int], tuple[int, ...]]:
    """Give a pool's input, its window, strides and padding."""
    value, kernel, strides = node.value(), _pair(node, "kernel_shape"), _pair(node, "strides")
    if value.rank != 4 or _pair(node, "dilations") != (1, 1) or len(node.proto.output) > 1:
        raise node.unsupported("it is dilated, gives places, or isn't two-dimensional")
    pads = _pads(node, value, kernel, strides, (1, 1))
    if node.attributes.get("ceil_mode", 0):
        if node.operator == "AveragePool" and node.attributes.get("count_include_pad", 0):
            raise node.unsupported("it has ceil_mode and count_include_pad")
        pads = _ceiled(pads, _extent(node, value), kernel, strides)
    return value, kernel, strides, pads


def _ceiled(
    pads: tuple[int, ...],
    extent: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
) -> tuple[int, ...]:
    """Widen the padding behind, so that windows begin as long as they begin on the photo."""
    found = list(pads)
    for axis in range(2):
        before, after = pads[axis], pads[axis + 2]
        room = extent[axis] + before + after - kernel[axis]
        last = -(-room // strides[axis])
        if last * strides[axis] >= extent[axis] + before:
            last -= 1
        found[axis + 2] = max(after, last * strides[axis] + kernel[axis] - extent[axis] - before)
    return tuple(found)


def _extent(node: Node, value: Value) -> tuple[int, int]:
    """Give the height and width, which have to be known."""
    height, width = value.shape[2:]
    if height is None or width is None:
        raise node.unsupported("the height and width of its input are open")
    return height, width


def _pads(
    node: Node,
    value: Value,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> tuple[int, ...]:
    """Give the padding on top, left, bottom and right."""
    rule = str(node.attributes.get("auto_pad", "NOTSET"))
    if rule == "NOTSET":
        return tuple(int(width) for width in node.attributes.get("pads", _NO_PADS))
    if rule == "VALID":
        return _NO_PADS
    same = _same_pads(_extent(node, value), kernel, strides, dilations)
    # SAME_LOWER puts the odd place in front, where SAME_UPPER puts it behind.
    return same if rule == "SAME_UPPER" else (*same[2:], *same[:2])


def _same_pads(
    extent: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> tuple[int, ...]:
    """Compute what TensorFlow pads by ``SAME``."""
    totals = []
    for size, window, stride, dilation in zip(extent, kernel, strides, dilations, strict=True):
        places = -(-size // stride)
        reach = dilation * (window - 1) + 1
        totals.append(max((places - 1) * stride + reach - size, 0))
    return (*(total // 2 for total in totals), *(total - total // 2 for total in totals))


def _padded(
    value: Value,
    pads: tuple[int, ...],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    fill: float = 0,
) -> tuple[Any, str]:
    """Give a tensor and the rule of padding that says the same as the widths."""
    if pads == _NO_PADS:
        return value.last, "VALID"
    height, width = value.shape[2:]
    known = None if height is None or width is None else (height, width)
    if known is not None and pads == _same_pads(known, kernel, strides, dilations):
        return value.last, "SAME"
    top, left, bottom, right = pads
    widths = [[0, 0], [top, bottom], [left, right], [0, 0]]
    # Zeros lose against every value that isn't negative, and all runtimes can pad with them.
    number = 0 if value.nonnegative else fill
    return value.tf.pad(value.last, widths, constant_values=number), "VALID"


CONVOLUTIONS: Mapping[str, Callable[[Node], Value]] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Conv": _conv,
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "MaxPool": _max_pool,
    "Pad": _pad,
}
"""What makes each operator."""
