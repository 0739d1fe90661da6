"""GNMT: the names of its published checkpoint, and where they go in our module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.weights.fitting import Reader, State, from_tensorflow, renamed
from inferometer.workloads.weights.tf_checkpoint import read_checkpoint

__all__ = ["READERS", "lstm_state"]

_MODEL = "dynamic_seq2seq"
_ENCODER = f"{_MODEL}/encoder"
_CELLS = f"{_MODEL}/decoder/multi_rnn_cell"
_ATTENTION = f"{_CELLS}/cell_0_attention/attention"
_BAHDANAU = f"{_ATTENTION}/bahdanau_attention"
_FORGET_BIAS = 1.0
_UPPER_LAYERS = 3

_LSTMS = {
    ("encoder.bidirectional", "l0"): f"{_ENCODER}/bidirectional_rnn/fw/basic_lstm_cell",
    ("encoder.bidirectional", "l0_reverse"): f"{_ENCODER}/bidirectional_rnn/bw/basic_lstm_cell",
    ("decoder.layers.0", "l0"): f"{_ATTENTION}/basic_lstm_cell",
} | {
    place: name
    for n in range(_UPPER_LAYERS)
    for place, name in (
        (
            (f"encoder.layers.{n}", "l0"),
            f"{_ENCODER}/rnn/multi_rnn_cell/cell_{n}/basic_lstm_cell",
        ),
        ((f"decoder.layers.{n + 1}", "l0"), f"{_CELLS}/cell_{n + 1}/basic_lstm_cell"),
    )
}
_AS_THEY_ARE = {
    "encoder.embedding.weight": "embeddings/encoder/embedding_encoder",
    "decoder.embedding.weight": "embeddings/decoder/embedding_decoder",
    "decoder.attention.direction": f"{_BAHDANAU}/attention_v",
    "decoder.attention.gain": f"{_BAHDANAU}/attention_g",
    "decoder.attention.bias": f"{_BAHDANAU}/attention_b",
}
_KERNELS = {
    "encoder.memory_layer.weight": f"{_MODEL}/decoder/memory_layer/kernel",
    "decoder.attention.query_layer.weight": f"{_BAHDANAU}/query_layer/kernel",
    "decoder.output.weight": f"{_MODEL}/decoder/output_projection/kernel",
}


def lstm_state(
    kernel: NDArray[Any], bias: NDArray[Any], layer: str, suffix: str
) -> dict[str, NDArray[Any]]:
    """Turn TensorFlow's LSTM cell into the state of PyTorch's.

    ``kernel`` is [inputs + hidden, 4 * hidden] with the gates input, candidate, forget,
    output; PyTorch has input, forget, candidate, output, and one matrix for the inputs and
    one for the hidden state. What the cell adds to the forget gate goes into the bias.
    """
    hidden = kernel.shape[1] // 4
    columns = np.split(kernel, 4, axis=1)
    gates = np.split(bias, 4)
    gates[2] = gates[2] + np.asarray(_FORGET_BIAS, bias.dtype)
    order = (0, 2, 1, 3)
    rows = np.concatenate([columns[gate].T for gate in order])
    return {
        f"{layer}.weight_ih_{suffix}": rows[:, :-hidden],
        f"{layer}.weight_hh_{suffix}": rows[:, -hidden:],
        f"{layer}.bias_ih_{suffix}": np.concatenate([gates[gate] for gate in order]),
        f"{layer}.bias_hh_{suffix}": np.zeros(4 * hidden, bias.dtype),
    }


def _from_checkpoint(path: Path, module: torch.nn.Module) -> State:  # noqa: ARG001
    """Read the published checkpoint; what training kept beside the weights is left out."""
    tensors = read_checkpoint(path)
    state = renamed(tensors, _AS_THEY_ARE, path)
    for own, kernel in renamed(tensors, _KERNELS, path).items():
        state[own] = from_tensorflow(kernel)
    for (layer, suffix), cell in _LSTMS.items():
        names = {"kernel": f"{cell}/kernel", "bias": f"{cell}/bias"}
        state |= lstm_state(**renamed(tensors, names, path), layer=layer, suffix=suffix)
    return state


READERS: Mapping[str, Reader] = {"tf_checkpoint": _from_checkpoint}
"""How a file of each kind becomes the state of a `Gnmt`."""
