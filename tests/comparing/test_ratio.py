"""Ratios: intervals that hold, and nothing claimed from runs that weren't repeated."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.comparing import Basis, paired_ratio, single_ratio, unpaired_ratio
from inferometer.loadgen import Interval

SPEEDS = st.lists(st.floats(0.2, 5.0), min_size=6, max_size=12)


def test_pairs_give_the_ratio_and_its_direction() -> None:
    second = [1.0 + 0.1 * number for number in range(8)]
    ratio = paired_ratio([1.5 * speed for speed in second], second, 0.95)
    assert ratio is not None
    assert ratio.value == pytest.approx(1.5)
    assert ratio.shows_difference
    assert ratio.turned().value == pytest.approx(1 / 1.5)
    assert ratio.turned().shows_difference


def test_what_happens_to_a_whole_block_cancels_out() -> None:
    blocks = [1.0, 1.0, 0.1, 1.0, 0.5, 1.0, 2.0, 1.0]
    calm = paired_ratio([1.2] * 8, [1.0] * 8, 0.95)
    shaken = paired_ratio([1.2 * speed for speed in blocks], blocks, 0.95)
    assert calm is not None
    assert shaken is not None
    assert shaken.value == pytest.approx(calm.value)
    assert shaken.low == pytest.approx(calm.low)


def test_too_few_pairs_show_nothing_however_clear_they_are() -> None:
    ratio = paired_ratio([9.0] * 5, [1.0] * 5, 0.95)
    assert ratio is not None
    assert ratio.basis is Basis.TOO_FEW
    assert not ratio.shows_difference
    assert paired_ratio([], [], 0.95) is None


def test_unpaired_p_values_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = random.Random(4)
    for counts in ((4, 4), (5, 7), (9, 6)):
        first, second = (
            [math.exp(generator.gauss(middle, 0.3)) for _ in range(count)]
            for middle, count in zip((0.2, 0.0), counts, strict=True)
        )
        ratio = unpaired_ratio(first, second, 0.95)
        assert ratio is not None
        expected = stats.mannwhitneyu(first, second, method="exact").pvalue
        assert ratio.p_value == pytest.approx(expected)


@given(first=SPEEDS, second=SPEEDS, confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_an_unpaired_interval_holds_its_estimate(
    first: list[float], second: list[float], confidence: float
) -> None:
    ratio = unpaired_ratio(first, second, confidence)
    assert ratio is not None
    if ratio.basis is Basis.TOO_FEW:
        return
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.value * (1 + 1e-9)
    assert ratio.value <= ratio.high * (1 + 1e-9)


def test_three_runs_on_each_side_are_too_few() -> None:
    ratio = unpaired_ratio([5.0, 6.0, 7.0], [1.0, 2.0, 3.0], 0.95)
    assert ratio is not None
    assert ratio.basis is Basis.TOO_FEW


def test_single_runs_have_an_interval_and_claim_nothing() -> None:
    ratio = single_ratio(3.0, 1.0, [Interval(2.9, 3.1), Interval(0.99, 1.01)])
    assert ratio.basis is Basis.SINGLE
    assert not ratio.shows_difference
    assert ratio.low == pytest.approx(3 * math.exp(-math.hypot(*_halves())))


def _halves() -> tuple[float, float]:
    return math.log(3.1 / 2.9) / 2, math.log(1.01 / 0.99) / 2


@pytest.mark.parametrize("open_one", [None, Interval(None, 2.0), Interval(1.0, None)])
def test_an_open_interval_gives_none(open_one: Interval | None) -> None:
    ratio = single_ratio(3.0, 1.0, [Interval(2.9, 3.1), open_one])
    assert ratio.low is None
    assert ratio.half_width == math.inf
