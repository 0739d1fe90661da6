"""Fitting: published tensors become a module's state, by name, or an error says what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.onnx_file import OnnxLayer

__all__ = [
    "NORM_NAMES",
    "Reader",
    "Slot",
    "State",
    "fit_state",
    "from_tensorflow",
    "norm_state",
    "renamed",
    "slots_of",
    "state_of_layers",
]

State = Mapping[str, torch.Tensor | NDArray[Any]]
"""Tensors by the module's own names."""

Reader = Callable[[Path, torch.nn.Module], State]
"""Turns a published file into the state of a module, which is only looked at."""

NORM_NAMES = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
"""TensorFlow's names of what a batch norm has, by PyTorch's."""

_COUNTER = "num_batches_tracked"
_SHOWN = 3


@dataclass(frozen=True)
class Slot:
    """Where a layer's weights go: its name, and that of its batch norm if it has one."""

    layer: str
    norm: str | None = None


def slots_of(module: torch.nn.Module) -> list[Slot]:
    """Give convolutions and dense layers in the order of the module, each with its norm."""
    slots: list[Slot] = []
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
            slots.append(Slot(name))
        elif isinstance(part, torch.nn.BatchNorm2d):
            slots[-1] = Slot(slots[-1].layer, name)
    return slots


def fit_state(module: torch.nn.Module, state: State, path: Path) -> None:
    """Put tensors into a module; raise `WorkloadError` unless they are just what it has.

    Counters of training steps aren't needed. Numbers are converted to the module's types.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(_COUNTER)]
    unexpected = [name for name in state if name not in own]
    differing = [
        f"{name} ({_shape(state[name])} for {_shape(own[name])})"
        for name in own
        if name in state and _shape(state[name]) != _shape(own[name])
    ]
    findings = [
        f"{what} {_first(names)}"
        for what, names in (
            ("it lacks", missing),
            ("it has unknown", unexpected),
            ("of another shape are", differing),
        )
        if names
    ]
    if findings:
        raise WorkloadError(f"the weights of {path} are for another model: {'; '.join(findings)}")
    module.load_state_dict(own | {name: _tensor(state[name]) for name in own if name in state})


def renamed(tensors: Mapping[str, Any], names: Mapping[str, str], path: Path) -> dict[str, Any]:
    """Give tensors by the module's names; ``names`` has the file's name for each.

    Raises `WorkloadError` with the first names that aren't in the file.
    """
    missing = [published for published in names.values() if published not in tensors]
    if missing:
        raise WorkloadError(
            f"{path} lacks {_first(missing)}; it has {len(tensors)} tensors, such as "
            f"{_first(list(tensors))}"
        )
    return {own: tensors[published] for own, published in names.items()}


def from_tensorflow(array: NDArray[Any], *, depthwise: bool = False) -> NDArray[Any]:
    """Turn a kernel from TensorFlow's order of axes into PyTorch's; others stay as they are.

    [H, W, in, out] becomes [out, in, H, W]; with ``depthwise`` [H, W, C, M] becomes
    [C * M, 1, H, W]; a dense layer's [in, out] becomes [out, in].
    """
    if array.ndim == 4 and depthwise:
        height, width, channels, multiplier = array.shape
        return array.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1)
    return array.T if array.ndim == 2 else array


def norm_state(
    module: torch.nn.Module, norm: str, scale: NDArray[Any], shift: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Give the state of a batch norm that multiplies by ``scale`` and adds ``shift``."""
    epsilon = getattr(module.get_submodule(norm), "eps", 0.0)
    scale, shift = np.asarray(scale).reshape(-1), np.asarray(shift).reshape(-1)
    return {
        f"{norm}.weight": scale,
        f"{norm}.bias": shift,
        f"{norm}.running_mean": np.zeros_like(shift),
        # With this variance the norm divides by 1.
        f"{norm}.running_var": np.full_like(shift, 1.0 - epsilon),
    }


def state_of_layers(
    module: torch.nn.Module, slots: Sequence[Slot], layers: Sequence[OnnxLayer], path: Path
) -> dict[str, NDArray[Any]]:
    """Give the state of a module whose slots are, in this order, the layers of an ONNX file."""
    if len(slots) != len(layers):
        raise WorkloadError(
            f"{path} has {len(layers)} layers with weights, and the model {len(slots)}; it is "
            "another model"
        )
    state: dict[str, NDArray[Any]] = {}
    for slot, layer in zip(slots, layers, strict=True):
        expected = _shape(module.state_dict()[f"{slot.layer}.weight"])
        weight, size = layer.weight, int(np.prod(expected))
        if weight.size == size and weight.shape[: len(expected)] == expected[: weight.ndim]:
            weight = weight.reshape(expected)  # a dense layer may be a 1x1 convolution
        if slot.norm is None:
            folded = layer.scale.reshape(-1, *[1] * (weight.ndim - 1))
            state |= {f"{slot.layer}.weight": weight * folded, f"{slot.layer}.bias": layer.shift}
        else:
            state |= {f"{slot.layer}.weight": weight}
            state |= norm_state(module, slot.norm, layer.scale, layer.shift)
    return state


def _tensor(values: torch.Tensor | NDArray[Any]) -> torch.Tensor:
    # A copy, since arrays read from files are read-only, which PyTorch warns of.
    return values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values))


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(tensor.shape)


def _first(names: Iterable[str]) -> str:
    """List the first names, and say how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
