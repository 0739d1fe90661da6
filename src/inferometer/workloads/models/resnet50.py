"""ResNet-50 v1.5 in plain PyTorch, from the full model down to the pocket one.

One definition serves every size: the published network is the default, and a smaller
member changes only numbers (width, blocks, input channels, classes) and the stem. The
names of parameters are TorchVision's, so that its files load as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

__all__ = ["BLOCKS", "EXPANSION", "ResNet"]

BLOCKS: tuple[int, ...] = (3, 4, 6, 3)
"""Blocks of the four stages."""

EXPANSION = 4
"""How many times wider a block's output is than its 3x3 convolution."""

_STEM_WIDTH = 64


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; in v1.5 the 3x3 one has the stride.

    The first block of a stage has a projection as its shortcut, named ``downsample``.
    """

    def __init__(self, inputs: int, width: int, stride: int, project: bool):
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if project:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # The shortcut comes first, as in the published graphs, whose convolutions are
        # matched by their order.
        shortcut = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Module):
    """ResNet v1.5 of bottleneck blocks: stem, stages, global average, classifier.

    Takes float32 ``[N, in_channels, H, W]`` and gives logits ``[N, classes]``.

    classes:
        1001 with "background" in front, as TensorFlow's model has, or TorchVision's 1000.
    pool_padding:
        How the stem's max-pool is padded: ``tf`` puts one row and column behind (its SAME
        padding of even sizes), ``torch`` one on every side.
    width, blocks:
        Channels of the first stage's 3x3 convolutions, which double with each stage, and
        the blocks of each stage. All stages but the first halve the picture.
    stem:
        ``imagenet`` is the 7x7 convolution with stride 2 and the max-pool; ``small``, for
        small pictures, is a 3x3 convolution that keeps the size, without a pool.

    Source: He et al., arXiv:1512.03385, with the stride in the 3x3 convolution as in the
    ResNet-50 v1.5 of MLPerf Inference v0.5 (batch-norm epsilon 1e-5).
    """

    def __init__(
        self,
        *,
        classes: int = 1001,
        pool_padding: Literal["tf", "torch"] = "tf",
        width: int = _STEM_WIDTH,
        blocks: Sequence[int] = BLOCKS,
        in_channels: int = 3,
        stem: Literal["imagenet", "small"] = "imagenet",
    ):
        super().__init__()
        if not blocks or min(blocks) < 1:
            raise ValueError(f"blocks is {tuple(blocks)}; every stage needs one block at least")
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(in_channels, width, 7, 2, padding=3, bias=False)
        else:
            self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = _max_pool(pool_padding) if stem == "imagenet" else nn.Identity()
        channels = width
        self.stages = len(blocks)
        for stage, count in enumerate(blocks):
            stage_width = width * 2**stage
            first = _Bottleneck(channels, stage_width, 1 if stage == 0 else 2, project=True)
            channels = stage_width * EXPANSION
            others = (
                _Bottleneck(channels, stage_width, 1, project=False) for _ in range(count - 1)
            )
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, *others))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the logits."""
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        logits: torch.Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


def _max_pool(padding: str) -> nn.Module:
    """Give the stem's max-pool; zeros are as good a padding as any behind a ReLU."""
    if padding == "torch":
        return nn.MaxPool2d(3, 2, padding=1)
    return nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2))
