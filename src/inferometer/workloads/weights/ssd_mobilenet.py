"""SSD-MobileNet-v1: its published names, and where they go in our module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.weights.fitting import (
    Reader,
    Slot,
    State,
    from_tensorflow,
    norm_state,
    renamed,
    slots_of,
)
from inferometer.workloads.weights.mobilenet import BLOCK_COUNT, slim_backbone
from inferometer.workloads.weights.ssd_layers import state_of_ssd
from inferometer.workloads.weights.tf_graph import read_graph_tensors
from inferometer.workloads.weights.torch_file import read_state_dict

__all__ = ["READERS"]

_SCOPE = "FeatureExtractor/MobilenetV1"
_EXTRA = re.compile(
    rf"{_SCOPE}/(?P<layer>Conv2d_13_pointwise_[12]_Conv2d_(?P<number>\d+)_(?P<size>1x1|3x3)[^/]*)"
    r"/weights"
)
_FIRST_EXTRA = 2
_EXTRA_PARTS = {"1x1": 0, "3x3": 2}
_HEADS = {"regression": "BoxEncodingPredictor", "classification": "ClassPredictor"}
_LEAVES = {"weight": "weights", "bias": "biases"}


def _from_torch(path: Path, module: torch.nn.Module) -> State:
    """Read the published module, whose batch norms are folded into weights, scale and bias."""
    found = read_state_dict(path)
    published = ["backbone.0.0"]
    for block in range(1, BLOCK_COUNT + 1):
        published += [f"backbone.{block}.depthwise", f"backbone.{block}.pointwise"]
    state: dict[str, Any] = {}
    for slot, name in zip(slots_of(module), published, strict=False):  # the backbone's come first
        norm = f"{name}/BatchNorm"
        names = {"weight": f"{name}.weight", "bias": f"{norm}.bias"}
        if name.endswith("depthwise"):
            names["scale"] = f"{norm}.scale"
        layer = renamed(found, names, path)
        shift = layer["bias"].numpy()
        scale = layer["scale"].numpy() if "scale" in layer else np.ones_like(shift)
        state[f"{slot.layer}.weight"] = layer["weight"]
        state |= norm_state(module, str(slot.norm), scale, shift)
    rest = [name for name in module.state_dict() if not name.startswith("backbone.")]
    return state | renamed(found, dict(zip(rest, rest, strict=True)), path)


def _from_tf_graph(path: Path, module: torch.nn.Module) -> State:
    """Read the frozen graph of the Object Detection API."""
    tensors = read_graph_tensors(path)
    state = slim_backbone(tensors, _SCOPE, module, "backbone", path)
    for name in tensors:
        if matched := _EXTRA.fullmatch(name):
            place, part = int(matched["number"]) - _FIRST_EXTRA, _EXTRA_PARTS[matched["size"]]
            kernel, bias = _extra_layer(tensors, matched["layer"], path)
            state |= {
                f"extras.{place}.{part}.weight": kernel,
                f"extras.{place}.{part}.bias": bias,
            }
    heads = {
        f"predictors.{place}.{own}.{leaf}": f"BoxPredictor_{place}/{published}/{tf_leaf}"
        for place in range(_maps(module))
        for own, published in _HEADS.items()
        for leaf, tf_leaf in _LEAVES.items()
    }
    found = renamed(tensors, heads, path)
    return state | {own: from_tensorflow(array) for own, array in found.items()}


def _extra_layer(
    tensors: Mapping[str, NDArray[Any]], layer: str, path: Path
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give kernel and bias of an extra convolution, with a folded batch norm if it has one."""
    kernel = from_tensorflow(tensors[f"{_SCOPE}/{layer}/weights"])
    folded = f"{_SCOPE}/MobilenetV1/{layer}/BatchNorm/batchnorm"
    if f"{folded}/sub" in tensors:
        shift = tensors[f"{folded}/sub"].reshape(-1)
        scale = tensors.get(f"{folded}/mul", np.ones_like(shift))
        return kernel * scale.reshape(-1, 1, 1, 1), shift
    return kernel, renamed(tensors, {"bias": f"{_SCOPE}/{layer}/biases"}, path)["bias"]


def _from_onnx(path: Path, module: torch.nn.Module) -> State:
    """Read an ONNX file: a chain of convolutions, and two heads at each feature map."""
    boxes, classes = (
        [Slot(f"predictors.{place}.{kind}") for place in range(_maps(module))] for kind in _HEADS
    )
    return state_of_ssd(path, module, (boxes, classes))


def _maps(module: torch.nn.Module) -> int:
    return len(list(module.get_submodule("predictors").children()))


READERS: Mapping[str, Reader] = {
    "torch": _from_torch,
    "tf_graph": _from_tf_graph,
    "onnx": _from_onnx,
}
"""How a file of each kind becomes the state of an `SsdMobileNetV1`."""
