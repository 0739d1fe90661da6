"""The family of curves: rising, and at its bound at the capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.capacity.curve import HIGHEST, SHAPES, log_share_and_slope


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bound_is_reached_at_the_capacity(shape) -> None:  # type: ignore[no-untyped-def]
    log_share, slope = log_share_and_slope(np.zeros(1), np.array(shape.floor), np.array(shape.room))
    assert log_share[0] == pytest.approx(0.0, abs=1e-12)
    assert slope[0] > 0


@given(
    st.sampled_from(SHAPES),
    st.floats(-3, 3, allow_nan=False),
    st.floats(1e-6, 1.0),
)
def test_more_load_is_never_faster(shape, above: float, more: float) -> None:  # type: ignore[no-untyped-def]
    at = np.array([above, above + more])
    log_share, _ = log_share_and_slope(at, np.array(shape.floor), np.array(shape.room))
    assert log_share[0] <= log_share[1] <= HIGHEST


def test_the_slope_is_the_derivative() -> None:
    at, step = np.linspace(-2.0, 0.1, 50), 1e-6
    floor, room = np.array(0.4), np.array(1.4)
    low, _ = log_share_and_slope(at - step, floor, room)
    high, _ = log_share_and_slope(at + step, floor, room)
    _, slope = log_share_and_slope(at, floor, room)
    assert slope == pytest.approx((high - low) / (2 * step), rel=1e-4)


def test_a_single_queue_is_in_the_family() -> None:
    """The wait of M/M/1 is its load over what is left of the server."""
    load = np.linspace(0.1, 0.95, 20)
    wait = load / (1 - load)
    capacity = 0.9
    expected = wait / (capacity / (1 - capacity))
    log_share, _ = log_share_and_slope(
        np.log(load / capacity), np.array(0.0), np.array(1 / capacity)
    )
    assert np.exp(log_share) == pytest.approx(expected)
