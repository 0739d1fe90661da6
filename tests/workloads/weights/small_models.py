"""Small members of the published models, and what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.workloads.models.mobilenet_v1 import MobileNetV1
from inferometer.workloads.models.resnet50 import ResNet
from inferometer.workloads.models.ssd_mobilenet_v1 import SsdMobileNetV1
from inferometer.workloads.models.ssd_resnet34 import SsdMap, SsdResNet34
from tests.workloads.weights.fixtures import image

__all__ = [
    "assert_same",
    "outputs",
    "randomize",
    "small_mobilenet",
    "small_resnet",
    "small_ssd_mobilenet",
    "small_ssd_resnet",
]

WIDTH = 1 / 32


def small_resnet(**changes: Any) -> Any:
    return ResNet(**{"classes": 5, "width": 2, "blocks": (2, 1), **changes}).eval()


def small_mobilenet() -> Any:
    return MobileNetV1(classes=5, width=WIDTH).eval()


def small_ssd_mobilenet() -> Any:
    return SsdMobileNetV1(classes=6, width=WIDTH, size_px=48).eval()


def small_ssd_resnet() -> Any:
    # No layer may have as many outputs as a head; in the published model none has.
    maps = (SsdMap(8, (2,)), SsdMap(16, (2, 3), 8, 12, 2, 1), SsdMap(24, (2,), 8, 12, 1, 1))
    model = SsdResNet34(
        classes=4, width=1 / 32, size_px=48, blocks=(2, 1, 2), maps=maps, largest_px=32
    )
    return model.eval()


def randomize(model: Any) -> Any:
    """Give batch norms statistics that aren't those of a fresh model."""
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for tensor in (part.weight, part.bias, part.running_mean, part.running_var):
                assert tensor is not None
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    return model


def outputs(model: Any, batch: NDArray[Any] | None = None) -> list[NDArray[Any]]:
    given = torch.from_numpy(image() if batch is None else batch)
    with torch.no_grad():
        found = model.codes(given) if hasattr(model, "codes") else model(given)
    found = found if isinstance(found, tuple) else (found,)
    return [tensor.numpy() for tensor in found]


def assert_same(found: list[NDArray[Any]], wanted: list[NDArray[Any]]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
        assert np.ptp(other) > 1e-3, "a constant would show nothing"
