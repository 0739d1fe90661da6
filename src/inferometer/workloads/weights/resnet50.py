"""ResNet-50 v1.5: its published names, and where they go in our module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.fitting import (
    NORM_NAMES,
    Reader,
    Slot,
    State,
    from_tensorflow,
    renamed,
    slots_of,
    state_of_layers,
)
from inferometer.workloads.weights.onnx_file import OnnxLayer, read_layers
from inferometer.workloads.weights.tf_graph import read_graph_tensors
from inferometer.workloads.weights.torch_file import read_state_dict

__all__ = ["READERS"]

_DENSE = "dense/kernel"
_SHORTCUT = ".downsample.0"
_BLOCK_CONVOLUTIONS = 3


def _from_torch(path: Path, module: torch.nn.Module) -> State:  # noqa: ARG001
    """Read a TorchVision state dict, whose names are ours."""
    return read_state_dict(path)


def _from_tf_graph(path: Path, module: torch.nn.Module) -> State:
    """Read the frozen graph, which numbers its layers ``conv2d``, ``conv2d_1`` and so on."""
    tensors = read_graph_tensors(path)
    prefix = next((name[: -len(_DENSE)] for name in tensors if name.endswith(_DENSE)), "")
    *convolutions, dense = _shortcuts_first(slots_of(module))
    names = {
        f"{dense.layer}.weight": f"{prefix}{_DENSE}",
        f"{dense.layer}.bias": f"{prefix}dense/bias",
    }
    for number, slot in enumerate(convolutions):
        suffix = f"_{number}" if number else ""
        names[f"{slot.layer}.weight"] = f"{prefix}conv2d{suffix}/kernel"
        for own, published in NORM_NAMES.items():
            names[f"{slot.norm}.{own}"] = f"{prefix}batch_normalization{suffix}/{published}"
    return {own: from_tensorflow(array) for own, array in renamed(tensors, names, path).items()}


def _shortcuts_first(slots: list[Slot]) -> list[Slot]:
    """Put each block's shortcut before its convolutions, as TensorFlow made them."""
    ordered = list(slots)
    for at, slot in enumerate(slots):
        if slot.layer.endswith(_SHORTCUT):
            first = at - _BLOCK_CONVOLUTIONS
            ordered[first : at + 1] = [slot, *slots[first:at]]
    return ordered


def _from_onnx(path: Path, module: torch.nn.Module) -> State:
    """Read an ONNX file by the order of its layers, and by what reads what in each block."""
    slots, layers = slots_of(module), read_layers(path)
    if len(slots) == len(layers):
        for at, slot in enumerate(slots):
            if slot.layer.endswith(_SHORTCUT):
                block = slice(at - _BLOCK_CONVOLUTIONS, at + 1)
                layers[block] = _shortcut_last(layers[block], slot, path)
    return state_of_layers(module, slots, layers, path)


def _shortcut_last(block: list[OnnxLayer], slot: Slot, path: Path) -> list[OnnxLayer]:
    """Find the shortcut, which converters may put anywhere in the block.

    It reads what another layer of the block reads too, and is the wider of both.
    """
    for layer in block:
        partners = [one for one in block if one is not layer and one.source == layer.source]
        if partners and all(len(layer.weight) > len(one.weight) for one in partners):
            return [*(one for one in block if one is not layer), layer]
    raise WorkloadError(
        f"{path} has no shortcut where {slot.layer} is; the graph is that of another model"
    )


READERS: Mapping[str, Reader] = {
    "torch": _from_torch,
    "tf_graph": _from_tf_graph,
    "onnx": _from_onnx,
}
"""How a file of each kind becomes the state of a `ResNet`."""
