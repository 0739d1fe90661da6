"""SSD-ResNet34 in plain PyTorch, from the full 1200 model down to the pocket one.

Parameters have the names of the published state dict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from inferometer.workloads.detection.boxes import BOX_CODE_SCALES, ssd_resnet_boxes

__all__ = ["MAPS", "SsdMap", "SsdResNet34"]

_CHANNELS = (64, 128, 256)


@dataclass(frozen=True)
class SsdMap:
    """A feature map: the extra block that makes it, and its default boxes.

    ``narrow``, ``wide``, ``stride`` and ``padding`` are those of the block; the first map
    comes from the backbone and has none. ``scale_px`` and ``ratios`` are those of
    `ssd_resnet_boxes`.
    """

    scale_px: int
    ratios: tuple[float, ...]
    narrow: int = 0
    wide: int = 0
    stride: int = 1
    padding: int = 0

    @property
    def boxes(self) -> int:
        """How many default boxes a cell has."""
        return 2 + 2 * len(self.ratios)

    def side(self, before: int) -> int:
        """Give the side of the map, in cells, from that of the map before it."""
        return (before + 2 * self.padding - 3) // self.stride + 1 if self.wide else before


MAPS: tuple[SsdMap, ...] = (
    SsdMap(84, (2,)),
    SsdMap(180, (2, 3), 256, 512, 2, 1),
    SsdMap(396, (2, 3), 256, 512, 2, 1),
    SsdMap(612, (2, 3), 128, 256, 2, 1),
    SsdMap(828, (2,), 128, 256, 2, 0),
    SsdMap(1044, (2,), 128, 256, 1, 0),
)
"""The six feature maps of the published model."""


class SsdResNet34(nn.Module):
    """SSD with the first three stages of ResNet-34, the third without stride.

    Takes float32 ``[N, in_channels, size_px, size_px]``, normalised. Gives boxes, float32
    ``[N, boxes, 4]`` as (xmin, ymin, xmax, ymax) in shares of the picture, and scores,
    float32 ``[N, boxes, classes + 1]``: a softmax whose column 0 is the background.

    ``width`` scales the channels of the backbone, ``blocks`` are its blocks a stage;
    ``maps`` has its channels, sizes and last scale (``largest_px``) as they are.
    ``head_stride`` is the stride of the 3x3 heads.

    Source: Liu et al., arXiv:1512.02325, He et al., arXiv:1512.03385, and the COCO model
    used by MLPerf Inference v0.5: 15,130 boxes, 80 classes.
    """

    default_boxes: torch.Tensor

    def __init__(
        self,
        *,
        classes: int = 80,
        width: float = 1.0,
        in_channels: int = 3,
        size_px: int = 1200,
        blocks: tuple[int, int, int] = (3, 4, 6),
        maps: Sequence[SsdMap] = MAPS,
        largest_px: int = 1260,
        head_stride: int = 3,
    ):
        super().__init__()
        self.classes = classes + 1
        channels = [int(count * width) for count in _CHANNELS]
        self.model = _Backbone(in_channels, channels, blocks)
        inputs = [channels[-1], *(one.wide for one in maps[1:])]
        self.additional_blocks = nn.ModuleList(
            _additional_block(before, one)
            for before, one in zip(inputs[:-1], maps[1:], strict=True)
        )
        self.loc = nn.ModuleList()
        self.conf = nn.ModuleList()
        for before, one in zip(inputs, maps, strict=True):
            self.loc.append(_head(before, one.boxes * 4, head_stride))
            self.conf.append(_head(before, one.boxes * self.classes, head_stride))
        self.grids = _grids(size_px, maps, head_stride)
        defaults = ssd_resnet_boxes(
            size_px,
            self.grids,
            [*(one.scale_px for one in maps), largest_px],
            [one.ratios for one in maps],
        )
        self.register_buffer("default_boxes", torch.from_numpy(defaults), persistent=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give boxes and scores."""
        codes, logits = self.codes(image)
        place_scale, size_scale = BOX_CODE_SCALES
        defaults = self.default_boxes
        centres = codes[..., :2] / place_scale * defaults[:, 2:] + defaults[:, :2]
        halves = torch.exp(codes[..., 2:] / size_scale) * (defaults[:, 2:] / 2)
        boxes = torch.cat([centres - halves, centres + halves], dim=-1)
        return boxes, torch.softmax(logits, dim=-1)

    def codes(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give box codes [N, boxes, 4] and logits [N, boxes, classes + 1]."""
        features = self.model(image)
        codes, logits = [], []
        for place, (loc, conf) in enumerate(zip(self.loc, self.conf, strict=True)):
            if place:
                features = self.additional_blocks[place - 1](features)
            # A channel is a coordinate (or class) and a box: boxes come before y and x.
            codes.append(loc(features).flatten(1).unflatten(1, (4, -1)))
            logits.append(conf(features).flatten(1).unflatten(1, (self.classes, -1)))
        boxes = torch.cat(codes, dim=2).transpose(1, 2)
        return boxes, torch.cat(logits, dim=2).transpose(1, 2)


class _Backbone(nn.Module):
    """ResNet-34 up to its third stage, in the published grouping of the layers."""

    def __init__(self, inputs: int, channels: Sequence[int], blocks: tuple[int, int, int]):
        super().__init__()
        first, second, third = channels
        self.layer1 = nn.Sequential(
            nn.Conv2d(inputs, first, 7, 2, 3, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            _stage(first, first, blocks[0], 1),
            _stage(first, second, blocks[1], 2),
        )
        self.layer2 = nn.Sequential(_stage(second, third, blocks[2], 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layer2(self.layer1(image))
        return features


def _stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    first = _BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(_BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1)))


class _BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, projected where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + shortcut)


def _additional_block(inputs: int, one: SsdMap) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, one.narrow, 1),
        nn.ReLU(),
        nn.Conv2d(one.narrow, one.wide, 3, one.stride, one.padding),
        nn.ReLU(),
    )


def _head(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


def _grids(size_px: int, maps: Sequence[SsdMap], head_stride: int) -> tuple[int, ...]:
    """Give the side of each map's grid of default boxes, in cells."""
    side = size_px
    for _ in range(3):
        # The stem, the pooling and the second stage each halve, rounding up.
        side = (side - 1) // 2 + 1
    grids = []
    for one in maps:
        side = one.side(side)
        grids.append((side - 1) // head_stride + 1)
    return tuple(grids)
