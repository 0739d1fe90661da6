"""SSD-MobileNet-v1 in plain PyTorch, from the full 300 model down to the pocket one.

Parameters and published names: block ``i`` of the published ``backbone.{i}`` is
``backbone.{2i-1}`` (depthwise) and ``backbone.{2i}`` (pointwise) here, the stem
``backbone.0``, each with ``conv`` and ``norm``; ``extras`` and ``predictors`` have the
published names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from inferometer.workloads.detection.boxes import BOX_CODE_SCALES, ssd_mobilenet_anchors
from inferometer.workloads.models.mobilenet_v1 import BLOCKS, mobilenet_features, same_padding

__all__ = ["EXTRAS", "AnchorScales", "FromBytes", "SsdMobileNetV1"]

EXTRAS: tuple[tuple[int, int], ...] = ((256, 512), (128, 256), (128, 256), (64, 128))
"""Channels at width 1.0 of the two convolutions of each extra block."""

_FIRST_BLOCK, _LAST_BLOCK = 11, 13
_EXTRA_STRIDE = 2


@dataclass(frozen=True)
class AnchorScales:
    """Scales of the first and last map, and whether the first has three small anchors only."""

    lowest: float = 0.2
    highest: float = 0.95
    reduced_first: bool = True


class SsdMobileNetV1(nn.Module):
    """SSD with MobileNet-v1: feature maps of blocks 11 and 13 and of extra blocks, 1x1 heads.

    Takes float32 ``[N, in_channels, size_px, size_px]`` scaled to -1 … 1. Gives boxes,
    float32 ``[N, anchors, 4]`` as (ymin, xmin, ymax, xmax) in shares of the picture, and
    scores, float32 ``[N, anchors, classes]``: sigmoids, without the background, so that
    column 0 is class 1.

    ``width`` scales every channel count, also of ``extras``; ``stem_stride`` and
    ``strides`` are those of `MobileNetV1`.

    Source: Liu et al., arXiv:1512.02325, Howard et al., arXiv:1704.04861, and the COCO
    model of 2018-01-28 used by MLPerf Inference v0.5: 1917 anchors, 90 classes.
    """

    anchors: torch.Tensor

    def __init__(
        self,
        *,
        classes: int = 90,
        width: float = 1.0,
        in_channels: int = 3,
        size_px: int = 300,
        stem_stride: int = 2,
        strides: Sequence[int] | None = None,
        extras: Sequence[tuple[int, int]] = EXTRAS,
        scales: AnchorScales | None = None,
    ):
        super().__init__()
        scales = AnchorScales() if scales is None else scales
        self.classes = classes
        self.backbone = mobilenet_features(
            width=width, in_channels=in_channels, stem_stride=stem_stride, strides=strides
        )
        channels = [int(BLOCKS[block - 1][0] * width) for block in (_FIRST_BLOCK, _LAST_BLOCK)]
        self.extras = nn.ModuleList()
        for narrow, wide in extras:
            self.extras.append(_extra(channels[-1], int(narrow * width), int(wide * width)))
            channels.append(int(wide * width))
        first = 3 if scales.reduced_first else 6
        self.predictors = nn.ModuleList(
            _Predictor(inputs, first if place == 0 else 6, classes + 1)
            for place, inputs in enumerate(channels)
        )
        self.grids = _grids(size_px, stem_stride, strides, len(extras))
        anchors = ssd_mobilenet_anchors(
            self.grids,
            lowest_scale=scales.lowest,
            highest_scale=scales.highest,
            reduced_first=scales.reduced_first,
        )
        self.register_buffer("anchors", torch.from_numpy(anchors), persistent=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give boxes and scores."""
        codes, logits = self.codes(image)
        place_scale, size_scale = BOX_CODE_SCALES
        centres = codes[..., :2] / place_scale * self.anchors[:, 2:] + self.anchors[:, :2]
        halves = torch.exp(codes[..., 2:] / size_scale) * (self.anchors[:, 2:] / 2)
        boxes = torch.cat([centres - halves, centres + halves], dim=-1)
        return boxes, torch.sigmoid(logits[..., 1:])

    def codes(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give box codes [N, anchors, 4] and logits [N, anchors, 1 + classes]."""
        codes, logits = [], []
        for predictor, features in zip(self.predictors, self._maps(image), strict=True):
            box, scores = predictor(features)
            codes.append(box)
            logits.append(scores)
        return torch.cat(codes, dim=1), torch.cat(logits, dim=1)

    def _maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = []
        for place, layer in enumerate(self.backbone):
            x = layer(x)
            if place in (2 * _FIRST_BLOCK, 2 * _LAST_BLOCK):
                maps.append(x)
        for extra in self.extras:
            x = extra(x)
            maps.append(x)
        return maps


class FromBytes(nn.Module):
    """A model that scales its pictures itself, as the TensorFlow graph of SSD-MobileNet does.

    Takes ``[N, size_px, size_px, channels]`` of 0 … 255, uint8 or float32; gives what
    ``model`` gives for them, channels first and scaled to -1 … 1.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give boxes and scores."""
        # Turned last, so that converters to channels-last formats need not turn it back.
        scaled = (image.float() * (2.0 / 255.0) - 1.0).permute(0, 3, 1, 2)
        found: tuple[torch.Tensor, torch.Tensor] = self.model(scaled)
        return found


class _StridedConv(nn.Conv2d):
    """A 3x3 convolution with stride 2, bias and TensorFlow's SAME padding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the sums."""
        return super().forward(functional.pad(x, same_padding(x, 3, _EXTRA_STRIDE)))


def _extra(inputs: int, narrow: int, wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, narrow, 1),
        nn.ReLU6(),
        _StridedConv(narrow, wide, 3, _EXTRA_STRIDE),
        nn.ReLU6(),
    )


class _Predictor(nn.Module):
    """The two 1x1 heads of a feature map; outputs are in the order y, x, anchor."""

    def __init__(self, inputs: int, anchors: int, classes: int):
        super().__init__()
        self.classes = classes
        self.classification = nn.Conv2d(inputs, anchors * classes, 1)
        self.regression = nn.Conv2d(inputs, anchors * 4, 1)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        boxes = self.regression(features).permute(0, 2, 3, 1).flatten(1)
        scores = self.classification(features).permute(0, 2, 3, 1).flatten(1)
        return boxes.unflatten(1, (-1, 4)), scores.unflatten(1, (-1, self.classes))


def _grids(
    size_px: int, stem_stride: int, strides: Sequence[int] | None, extras: int
) -> tuple[int, ...]:
    """Give the side of each feature map in cells; SAME padding rounds up."""
    strides = [stride for _, stride in BLOCKS] if strides is None else strides
    side = -(-size_px // stem_stride)
    grids = []
    for block, stride in enumerate(strides, 1):
        side = -(-side // stride)
        if block in (_FIRST_BLOCK, _LAST_BLOCK):
            grids.append(side)
    for _ in range(extras):
        side = -(-side // _EXTRA_STRIDE)
        grids.append(side)
    return tuple(grids)
