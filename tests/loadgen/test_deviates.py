"""Deviates against SciPy."""

from __future__ import annotations

import pytest

from inferometer.loadgen.deviates import normal_equivalent, student_deviate, tail_of

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("freedom", [4, 5.5, 19, 100, 1e9])
def test_students_deviate(freedom: float) -> None:
    assert student_deviate(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.004)
    assert student_deviate(freedom, 1.2) == pytest.approx(
        stats.t.ppf(stats.norm.cdf(1.2), freedom), rel=0.004
    )


@pytest.mark.parametrize("freedom", [4, 19, 100])
@pytest.mark.parametrize("deviate", [0.0, 0.5, 2.0, 4.0])
def test_tail_of_students_distribution(freedom: float, deviate: float) -> None:
    found = tail_of(normal_equivalent(deviate, freedom))
    assert found == pytest.approx(stats.t.sf(deviate, freedom), rel=0.05)
