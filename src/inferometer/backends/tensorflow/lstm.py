"""The LSTM layer of ONNX in TensorFlow: one product for all inputs, then a loop over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.tensorflow.values import Node, Value

__all__ = ["lstm"]

_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
_PLAIN = ("activations", "activation_alpha", "activation_beta", "clip")


def lstm(node: Node) -> list[Value]:
    """Run one or two directions over [T, N, I] with gates in ONNX's order: i, o, f, c.

    Gives the outputs [T, D, N, H], and the last output and cell [D, N, H]. With lengths, a
    sentence's outputs after its end are 0, and its last output is that at its end.
    """
    given = [name for name in _PLAIN if name in node.attributes]
    given += [name for name in ("input_forget", "layout") if node.attributes.get(name, 0)]
    if given or node.input(7) is not None:
        raise node.unsupported(f"it has {', '.join(given) or 'peepholes'}")
    weights, recurrent, bias = node.constant(1), node.constant(2), node.constant(3)
    if weights is None or recurrent is None:
        raise node.unsupported("its weights are missing")
    tf, inputs = node.tf, node.value().plain
    lengths = node.input(4)
    ends = None if lengths is None else tf.cast(lengths.plain, tf.int32)
    outputs, hiddens, cells = [], [], []
    for number, backward in enumerate(_DIRECTIONS[node.attributes.get("direction", "forward")]):
        own = None if bias is None else bias[number]
        start = _start(node, 5, number, inputs), _start(node, 6, number, inputs)
        turned = _reversed(tf, inputs, ends) if backward else inputs
        gates = _input_gates(tf, turned, weights[number], own)
        output, hidden, cell = _run(tf, gates, recurrent[number], start, ends)
        outputs.append(_reversed(tf, output, ends) if backward else output)
        hiddens.append(hidden)
        cells.append(cell)
    return [node.result(_stacked(tf, outputs, 1)), *map(node.result, _both(tf, hiddens, cells))]


def _both(tf: Any, hiddens: list[Any], cells: list[Any]) -> tuple[Any, Any]:
    return _stacked(tf, hiddens, 0), _stacked(tf, cells, 0)


def _stacked(tf: Any, parts: list[Any], axis: int) -> Any:
    return tf.expand_dims(parts[0], axis) if len(parts) == 1 else tf.stack(parts, axis)


def _start(node: Node, position: int, direction: int, inputs: Any) -> Any:
    """Give the first output or cell of a direction, [N, H]."""
    given, tf = node.input(position), node.tf
    if given is not None:
        return given.plain[direction]
    return tf.zeros([tf.shape(inputs)[1], int(node.attributes["hidden_size"])], inputs.dtype)


def _reversed(tf: Any, tensor: Any, ends: Any) -> Any:
    """Turn [T, N, …] around in time, each sentence within its length."""
    if ends is None:
        return tf.reverse(tensor, [0])
    return tf.reverse_sequence(tensor, ends, seq_axis=0, batch_axis=1)


def _input_gates(tf: Any, inputs: Any, weights: NDArray[Any], bias: NDArray[Any] | None) -> Any:
    """Compute what the inputs add to the gates, for all times in one product: [T, N, 4 H]."""
    times, features = inputs.shape[0], weights.shape[1]
    flat = tf.matmul(tf.reshape(inputs, [-1, features]), np.ascontiguousarray(weights.T))
    if bias is not None:
        flat = tf.nn.bias_add(flat, bias[: len(bias) // 2] + bias[len(bias) // 2 :])
    if times == 1:
        return tf.reshape(flat, [1, -1, len(weights)])
    counts = tf.shape(inputs)
    return tf.reshape(flat, tf.stack([counts[0], counts[1], len(weights)]))


def _step(tf: Any, gates: Any, recurrent: NDArray[Any], hidden: Any, cell: Any) -> tuple[Any, Any]:
    """Give output and cell after one more input; ``recurrent`` is [H, 4 H]."""
    size = len(recurrent)
    gates = gates + tf.matmul(hidden, recurrent)
    opening = tf.sigmoid(gates[:, : 3 * size])
    into, out, keep = tf.split(opening, 3, axis=1)
    cell = keep * cell + into * tf.tanh(gates[:, 3 * size :])
    return out * tf.tanh(cell), cell


def _run(
    tf: Any, gates: Any, recurrent: NDArray[Any], start: tuple[Any, Any], ends: Any
) -> tuple[Any, Any, Any]:
    """Go through time; give all outputs [T, N, H], the last one, and the last cell."""
    turned = np.ascontiguousarray(recurrent.T)
    if gates.shape[0] == 1 and ends is None:
        hidden, cell = _step(tf, gates[0], turned, *start)
        return tf.expand_dims(hidden, 0), hidden, cell
    times = tf.shape(gates)[0]
    size = len(turned)
    # TensorFlow Lite has no lists of tensors whose batch is open, and this is as fast.
    collected = tf.zeros(tf.stack([0, tf.shape(gates)[1], size]), gates.dtype)

    def body(time: Any, hidden: Any, cell: Any, collected: Any) -> tuple[Any, Any, Any, Any]:
        new_hidden, new_cell = _step(tf, gates[time], turned, hidden, cell)
        output = new_hidden
        if ends is not None:
            within = tf.expand_dims(time < ends, 1)
            output = tf.where(within, new_hidden, tf.zeros_like(new_hidden))
            new_hidden = tf.where(within, new_hidden, hidden)
            new_cell = tf.where(within, new_cell, cell)
        collected = tf.concat([collected, tf.expand_dims(output, 0)], 0)
        return time + 1, new_hidden, new_cell, collected

    row, rows = tf.TensorShape([None, size]), tf.TensorShape([None, None, size])
    _, hidden, cell, collected = tf.while_loop(
        lambda time, *_: time < times, body, (tf.constant(0), *start, collected),
        shape_invariants=(tf.TensorShape([]), row, row, rows),
        parallel_iterations=1, maximum_iterations=times,
    )  # fmt: skip
    return collected, hidden, cell
