"""Sequences of several lengths in OpenVINO: LSTM layers that stop where each sequence ends.

The CPU plugin of OpenVINO 2026.4.1 runs an LSTM layer whose shapes are open over the padding
too, whatever lengths it is given. So the layer gets one more input, which is 1 on padding and
there closes the input gate and opens the forget gate: the cell then stays as it is, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from inferometer.backends.protocol import BackendError

__all__ = ["stop_at_lengths"]

_LAYER = "LSTMSequence"
_SHUT = 1e4
"""Added to a gate's sum; its sigmoid is 0 or 1 in every float format."""

_FORWARD, _BOTH = "forward", "bidirectional"


def stop_at_lengths(graph: Any, ops: Any, path: Any) -> int:
    """Replace the LSTM layers of a graph that would run over the padding; give how many.

    ``ops`` is one of OpenVINO's operator sets. Raises `BackendError` naming the layer if one
    reads backwards from a state that the graph is given, which can't be kept over padding.
    """
    layers = [node for node in graph.get_ordered_ops() if node.get_type_name() == _LAYER]
    found = [node for node in layers if _has_open_lengths(node)]
    for node in found:
        _replace(node, ops, path)
    return len(found)


def _has_open_lengths(node: Any) -> bool:
    """Tell whether lengths are given, rather than all that of the padded sequences."""
    is_open = node.input_value(0).get_partial_shape().is_dynamic
    return is_open and _depends_on_input(node.input_value(3).get_node())


def _depends_on_input(start: Any) -> bool:
    """Tell whether what a node gives depends on more than the shapes of the graph's inputs."""
    waiting, seen = [start], set()
    while waiting:
        node = waiting.pop()
        kind = node.get_type_name()
        if kind == "Parameter":
            return True
        if kind in ("ShapeOf", "Constant") or node.get_friendly_name() in seen:
            continue
        seen.add(node.get_friendly_name())
        waiting.extend(value.get_node() for value in node.input_values())
    return False


def _replace(node: Any, ops: Any, path: Any) -> None:
    inputs, hidden, cell, lengths, weights, recurrent, biases = node.input_values()
    attributes = node.get_attributes()
    direction = str(attributes["direction"]).lower()
    if direction != _FORWARD and _depends_on_input(hidden.get_node()):
        raise BackendError(
            f"{path}: OpenVINO runs {node.get_friendly_name()} over the padding of shorter "
            "sequences; give it sequences of one length"
        )
    steps, count = _steps(ops, inputs)
    ends = ops.unsqueeze(ops.convert(lengths, "i32"), 1)
    padding = ops.convert(ops.greater_equal(steps, ends), "f32")
    made = ops.lstm_sequence(
        ops.concat([inputs, ops.unsqueeze(padding, 2)], 2),
        hidden,
        cell,
        ops.broadcast(count, ops.shape_of(lengths, "i32")),
        ops.concat([weights, ops.constant(_shutting(weights))], 2),
        recurrent,
        biases,
        int(attributes["hidden_size"]),
        direction,
    )
    last = ops.convert(ops.equal(steps, ops.subtract(ends, _whole(ops, 1))), "f32")
    outputs = ops.multiply(made.output(0), _beside(ops, ops.subtract(_float(ops, 1), padding)))
    node.output(0).replace(outputs.output(0))
    node.output(1).replace(_last_hidden(ops, made, _beside(ops, last), direction))
    node.output(2).replace(made.output(2))


def _steps(ops: Any, inputs: Any) -> tuple[Any, Any]:
    """Give the numbers of the steps, int32 [1, T], and how many there are, int32 [1]."""
    shape = ops.shape_of(inputs, "i32")
    count = ops.gather(shape, ops.constant(np.array([1], np.int32)), _whole(ops, 0))
    numbers = ops.range(_whole(ops, 0), ops.squeeze(count, [0]), _whole(ops, 1), "i32")
    return ops.unsqueeze(numbers, 0), count


def _shutting(weights: Any) -> Any:
    """Give the weights of the padding input, float32 [directions, 4 · hidden, 1].

    OpenVINO's gates are forget, input, candidate, output.
    """
    directions, rows, _ = (length.get_length() for length in weights.get_partial_shape())
    found = np.zeros((directions, rows, 1), np.float32)
    size = rows // 4
    found[:, :size] = _SHUT
    found[:, size : 2 * size] = -_SHUT
    return found


def _last_hidden(ops: Any, made: Any, last: Any, direction: str) -> Any:
    """Give the last output of each sequence: reading forwards, that at its end."""
    at_end = ops.reduce_sum(ops.multiply(made.output(0), last), ops.constant([2]), False)
    if direction == _FORWARD:
        return at_end.output(0)
    if direction != _BOTH:
        return made.output(1)
    forward = ops.split(at_end, _whole(ops, 1), 2).output(0)
    backward = ops.split(made.output(1), _whole(ops, 1), 2).output(1)
    return ops.concat([forward, backward], 1).output(0)


def _beside(ops: Any, mask: Any) -> Any:
    """Turn a mask [N, T] into one for outputs [N, directions, T, hidden]."""
    return ops.unsqueeze(mask, ops.constant([1, 3]))


def _whole(ops: Any, value: int) -> Any:
    return ops.constant(value, np.int32)


def _float(ops: Any, value: float) -> Any:
    return ops.constant(value, np.float32)
