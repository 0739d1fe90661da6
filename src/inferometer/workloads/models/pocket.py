"""Pocket models: the published architectures in small, from the numbers in their records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from inferometer.workloads.models.mobilenet_v1 import MobileNetV1
from inferometer.workloads.models.resnet50 import ResNet
from inferometer.workloads.models.ssd_mobilenet_v1 import AnchorScales, SsdMobileNetV1
from inferometer.workloads.models.ssd_resnet34 import SsdMap, SsdResNet34
from inferometer.workloads.weights.loading import load_weights

__all__ = [
    "load_classifier",
    "load_ssd_mobilenet",
    "load_ssd_resnet",
    "mobilenet",
    "resnet",
    "ssd_mobilenet",
    "ssd_resnet",
]

_CLASSIFIERS = {MobileNetV1: "mobilenet", ResNet: "resnet50"}


def mobilenet(**numbers: Any) -> nn.Module:
    """Make MobileNet-v1 with its softmax; the numbers are the arguments of `MobileNetV1`."""
    return nn.Sequential(MobileNetV1(**numbers), nn.Softmax(dim=1))


def resnet(**numbers: Any) -> nn.Module:
    """Make ResNet v1.5 with its softmax; the numbers are the arguments of `ResNet`."""
    return nn.Sequential(ResNet(**numbers), nn.Softmax(dim=1))


def ssd_mobilenet(**numbers: Any) -> nn.Module:
    """Make SSD-MobileNet-v1; the numbers are the arguments of `SsdMobileNetV1`."""
    scales = AnchorScales(**numbers.pop("scales"))
    return SsdMobileNetV1(**numbers, scales=scales)


def ssd_resnet(**numbers: Any) -> nn.Module:
    """Make SSD-ResNet34; the numbers are the arguments of `SsdResNet34`."""
    maps = [SsdMap(**one) for one in numbers.pop("maps")]
    return SsdResNet34(**numbers, maps=maps)


def load_classifier(paths: tuple[Path, ...], module: nn.Module) -> None:
    """Put the weights of a packaged classifier's ONNX file into its module."""
    inner = module.get_submodule("0")
    load_weights(_CLASSIFIERS[type(inner)], paths[0], inner)


def load_ssd_mobilenet(paths: tuple[Path, ...], module: nn.Module) -> None:
    """Put the weights of the packaged SSD-MobileNet's ONNX file into its module."""
    load_weights("ssd-mobilenet", paths[0], module)


def load_ssd_resnet(paths: tuple[Path, ...], module: nn.Module) -> None:
    """Put the weights of the packaged SSD-ResNet's ONNX file into its module."""
    load_weights("ssd-resnet34", paths[0], module)
