"""Paired tests: McNemar against scipy, scores, bootstrap, and what can't be paired."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.runs import paired_difference
from inferometer.workloads import AccuracyResult


def result(
    value: float,
    scores: NDArray[np.float64] | None = None,
    replicates: NDArray[np.float64] | None = None,
    total: int = 100,
    metric: str = "top-1",
) -> AccuracyResult:
    return AccuracyResult(
        metric, value, Interval(0.0, 1.0), total, 0, 0, 0, None, "",
        sample_scores=scores, replicates=replicates,
    )  # fmt: skip


stats = pytest.importorskip("scipy.stats")


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_right_or_wrong_is_compared_as_mcnemar_does(worse: int, better: int) -> None:
    first = np.array([1.0] * worse + [0.0] * better + [1.0] * 100)
    second = np.array([0.0] * worse + [1.0] * better + [1.0] * 100)
    found = paired_difference(
        result(first.mean(), first, total=len(first)),
        result(second.mean(), second, total=len(first)),
    )
    assert found is not None
    expected = 1.0
    if worse + better:
        expected = stats.binomtest(worse, worse + better, 0.5).pvalue
    assert found.p_value == pytest.approx(expected, abs=1e-8)
    assert found.value == pytest.approx((better - worse) / len(first))
    assert found.interval.low is not None
    assert found.interval.high is not None
    assert found.interval.low <= found.value <= found.interval.high


def test_scores_that_are_not_right_or_wrong() -> None:
    rng = np.random.default_rng(5)
    first = rng.normal(0.5, 0.1, 400)
    second = first + rng.normal(0.02, 0.05, 400)
    found = paired_difference(result(first.mean(), first), result(second.mean(), second))
    assert found is not None
    assert found.method == "mean of paired differences"
    assert found.p_value < 1e-6
    same = paired_difference(result(0.5, first), result(0.5, first))
    assert same is not None
    assert same.p_value == 1.0


def test_metrics_of_the_whole_set_are_compared_over_the_same_resamples() -> None:
    rng = np.random.default_rng(6)
    base = rng.normal(90.0, 0.5, 999)
    found = paired_difference(
        result(90.0, replicates=base), result(89.0, replicates=base - rng.normal(1.0, 0.1, 999))
    )
    assert found is not None
    assert found.method == "paired bootstrap"
    assert found.p_value == pytest.approx(2 / 1000)
    assert found.interval.high is not None
    assert found.interval.high < 0


def test_what_cannot_be_paired() -> None:
    scores = np.ones(100)
    assert paired_difference(result(1.0, scores), result(1.0, scores, metric="mAP")) is None
    assert paired_difference(result(1.0, scores), result(1.0, scores, total=99)) is None
    assert paired_difference(result(1.0), result(1.0)) is None
