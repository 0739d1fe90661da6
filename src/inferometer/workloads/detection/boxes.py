"""Boxes: anchors, box coders, overlap and non-maximum suppression, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BOX_CODE_SCALES",
    "decode_boxes",
    "encode_boxes",
    "overlaps",
    "ssd_mobilenet_anchors",
    "ssd_resnet_boxes",
    "suppress",
]

BOX_CODE_SCALES = (10.0, 5.0)
"""What box codes are multiplied with: the two of the centre, the two of the size."""

_REDUCED_FIRST = ((0.1, 1.0), (0.2, 2.0), (0.2, 0.5))
_BLOCK = 32
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1.0 / 3.0)


def ssd_mobilenet_anchors(
    grids: Sequence[int],
    *,
    lowest_scale: float = 0.2,
    highest_scale: float = 0.95,
    reduced_first: bool = True,
) -> NDArray[np.float32]:
    """Give SSD-MobileNet's anchors, float32 [n, 4] as (centre y, centre x, height, width).

    Units are shares of the picture; anchors may reach out of it. ``grids`` is the side of
    each square feature map in cells. The order is map, y, x, anchor. Scales go up evenly
    from map to map. With ``reduced_first`` the first map has three anchors a cell, else
    all have six.

    Source: Liu et al., arXiv:1512.02325, with the numbers of the published 300 model.
    """
    steps = max(len(grids) - 1, 1)
    scales = [lowest_scale + (highest_scale - lowest_scale) * k / steps for k in range(len(grids))]
    scales.append(1.0)
    maps = []
    for place, grid in enumerate(grids):
        shapes = [(scales[place], ratio) for ratio in _RATIOS]
        shapes.append((math.sqrt(scales[place] * scales[place + 1]), 1.0))
        if reduced_first and place == 0:
            shapes = list(_REDUCED_FIRST)
        sizes = [(scale / math.sqrt(ratio), scale * math.sqrt(ratio)) for scale, ratio in shapes]
        centres = (np.arange(grid) + 0.5) / grid
        anchors = np.empty((grid, grid, len(sizes), 4))
        anchors[..., 0] = centres[:, None, None]
        anchors[..., 1] = centres[None, :, None]
        anchors[..., 2:] = sizes
        maps.append(anchors.reshape(-1, 4))
    return np.concatenate(maps).astype(np.float32)


def ssd_resnet_boxes(
    figure_px: int,
    grids: Sequence[int],
    scales_px: Sequence[int],
    ratios: Sequence[Sequence[float]],
) -> NDArray[np.float32]:
    """Give SSD-ResNet34's default boxes, float32 [n, 4] as (centre x, centre y, width, height).

    Units are shares of the picture, cut to 0 … 1. ``grids`` is the side of each map in
    cells, ``scales_px`` one size more than there are maps, ``ratios`` the aspect ratios of
    each map besides 1. The order is map, box, y, x.

    Source: Liu et al., arXiv:1512.02325, with the order and the rounding of the published
    1200 model (a cell is the whole number of times that the step fits the figure).
    """
    if not len(grids) == len(ratios) == len(scales_px) - 1:
        raise ValueError(
            f"{len(grids)} grids, {len(ratios)} lists of ratios and {len(scales_px)} scales; "
            "one list a grid and one scale more are needed"
        )
    maps = []
    for place, grid in enumerate(grids):
        small = scales_px[place] / figure_px
        between = math.sqrt(small * scales_px[place + 1] / figure_px)
        sizes = [(small, small), (between, between)]
        for ratio in ratios[place]:
            wide, high = small * math.sqrt(ratio), small / math.sqrt(ratio)
            sizes += [(wide, high), (high, wide)]
        cells = figure_px // int(figure_px / grid)
        centres = (np.arange(grid) + 0.5) / cells
        boxes = np.empty((len(sizes), grid, grid, 4))
        boxes[..., 0] = centres[None, None, :]
        boxes[..., 1] = centres[None, :, None]
        boxes[..., 2:] = np.array(sizes)[:, None, None, :]
        maps.append(boxes.reshape(-1, 4))
    return np.clip(np.concatenate(maps), 0.0, 1.0).astype(np.float32)


def decode_boxes(
    codes: NDArray[np.floating[Any]], anchors: NDArray[np.floating[Any]]
) -> NDArray[Any]:
    """Turn box codes, float [..., n, 4], into boxes by their first and last corner.

    Codes and anchors have the centre first, then the size, both axes in the order that
    the anchors have; so have the corners.
    """
    place_scale, size_scale = BOX_CODE_SCALES
    centres = codes[..., :2] / place_scale * anchors[..., 2:] + anchors[..., :2]
    halves = np.exp(codes[..., 2:] / size_scale) * anchors[..., 2:] / 2
    decoded: NDArray[Any] = np.concatenate([centres - halves, centres + halves], axis=-1)
    return decoded


def encode_boxes(
    boxes: NDArray[np.floating[Any]], anchors: NDArray[np.floating[Any]]
) -> NDArray[Any]:
    """Give the codes that `decode_boxes` turns into these boxes; float [..., n, 4]."""
    place_scale, size_scale = BOX_CODE_SCALES
    sizes = boxes[..., 2:] - boxes[..., :2]
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    places = (centres - anchors[..., :2]) / anchors[..., 2:] * place_scale
    encoded: NDArray[Any] = np.concatenate(
        [places, np.log(sizes / anchors[..., 2:]) * size_scale], axis=-1
    )
    return encoded


def overlaps(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    *,
    epsilon: float = 0.0,
    unclamped: bool = False,
) -> NDArray[Any]:
    """Give intersection over union of each box with each, float [n, 4] and [m, 4] to [n, m].

    Boxes are corners. Boxes without an area overlap with nothing. ``epsilon`` is added to
    the union. ``unclamped`` repeats a mistake of the published SSD-ResNet34 in PyTorch:
    boxes that lie apart in both axes get the product of the two gaps as intersection.
    """
    sides = np.minimum(first[:, None, 2:], second[:, 2:])
    sides -= np.maximum(first[:, None, :2], second[:, :2])
    if not unclamped:
        np.maximum(sides, 0, out=sides)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(first)[:, None] + _areas(second) - shared + epsilon
    ratio: NDArray[Any] = np.divide(shared, union, out=np.zeros_like(shared), where=union != 0)
    return ratio


def _areas(boxes: NDArray[np.floating[Any]]) -> NDArray[Any]:
    areas: NDArray[Any] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas


def suppress(
    boxes: NDArray[np.floating[Any]],
    threshold: float,
    *,
    most: int | None = None,
    keep_equal: bool = True,
    epsilon: float = 0.0,
    unclamped: bool = False,
) -> NDArray[np.intp]:
    """Give the places of the boxes that greedy non-maximum suppression keeps, in order.

    ``boxes`` are corners, best first. A box goes if its overlap with a kept one is above
    ``threshold``, without ``keep_equal`` also if it is just that. It ends when ``most`` are
    kept. The other arguments are those of `overlaps`.
    """
    waiting = np.arange(len(boxes))
    kept: list[int] = []
    while waiting.size and (most is None or len(kept) < most):
        # A block of the best against all that wait: few calls for few boxes, and for many
        # no more overlaps than are needed.
        block = waiting[:_BLOCK]
        ratios = overlaps(boxes[block], boxes[waiting], epsilon=epsilon, unclamped=unclamped)
        rivals = ratios > threshold if keep_equal else ratios >= threshold
        alive = np.ones(len(waiting), bool)
        for place in range(len(block)):
            if alive[place]:
                alive[place + 1 :] &= ~rivals[place, place + 1 :]
        kept.extend(block[alive[: len(block)]].tolist())
        waiting = waiting[len(block) :][alive[len(block) :]]
    return np.array(kept[:most], np.intp)
