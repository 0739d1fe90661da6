"""MobileNet-v1: its published names, and where they go in our module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.weights.fitting import (
    NORM_NAMES,
    Reader,
    State,
    from_tensorflow,
    norm_state,
    renamed,
    slots_of,
    state_of_layers,
)
from inferometer.workloads.weights.onnx_file import read_layers
from inferometer.workloads.weights.tf_graph import read_graph_tensors

__all__ = ["BLOCK_COUNT", "READERS", "slim_backbone"]

BLOCK_COUNT = 13
"""Depthwise-separable blocks of MobileNet-v1, behind its stem."""

_SLIM = "MobilenetV1"
_CLASSIFIER = "Logits/Conv2d_1c_1x1"


def slim_backbone(
    tensors: Mapping[str, NDArray[Any]],
    scope: str,
    module: torch.nn.Module,
    prefix: str,
    path: Path,
) -> dict[str, NDArray[Any]]:
    """Give the state of the backbone below ``prefix`` from TF-Slim's names below ``scope``.

    Batch norms are four variables each, or were folded while freezing into what they
    multiply by and add, under ``SCOPE/MobilenetV1/…/batchnorm/{mul,sub}``; without a ``mul``
    it is part of the kernel.
    """
    state: dict[str, NDArray[Any]] = {}
    slots = [slot for slot in slots_of(module) if slot.layer.startswith(f"{prefix}.")]
    for slot, layer in zip(slots, _slim_layers(), strict=True):
        depthwise = layer.endswith("depthwise")
        kernel = "depthwise_weights" if depthwise else "weights"
        names = {f"{slot.layer}.weight": f"{scope}/{layer}/{kernel}"}
        folded = f"{scope}/{_SLIM}/{layer}/BatchNorm/batchnorm"
        if f"{folded}/sub" in tensors:
            shift = tensors[f"{folded}/sub"]
            scale = tensors.get(f"{folded}/mul", np.ones_like(shift))
            state |= norm_state(module, str(slot.norm), scale, shift)
        else:
            for own, published in NORM_NAMES.items():
                names[f"{slot.norm}.{own}"] = f"{scope}/{layer}/BatchNorm/{published}"
        for own, array in renamed(tensors, names, path).items():
            state[own] = from_tensorflow(array, depthwise=depthwise)
    return state


def _slim_layers() -> list[str]:
    """Give TF-Slim's names of the 27 convolutions, in order."""
    names = ["Conv2d_0"]
    for block in range(1, BLOCK_COUNT + 1):
        names += [f"Conv2d_{block}_depthwise", f"Conv2d_{block}_pointwise"]
    return names


def _from_tf_graph(path: Path, module: torch.nn.Module) -> State:
    """Read the frozen graph of TF-Slim, whose classifier is a 1x1 convolution."""
    tensors = read_graph_tensors(path)
    state = slim_backbone(tensors, _SLIM, module, "features", path)
    classifier = {"weight": "weights", "bias": "biases"}
    names = {own: f"{_SLIM}/{_CLASSIFIER}/{published}" for own, published in classifier.items()}
    found = renamed(tensors, names, path)
    kernel = from_tensorflow(found["weight"])
    return state | {
        "classifier.weight": kernel.reshape(kernel.shape[:2]),
        "classifier.bias": found["bias"],
    }


def _from_onnx(path: Path, module: torch.nn.Module) -> State:
    """Read an ONNX file by the order of its layers, which is a chain."""
    return state_of_layers(module, slots_of(module), read_layers(path), path)


READERS: Mapping[str, Reader] = {"tf_graph": _from_tf_graph, "onnx": _from_onnx}
"""How a file of each kind becomes the state of a `MobileNetV1`."""
