"""Reference models: the published sizes of the four convolutional networks."""

from __future__ import annotations

import math
from typing import Literal, TypeVar

import torch

from inferometer.workloads.models.mobilenet_v1 import MobileNetV1
from inferometer.workloads.models.resnet50 import ResNet
from inferometer.workloads.models.ssd_mobilenet_v1 import FromBytes, SsdMobileNetV1
from inferometer.workloads.models.ssd_resnet34 import SsdResNet34

__all__ = [
    "mobilenet",
    "published_part",
    "resnet50",
    "resnet50_torchvision",
    "ssd_mobilenet",
    "ssd_resnet34",
]

_RARE = 0.01
_Model = TypeVar("_Model", bound=torch.nn.Module)


def resnet50() -> torch.nn.Module:
    """Make TensorFlow's ResNet-50 v1.5: 1001 classes, the pool padded behind."""
    return ResNet(classes=1001, pool_padding="tf")


def resnet50_torchvision() -> torch.nn.Module:
    """Make TorchVision's ResNet-50 v1.5: 1000 classes, the pool padded on every side."""
    return ResNet(classes=1000, pool_padding="torch")


def mobilenet() -> torch.nn.Module:
    """Make MobileNet-v1 1.0-224 with 1001 classes."""
    return _keep_variance(MobileNetV1())


def ssd_mobilenet() -> torch.nn.Module:
    """Make SSD-MobileNet-v1 for bytes [N, 300, 300, 3]; random weights find few objects."""
    model = _keep_variance(SsdMobileNetV1())
    # A fresh head scores every box 0.5, so that suppression, not the network, takes the
    # time; a trained one scores nearly all boxes near 0, and so do these.
    for name, parameter in model.named_parameters():
        if name.endswith("classification.bias"):
            torch.nn.init.constant_(parameter, math.log(_RARE / (1 - _RARE)))
    return FromBytes(model)


def ssd_resnet34() -> torch.nn.Module:
    """Make SSD-ResNet34 for [N, 3, 1200, 1200]; random weights find few objects."""
    model = SsdResNet34()
    _keep_variance(model.model, "linear")  # what the shortcuts add makes up for the rest
    background = math.log((model.classes - 1) * (1 - _RARE) / _RARE)
    for name, parameter in model.conf.named_parameters():
        if name.endswith("bias"):
            # A head's channels are classes times boxes, the background's first.
            torch.nn.init.constant_(parameter[: len(parameter) // model.classes], background)
    return model


def _keep_variance(model: _Model, nonlinearity: Literal["relu", "linear"] = "relu") -> _Model:
    """Draw the convolutions anew so that activations neither die out nor grow.

    With PyTorch's own start they shrink from layer to layer, until the outputs of a network
    without trained batch norms no longer depend on its input, and comparing them says
    nothing. Source: He et al., arXiv:1502.01852.
    """
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity=nonlinearity)
    return model


def published_part(module: torch.nn.Module) -> torch.nn.Module:
    """Give the module that has the published weights, without what is put around it."""
    inner: torch.nn.Module = module.model if isinstance(module, FromBytes) else module
    return inner
