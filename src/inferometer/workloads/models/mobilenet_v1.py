"""MobileNet-v1 in plain PyTorch, from the full 1.0-224 model down to the pocket one.

One definition serves every size: the published network is the default, and a
smaller member changes only numbers (width, input channels, strides, classes).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

__all__ = ["BLOCKS", "MobileNetV1", "SameConv", "mobilenet_features", "same_padding"]

BLOCKS: tuple[tuple[int, int], ...] = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
"""Output channels at width 1.0 and stride of the thirteen depthwise-separable blocks."""

_BATCH_NORM_EPSILON = 1e-3
_RELU6_CEILING = 6.0


class SameConv(nn.Module):
    """A bias-free convolution with TensorFlow's SAME padding, batch norm and ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1):
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=_BATCH_NORM_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the activations."""
        if self.stride > 1:
            x = functional.pad(x, same_padding(x, self.kernel, self.stride))
        activated: torch.Tensor = functional.hardtanh(self.norm(self.conv(x)), 0.0, _RELU6_CEILING)
        return activated


def same_padding(x: torch.Tensor, kernel: int, stride: int) -> list[int]:
    """Give TensorFlow's SAME padding of [N, C, H, W] as left, right, top, bottom.

    With a stride, SAME puts the odd pixel at the end (right, bottom) only.
    """
    padding = []
    for side in (x.shape[-1], x.shape[-2]):
        # A traced size would stay a variable of the graph, whose division rounds otherwise.
        size = int(side)
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        padding += [total // 2, total - total // 2]
    return padding


def mobilenet_features(
    *,
    width: float = 1.0,
    in_channels: int = 3,
    stem_stride: int = 2,
    strides: Sequence[int] | None = None,
) -> nn.Sequential:
    """Give MobileNet-v1 without its classifier; the arguments are those of `MobileNetV1`.

    Layer 0 is the stem; block ``i`` (1 … 13) is the layers ``2 * i - 1`` (depthwise) and
    ``2 * i`` (pointwise).
    """
    strides = [stride for _, stride in BLOCKS] if strides is None else list(strides)
    if len(strides) != len(BLOCKS):
        raise ValueError(f"strides has {len(strides)} entries; MobileNet-v1 has {len(BLOCKS)}")
    channels = int(32 * width)
    layers: list[nn.Module] = [SameConv(in_channels, channels, 3, stem_stride)]
    for (full_width, _), stride in zip(BLOCKS, strides, strict=True):
        outputs = int(full_width * width)
        layers.append(SameConv(channels, channels, 3, stride, groups=channels))
        layers.append(SameConv(channels, outputs, 1, 1))
        channels = outputs
    return nn.Sequential(*layers)


class MobileNetV1(nn.Module):
    """MobileNet-v1: a 3x3 stem, thirteen separable blocks, global average, classifier.

    Takes float32 ``[N, in_channels, H, W]`` and gives logits ``[N, classes]``.

    ``width`` scales every channel count; ``stem_stride`` and ``strides`` (one for
    each block, the published ones by default) adapt the network to small inputs.

    Source: Howard et al., arXiv:1704.04861, and the TF-Slim definition used by
    MLPerf Inference v0.5 (batch-norm epsilon 0.001, SAME padding, ReLU6).
    """

    def __init__(
        self,
        *,
        classes: int = 1001,
        width: float = 1.0,
        in_channels: int = 3,
        stem_stride: int = 2,
        strides: Sequence[int] | None = None,
    ):
        super().__init__()
        self.features = mobilenet_features(
            width=width, in_channels=in_channels, stem_stride=stem_stride, strides=strides
        )
        self.classifier = nn.Linear(int(BLOCKS[-1][0] * width), classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the logits."""
        logits: torch.Tensor = self.classifier(self.features(x).mean(dim=(2, 3)))
        return logits
