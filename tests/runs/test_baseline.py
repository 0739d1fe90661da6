"""Differences and ratios of two figures with their intervals."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Interval
from inferometer.runs.baseline import counterparts, ratio_interval, weighted_difference
from tests.report.sessions import made_session
from tests.report.test_html import session_of

OPEN = Interval(None, None)


def test_symmetric_intervals_add_as_squares() -> None:
    value, interval = weighted_difference(10.0, Interval(7, 13), 2.0, 4.0, Interval(2, 6))
    assert value == 2.0
    assert interval == Interval(-3.0, 7.0)


def test_open_ends_stay_open() -> None:
    _, interval = weighted_difference(10.0, Interval(None, 12), 1.0, 4.0, Interval(3, None))
    assert interval.low is None
    assert interval.high == pytest.approx(6 + math.hypot(2, 1))
    assert weighted_difference(1.0, OPEN, 1.0, 1.0, OPEN)[1] == OPEN
    assert ratio_interval(0.0, Interval(0, 1), 1.0, Interval(0, 1)) == OPEN


positive = st.floats(0.1, 1e6)


@given(positive, positive, st.floats(1.01, 3), st.floats(1.01, 3))
def test_a_ratio_turned_round_has_its_ends_turned_round(
    value: float, base: float, wide: float, wider: float
) -> None:
    first = Interval(value / wide, value * wide)
    second = Interval(base / wider, base * wider)
    there = ratio_interval(value, first, base, second)
    back = ratio_interval(base, second, value, first)
    assert there.low is not None
    assert there.high is not None
    assert back.high is not None
    assert there.low < value / base < there.high
    assert there.low == pytest.approx(1 / back.high)


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(2000):
        first, second = generator.normal(100, 2), generator.normal(80, 1)
        _, interval = weighted_difference(
            first,
            Interval(first - 1.96 * 2, first + 1.96 * 2),
            1.1,
            second,
            Interval(second - 1.96, second + 1.96),
        )
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= 100 - 1.1 * 80 <= interval.high
    assert 0.935 < held / 2000 < 0.965


def test_of_several_backends_the_same_one_counts() -> None:
    session, other = made_session(), made_session(1.2)
    test = session.tests[1]
    assert counterparts(session, test, [other]) == [other.tests[1]]
    elsewhere = dataclasses.replace(other, backend={"name": "another"})
    assert counterparts(session, test, [elsewhere]) == [elsewhere.tests[1]]
    assert counterparts(session, test, [elsewhere, other]) == [other.tests[1]]
    assert counterparts(session, test, [session_of(*other.tests, name="resnet")]) == []
