"""Anchors, box codes, overlaps and suppression: published formulae and plain definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inferometer.workloads.detection.boxes import (
    decode_boxes,
    encode_boxes,
    overlaps,
    ssd_mobilenet_anchors,
    ssd_resnet_boxes,
    suppress,
)

MOBILENET_GRIDS = (19, 10, 5, 3, 2, 1)
RESNET_GRIDS = (50, 25, 13, 7, 3, 3)
RESNET_SCALES = [4 * side for side in (21, 45, 99, 153, 207, 261, 315)]
RESNET_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))


def random_boxes(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    first = random.random((count, 2))
    return np.concatenate([first, first + random.random((count, 2)) * 0.5 + 1e-3], axis=1)


def plain_overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    sides = [max(0.0, min(one[k + 2], other[k + 2]) - max(one[k], other[k])) for k in (0, 1)]
    shared = sides[0] * sides[1]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(shared / (areas[0] + areas[1] - shared))


def test_mobilenet_anchors_are_the_published_ones() -> None:
    anchors = ssd_mobilenet_anchors(MOBILENET_GRIDS)
    assert anchors.shape == (1917, 4)
    assert anchors.dtype == np.float32
    half = 0.5 / 19
    root = math.sqrt(2.0)
    assert anchors[0] == pytest.approx([half, half, 0.1, 0.1])
    assert anchors[1] == pytest.approx([half, half, 0.2 / root, 0.2 * root])
    assert anchors[2] == pytest.approx([half, half, 0.2 * root, 0.2 / root])
    assert anchors[3] == pytest.approx([half, 3 * half, 0.1, 0.1]), "x goes before y"
    second = anchors[3 * 19 * 19 :]
    expected = [(0.35 / math.sqrt(r), 0.35 * math.sqrt(r)) for r in (1, 2, 1 / 2, 3, 1 / 3)]
    assert second[:5, 2:] == pytest.approx(np.array(expected))
    starts = np.cumsum([3 * 19 * 19] + [6 * side * side for side in MOBILENET_GRIDS[1:]])
    between = [anchors[start + 5, 2] for start in starts[:5]]
    assert between == pytest.approx([0.4183, 0.5701, 0.7211, 0.8718, 0.9747], abs=1e-4)
    corner = anchors[:, :2] - anchors[:, 2:] / 2
    assert corner.min() < 0, "anchors are not cut"


def test_resnet_boxes_are_the_published_ones() -> None:
    boxes = ssd_resnet_boxes(1200, RESNET_GRIDS, RESNET_SCALES, RESNET_RATIOS)
    assert boxes.shape == (15_130, 4)
    assert boxes.dtype == np.float32
    cells = 50 * 50
    small, root = 84 / 1200, math.sqrt(2.0)
    between = math.sqrt(small * 180 / 1200)
    assert boxes[0] == pytest.approx([0.01, 0.01, small, small])
    assert boxes[1] == pytest.approx([0.03, 0.01, small, small]), "x changes fastest"
    assert boxes[cells, 2:] == pytest.approx([between, between]), "boxes come before cells"
    assert boxes[2 * cells, 2:] == pytest.approx([small * root, small / root])
    assert boxes[3 * cells, 2:] == pytest.approx([small / root, small * root])
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    # 1200 // int(1200 / 13) is 13, and the last map's step of 400 fits 3 times.
    assert boxes[-1, :2] == pytest.approx([2.5 / 3, 2.5 / 3])


def test_resnet_boxes_need_fitting_lists() -> None:
    with pytest.raises(ValueError, match="one scale more"):
        ssd_resnet_boxes(96, (12, 6), (20, 40), ((2,), (2,)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_decoding_undoes_encoding(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    boxes = random_boxes(random, count)
    anchors = random.random((count, 4)) + 0.05
    assert decode_boxes(encode_boxes(boxes, anchors), anchors) == pytest.approx(boxes, abs=1e-9)


def test_codes_follow_the_published_formula() -> None:
    anchors = np.array([[0.5, 0.4, 0.2, 0.1]])
    codes = np.array([[1.0, -2.0, 0.5, 5.0 * math.log(2.0)]])
    y, x = 0.5 + 0.1 * 0.2, 0.4 - 0.2 * 0.1
    height, width = 0.2 * math.exp(0.1), 0.2
    expected = [y - height / 2, x - width / 2, y + height / 2, x + width / 2]
    assert decode_boxes(codes, anchors)[0] == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
def test_overlaps_agree_with_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = random_boxes(random, 4), random_boxes(random, 5)
    found = overlaps(first, second)
    expected = [[plain_overlap(one, other) for other in second] for one in first]
    assert found == pytest.approx(np.array(expected), abs=1e-12)
    assert found.min() >= 0
    assert found.max() <= 1


def test_boxes_without_area_overlap_with_nothing() -> None:
    empty = np.zeros((2, 4))
    assert overlaps(empty, empty).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_unclamped_overlaps_repeat_the_published_mistake() -> None:
    here, apart = np.array([[0.0, 0.0, 0.1, 0.1]]), np.array([[0.5, 0.4, 0.6, 0.5]])
    beside = np.array([[0.5, 0.0, 0.6, 0.1]])
    assert overlaps(here, apart)[0, 0] == 0
    gaps = 0.4 * 0.3
    expected = gaps / (0.01 + 0.01 - gaps)
    assert overlaps(here, apart, unclamped=True)[0, 0] == pytest.approx(expected)
    assert overlaps(here, beside, unclamped=True)[0, 0] < 0, "apart in one axis only"


def test_epsilon_is_added_to_the_union() -> None:
    box = np.array([[0.0, 0.0, 1.0, 1.0]])
    assert overlaps(box, box, epsilon=1.0)[0, 0] == 0.5


def plain_suppression(boxes: NDArray[Any], threshold: float, keep_equal: bool) -> list[int]:
    kept: list[int] = []
    for place, box in enumerate(boxes):
        ratios = [plain_overlap(boxes[other], box) for other in kept]
        if all(r <= threshold if keep_equal else r < threshold for r in ratios):
            kept.append(place)
    return kept


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 120),
    st.sampled_from([0.1, 0.5, 0.9]),
    st.booleans(),
)
def test_suppression_agrees_with_the_greedy_definition(
    seed: int, count: int, threshold: float, keep_equal: bool
) -> None:
    boxes = random_boxes(np.random.default_rng(seed), count)
    expected = plain_suppression(boxes, threshold, keep_equal)
    assert suppress(boxes, threshold, keep_equal=keep_equal).tolist() == expected
    assert suppress(boxes, threshold, keep_equal=keep_equal, most=7).tolist() == expected[:7]


def test_a_box_just_at_the_threshold_stays_only_where_equal_is_kept() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    assert suppress(boxes, 0.5).tolist() == [0, 1]
    assert suppress(boxes, 0.5, keep_equal=False).tolist() == [0]


def test_a_dropped_box_drops_no_other() -> None:
    chain = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.3, 1.0, 1.3], [0.0, 0.6, 1.0, 1.6]])
    assert suppress(chain, 0.5).tolist() == [0, 2]
