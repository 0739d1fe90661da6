"""GNMT from ONNX: the weights of encoder and decoder as `export_onnx` wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.fitting import fit_state
from inferometer.workloads.weights.onnx_file import read_graph

__all__ = ["load_parts"]

_DIRECTIONS = ("", "_reverse")

State = dict[str, NDArray[Any]]


def load_parts(paths: tuple[Path, ...], module: torch.nn.Module) -> None:
    """Put the weights of two ONNX files, encoder first, into a `Gnmt` of the same size.

    LSTM layers and dense layers are told by their order in the graph. Raises
    `WorkloadError` if the files are of another model.
    """
    encoder, decoder = paths
    fit_state(module.get_submodule("encoder"), _encoder_state(encoder), encoder)
    fit_state(module.get_submodule("decoder"), _decoder_state(decoder), decoder)


def _encoder_state(path: Path) -> State:
    nodes, stored = read_graph(path)
    lstms, dense = _layers(path, nodes, stored, lstm_count=4, dense_count=1)
    state = {"embedding.weight": _stored(path, stored, "embedding.weight")}
    state |= _lstm_state("bidirectional", lstms[0])
    for number, lstm in enumerate(lstms[1:]):
        state |= _lstm_state(f"layers.{number}", lstm)
    return state | {"memory_layer.weight": dense[0].T}


def _decoder_state(path: Path) -> State:
    nodes, stored = read_graph(path)
    lstms, dense = _layers(path, nodes, stored, lstm_count=4, dense_count=2)
    state = {"embedding.weight": _stored(path, stored, "embedding.weight")}
    for number, lstm in enumerate(lstms):
        state |= _lstm_state(f"layers.{number}", lstm)
    direction = _operand(path, nodes, stored, "ReduceL2")
    scaled = _operand(path, nodes, stored, "Div")
    largest = int(np.abs(direction).argmax())
    return state | {
        "attention.query_layer.weight": dense[0].T,
        "attention.bias": _stored(path, stored, "attention.bias"),
        "attention.direction": direction,
        "attention.gain": np.asarray(scaled[largest] / direction[largest], np.float32),
        "output.weight": dense[1].T,
    }


def _layers(
    path: Path,
    nodes: list[Any],
    stored: Mapping[str, NDArray[Any]],
    *,
    lstm_count: int,
    dense_count: int,
) -> tuple[list[list[NDArray[Any]]], list[NDArray[Any]]]:
    """Give weights, recurrent weights and biases of the LSTMs, and the dense kernels."""
    lstms = [
        [stored[name] for name in node.input[1:4]]
        for node in nodes
        if node.op_type == "LSTM" and all(name in stored for name in node.input[1:4])
    ]
    dense = [
        stored[node.input[1]]
        for node in nodes
        if node.op_type == "MatMul" and node.input[1] in stored
    ]
    if len(lstms) != lstm_count or len(dense) != dense_count:
        raise WorkloadError(
            f"{path} has {len(lstms)} LSTM and {len(dense)} dense layers, and this part of GNMT "
            f"{lstm_count} and {dense_count}; it is another model"
        )
    return lstms, dense


def _lstm_state(layer: str, arrays: list[NDArray[Any]]) -> State:
    """Turn an LSTM's arrays, direction first, into PyTorch's parameters."""
    inputs, recurrent, biases = arrays
    state: State = {}
    for direction, suffix in zip(range(len(inputs)), _DIRECTIONS, strict=False):
        first, second = np.split(biases[direction], 2)
        state |= {
            f"{layer}.weight_ih_l0{suffix}": _gates(inputs[direction]),
            f"{layer}.weight_hh_l0{suffix}": _gates(recurrent[direction]),
            f"{layer}.bias_ih_l0{suffix}": _gates(first),
            f"{layer}.bias_hh_l0{suffix}": _gates(second),
        }
    return state


def _gates(array: NDArray[Any]) -> NDArray[Any]:
    """Put the gates from ONNX's order (i, o, f, c) into PyTorch's (i, f, c, o)."""
    given, output, forget, candidate = np.split(array, 4)
    return np.concatenate([given, forget, candidate, output])


def _stored(path: Path, stored: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in stored:
        raise WorkloadError(f"{path} has no {name!r}; it is another model")
    return stored[name]


def _operand(
    path: Path, nodes: list[Any], stored: Mapping[str, NDArray[Any]], operator: str
) -> NDArray[Any]:
    """Give the constant that the only node of a kind with one reads."""
    for node in nodes:
        if node.op_type == operator and node.input[0] in stored:
            return stored[node.input[0]]
    raise WorkloadError(f"{path} has no {operator} of a constant; it is another model")
