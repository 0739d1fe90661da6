"""Stability: warm-up, drift and outliers are found where they are, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.comparing.stability import drift_of, outliers_of, warm_up_of


def durations(seed: int, count: int = 2000) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    noise = np.random.default_rng(seed).gamma(4.0, 0.02, count)
    return (1e6 * (1 + noise)).astype(np.int64)


@pytest.mark.parametrize(("share", "factor"), [(0.1, 1.3), (0.3, 1.1), (0.2, 0.7)])
def test_a_first_part_that_differs_is_found(share: float, factor: float) -> None:
    values = durations(1)
    values[: int(share * len(values))] = (values[: int(share * len(values))] * factor).astype(
        np.int64
    )
    found = warm_up_of(values)
    assert found is not None
    assert found.share == pytest.approx(share, abs=0.05)
    assert found.change == pytest.approx(factor - 1, abs=0.03)


def test_a_change_in_the_middle_is_no_warm_up() -> None:
    values = durations(2)
    values[1000:] = (values[1000:] * 1.5).astype(np.int64)
    assert warm_up_of(values) is None


def test_steady_runs_have_no_warm_up() -> None:
    assert sum(warm_up_of(durations(seed)) is not None for seed in range(200)) == 0


def test_a_small_or_short_one_is_none() -> None:
    values = durations(3)
    values[:400] = (values[:400] * 1.02).astype(np.int64)
    assert warm_up_of(values) is None
    assert warm_up_of(durations(3, 10)) is None
    assert warm_up_of(np.zeros(500, np.int64)) is None


def test_drift_has_a_size_and_a_direction() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 20)
    slower = [float(np.exp(-0.01 * number + noise[number])) for number in range(20)]
    found = drift_of(slower)
    assert found is not None
    assert found.change == pytest.approx(np.expm1(-0.19), abs=0.03)
    faster = drift_of(slower[::-1])
    assert faster is not None
    assert faster.change > 0


def test_drift_is_seldom_found_where_there_is_none() -> None:
    generator = np.random.default_rng(2)
    found = [drift_of(np.exp(generator.normal(0, 0.1, 12)).tolist()) for _ in range(500)]
    assert sum(one is not None for one in found) <= 15
    assert drift_of([1.0, 0.5, 0.2]) is None


def test_outliers_are_named_by_place() -> None:
    speeds = [1.0, 1.01, 0.99, 1.0, 0.4, 1.02, 0.98, 1.0, 2.0]
    assert outliers_of(speeds) == [4, 8]
    assert outliers_of([1.0, 1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 1.03]) == []
    assert outliers_of([1.0] * 9 + [1.04]) == []
