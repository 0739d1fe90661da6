"""SSD models: which layers of an ONNX file are the backbone's, and which are the heads'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from inferometer.workloads.weights.fitting import Slot, slots_of, state_of_layers
from inferometer.workloads.weights.onnx_file import OnnxLayer, read_layers

__all__ = ["state_of_ssd"]

Arrange = Callable[[list[Slot], list[OnnxLayer]], list[OnnxLayer]]


def state_of_ssd(
    path: Path,
    module: torch.nn.Module,
    heads: tuple[list[Slot], list[Slot]],
    arrange: Arrange = lambda _, layers: layers,
) -> dict[str, NDArray[Any]]:
    """Read an ONNX file of an SSD model by the order of its layers.

    ``heads`` are the slots of box and class heads by feature map. Heads stand anywhere in
    the graph. They are told by their names, where the file kept those of the module, or else
    by their outputs, whose numbers no other layer has, and by the feature map that they
    read. ``arrange`` puts the other layers into the order of the module's slots.
    """
    named = {slot.layer for kind in heads for slot in kind}
    others = [slot for slot in slots_of(module) if slot.layer not in named]
    layers = read_layers(path)
    by_name = {layer.name: layer for layer in layers}
    names = [f"{slot.layer}.weight" for kind in heads for slot in kind]
    if all(name in by_name for name in names):
        chain = [layer for layer in layers if layer.name not in names]
        ordered = arrange(others, chain) + [by_name[name] for name in names]
    else:
        ordered = _told_by_outputs(module, heads, layers, lambda chain: arrange(others, chain))
    return state_of_layers(module, [*others, *heads[0], *heads[1]], ordered, path)


def _told_by_outputs(
    module: torch.nn.Module,
    heads: tuple[list[Slot], list[Slot]],
    layers: list[OnnxLayer],
    arrange: Callable[[list[OnnxLayer]], list[OnnxLayer]],
) -> list[OnnxLayer]:
    """Put the heads behind the other layers, box heads first, each by its feature map."""
    own = module.state_dict()
    sizes = [{len(own[f"{slot.layer}.weight"]) for slot in kind} for kind in heads]
    chain = [layer for layer in layers if len(layer.weight) not in set.union(*sizes)]
    sources = [layer.source for layer in chain]

    def place(head: OnnxLayer) -> int:
        # The last feature map is read by heads only.
        return sources.index(head.source) if head.source in sources else len(sources)

    behind: list[OnnxLayer] = []
    for kind in sizes:
        found = [layer for layer in layers if len(layer.weight) in kind]
        behind += sorted(found, key=place)
    return arrange(chain) + behind
