"""SSD-ResNet34: its published names, and where they go in our module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from inferometer.workloads.weights.fitting import Reader, Slot, State
from inferometer.workloads.weights.onnx_file import OnnxLayer, read_initializers
from inferometer.workloads.weights.ssd_layers import state_of_ssd
from inferometer.workloads.weights.torch_file import read_state_dict

__all__ = ["READERS"]

_SHORTCUT = ".downsample.0"
_BLOCK_CONVOLUTIONS = 2


def _from_torch(path: Path, module: torch.nn.Module) -> State:  # noqa: ARG001
    """Read the published module or checkpoint, whose names are ours."""
    return read_state_dict(path)


def _from_onnx(path: Path, module: torch.nn.Module) -> State:
    """Read an ONNX file by its names where it kept those of the module, or by its order."""
    stored = read_initializers(path)
    names = [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]
    if all(name in stored for name in names):
        return {name: stored[name] for name in names}
    maps = range(len(list(module.get_submodule("loc").children())))
    heads = [Slot(f"loc.{place}") for place in maps], [Slot(f"conf.{place}") for place in maps]
    return state_of_ssd(path, module, heads, _shortcuts_last)


def _shortcuts_last(slots: list[Slot], layers: list[OnnxLayer]) -> list[OnnxLayer]:
    """Put each block's shortcut, its 1x1 convolution, behind the 3x3 ones."""
    ordered = list(layers)
    for at, slot in enumerate(slots):
        if slot.layer.endswith(_SHORTCUT):
            block = slice(at - _BLOCK_CONVOLUTIONS, at + 1)
            ordered[block] = sorted(ordered[block], key=lambda layer: layer.weight.shape[-1] == 1)
    return ordered


READERS: Mapping[str, Reader] = {"torch": _from_torch, "onnx": _from_onnx}
"""How a file of each kind becomes the state of an `SsdResNet34`."""
