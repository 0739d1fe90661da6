"""Statistics of latencies: published percentiles, and how far they can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.binomial import binomial_cdf
from inferometer.loadgen.dependence import INDEPENDENT, Dependence, dependence_of
from inferometer.loadgen.deviates import NORMAL_DEVIATE, student_deviate
from inferometer.loadgen.episodes import SHORT_SERIES, met_rarely, rarity_scores
from inferometer.loadgen.order_statistics import bounding_ranks, entry_at

__all__ = [
    "CONFIDENCE",
    "Interval",
    "binomial_cdf",
    "exceedance_dependence",
    "per_second",
    "percentile",
    "percentile_interval",
    "proportion_interval",
    "rate_interval",
    "required_samples",
    "series_interval",
]

CONFIDENCE = 0.95
"""Confidence of every interval that is printed."""

_FEWEST_ABOVE = 200
# Like the logarithm of a latency's rarity: what is slow weighs more than what is fast.
_LEVELS = (0.25, 0.5, 0.75, 0.875, 0.9375, 0.97)
_ENDED_WIDTH = 1.05
_WINDOWS = 20
_STUDENT_QUANTILE = 2.093024054408263  # 0.975 quantile with _WINDOWS - 1 degrees of freedom
_BATCH_Z = 2.5758293035489004  # 99 % confidence, as the sample sizes of v0.5 are made

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A confidence interval; an open end is ``None``."""

    low: float | None
    high: float | None

    def relative_half_width(self, value: float) -> float:
        """Give half the width over the value; infinite for an open interval."""
        if self.low is None or self.high is None or not value:
            return math.inf
        return (self.high - self.low) / 2 / abs(value)


def percentile(ordered: Integers, fraction: float) -> int:
    """Give the published percentile: the entry at ``trunc(count * fraction)``.

    ``ordered`` is int64 [n], ascending, n at least 1. There is no interpolation.
    """
    return int(ordered[min(int(len(ordered) * fraction), len(ordered) - 1)])


def percentile_interval(ordered: Integers, fraction: float) -> Interval:
    """Give the order-statistic interval of a percentile of independent values.

    ``ordered`` is int64 [n], ascending. It is free of any distribution; an end is open
    where there are too few samples beyond it. For values in the order of time, which may
    resemble their neighbours, there is `series_interval`.
    """
    return _interval_of(ordered, fraction, INDEPENDENT)


def series_interval(
    values: Integers, ordered: Integers, fraction: float, *, ended_itself: bool = False
) -> Interval:
    """Give the interval of a percentile of values that may resemble their neighbours.

    ``values`` is int64 [n], in the order of time, and ``ordered`` the same, ascending. How
    much those above the percentile cluster tells how many independent ones they are worth,
    and the order statistics of so many bound the percentile. Both ends are open where they
    resemble each other over a good part of the series, and the upper one where the series
    met times with high values, but too few to tell how often they come.

    A series that ``ended_itself`` because this interval was narrow ended a little more often
    where it happened to be too narrow; a twentieth more of width makes up for it.
    """
    threshold = percentile(ordered, fraction)
    found = exceedance_dependence(values, threshold, fraction, ordered)
    return _interval_of(ordered, fraction, found, _ENDED_WIDTH if ended_itself else 1.0)


def exceedance_dependence(
    values: Integers, threshold: int, fraction: float, ordered: Integers | None = None
) -> Dependence:
    """Estimate how much the values above a percentile cluster.

    ``values`` is int64 [n], in the order of time, and ``threshold`` what about a share of
    ``fraction`` lies below. Where only a few values lie above, those above a lower one tell.
    ``ordered``, the values ascending, saves time where it is known.
    """
    count = len(values)
    if count == 0:
        return INDEPENDENT
    is_rare = False
    if count <= SHORT_SERIES:
        ordered = np.sort(values) if ordered is None else ordered
        is_rare = met_rarely(rarity_scores(values, ordered))
    places = [int(level * count) for level in _LEVELS]
    enough = max(0, count - 1 - _FEWEST_ABOVE)
    if ordered is None:
        ordered = np.partition(values, [*places, enough])
    if enough and np.count_nonzero(values > threshold) < _FEWEST_ABOVE:
        threshold = min(threshold, int(ordered[enough]))
    scores = np.zeros(count, np.int8)
    for place in places:
        scores += values > ordered[place]
    rarity = min(fraction, 1.0 - fraction)
    return dependence_of(values > threshold, scores, rarity, is_rare=is_rare)


def _interval_of(
    ordered: Integers, fraction: float, found: Dependence, width: float = 1.0
) -> Interval:
    if found.is_too_long:
        return Interval(None, None)
    count = len(ordered)
    worth = max(1, round(count / found.inflation))
    low, high = bounding_ranks(worth, fraction, width * student_deviate(found.freedom))
    scale = (count + 1) / (worth + 1)
    upper = None if found.is_rare else entry_at(ordered, high, scale)
    return Interval(entry_at(ordered, low, scale), upper)


def per_second(count: int, duration_ns: int | None) -> float | None:
    """Give count per second; ``None`` for no duration."""
    if duration_ns is None or duration_ns <= 0:
        return None
    return count / (duration_ns / 1e9)


def rate_interval(completed_ns: Integers) -> Interval | None:
    """Give the interval of a completion rate (per second) by batch means.

    ``completed_ns`` is int64 [n]. The time from the start to the last completion is cut
    into 20 windows; ``None`` where completions come in too few lumps for that to say
    anything.
    """
    last = int(completed_ns.max(initial=0))
    if last <= 0 or not _has_moments(completed_ns, 4 * _WINDOWS):
        return None
    edges = np.linspace(0, last, _WINDOWS + 1)
    counts, _ = np.histogram(completed_ns, edges)
    rates = counts / (last / _WINDOWS) * 1e9
    mean = float(rates.mean())
    half = _STUDENT_QUANTILE * float(rates.std(ddof=1)) / math.sqrt(_WINDOWS)
    return Interval(max(0.0, mean - half), mean + half)


def _has_moments(stamps: Integers, least: int) -> bool:
    """Tell whether there are at least so many different stamps."""
    if int(stamps.min()) == int(stamps.max()):
        return least <= 1
    ordered = np.sort(stamps)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 >= least


def proportion_interval(successes: float, count: float) -> Interval:
    """Give the Wilson interval of a proportion; counts may be worth of dependent values."""
    if not count:
        return Interval(None, None)
    share, z = successes / count, NORMAL_DEVIATE
    scale = 1.0 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def required_samples(fraction: float) -> int:
    """Give how many queries the v0.5 rules ask for at a percentile, before rounding up.

    N = z² p (1 - p) / m² with the margin m = (1 - p) / 20 at 99 % confidence: 23,886 at
    p90, 262,742 at p99. The rules round these up to multiples of 8,192.

    Source: MLPerf Inference v0.5 rules, appendix on query counts.
    """
    margin = (1.0 - fraction) / 20.0
    return round(_BATCH_Z**2 * fraction * (1.0 - fraction) / margin**2)
