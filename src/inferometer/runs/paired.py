"""Paired tests: whether two systems that answered the same samples differ in accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.loadgen.binomial import binomial_cdf
from inferometer.loadgen.deviates import (
    NORMAL_DEVIATE,
    normal_equivalent,
    student_deviate,
    tail_of,
)
from inferometer.workloads import AccuracyResult

__all__ = ["PairedDifference", "paired_difference"]


@dataclass(frozen=True)
class PairedDifference:
    """The second accuracy minus the first, over the same samples.

    value, interval:
        The difference in the metric's unit, and its 95 % interval.
    p_value:
        Two-sided, of there being no difference.
    method:
        How they were computed.
    """

    value: float
    interval: Interval
    p_value: float
    method: str


def paired_difference(first: AccuracyResult, second: AccuracyResult) -> PairedDifference | None:
    """Compare two results on the same samples; ``None`` if they can't be paired.

    Right-or-wrong scores are compared by McNemar's exact test, other scores of single
    samples by the normal approximation of their mean difference, and metrics over the
    whole set by the bootstrap over the same resamples.
    """
    if first.metric != second.metric or first.total != second.total:
        return None
    value = second.value - first.value
    if first.sample_scores is not None and second.sample_scores is not None:
        return _of_scores(second.sample_scores - first.sample_scores)
    if first.replicates is not None and second.replicates is not None:
        return _of_replicates(value, second.replicates - first.replicates)
    return None


def _of_scores(differences: NDArray[np.float64]) -> PairedDifference:
    if set(np.unique(differences)) <= {-1.0, 0.0, 1.0}:
        return _of_answers(differences)
    count, value = len(differences), float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    half = student_deviate(count - 1) * error
    p_value = 2.0 * tail_of(normal_equivalent(abs(value) / error, count - 1)) if error else 1.0
    interval = Interval(value - half, value + half)
    return PairedDifference(value, interval, p_value, "mean of paired differences")


def _of_answers(differences: NDArray[np.float64]) -> PairedDifference:
    """Compare right and wrong answers; one more of each kind keeps the interval honest.

    Source: Bonett and Price, Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data, 2012.
    """
    worse, better = int((differences < 0).sum()), int((differences > 0).sum())
    count = len(differences) + 2
    down, up = (worse + 1) / count, (better + 1) / count
    half = NORMAL_DEVIATE * math.sqrt((up + down - (up - down) ** 2) / count)
    interval = Interval(max(-1.0, up - down - half), min(1.0, up - down + half))
    value = float(differences.mean())
    return PairedDifference(value, interval, _mcnemar(worse, better), "McNemar's exact test")


def _mcnemar(worse: int, better: int) -> float:
    """Give the exact two-sided p-value of so many discordant pairs each way."""
    discordant = worse + better
    if not discordant:
        return 1.0
    return min(1.0, 2.0 * binomial_cdf(min(worse, better), discordant, 0.5))


def _of_replicates(value: float, differences: NDArray[np.float64]) -> PairedDifference:
    low, high = np.quantile(differences, [0.025, 0.975]).tolist()
    # One more on both sides: the p-value of a finite number of resamples is never zero.
    count = len(differences) + 1
    below, above = int((differences <= 0).sum()) + 1, int((differences >= 0).sum()) + 1
    p_value = min(1.0, 2.0 * min(below, above) / count)
    return PairedDifference(value, Interval(low, high), p_value, "paired bootstrap")
