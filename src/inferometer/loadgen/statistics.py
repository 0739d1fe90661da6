"""Statistics of latencies: published percentiles, and how far they can be trusted."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONFIDENCE",
    "Interval",
    "binomial_cdf",
    "percentile",
    "percentile_interval",
    "proportion_interval",
    "rate_interval",
    "required_samples",
]

CONFIDENCE = 0.95
"""Confidence of every interval that is printed."""

_NORMAL_QUANTILE = 1.959963984540054
_WINDOWS = 20
_STUDENT_QUANTILE = 2.093024054408263  # 0.975 quantile with _WINDOWS - 1 degrees of freedom
_TAIL_DEVIATIONS = 12.0
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
    """Give the order-statistic interval of a percentile, free of any distribution.

    An end is open where there are too few samples beyond it. The samples are taken as
    independent; queueing makes neighbours alike, so under heavy load the true interval
    is wider.
    """
    count = len(ordered)
    low_rank, high_rank = _interval_ranks(count, fraction)
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else None
    high = float(ordered[high_rank - 1]) if high_rank <= count else None
    return Interval(low, high)


@functools.lru_cache(maxsize=256)
def _interval_ranks(count: int, fraction: float) -> tuple[int, int]:
    """Give the ranks, from 1, of the entries that bound a percentile's interval."""
    tail = (1.0 - CONFIDENCE) / 2
    low_rank = _binomial_quantile(tail, count, fraction)
    return low_rank, _binomial_quantile(1.0 - tail, count, fraction) + 1


def _binomial_quantile(probability: float, count: int, chance: float) -> int:
    """Give the smallest k with P[Binomial(count, chance) <= k] >= probability."""
    deviation = math.sqrt(count * chance * (1 - chance))
    low = max(0, int(count * chance - _TAIL_DEVIATIONS * deviation) - 1)
    high = min(count, int(count * chance + _TAIL_DEVIATIONS * deviation) + 1)
    while low < high:
        middle = (low + high) // 2
        if binomial_cdf(middle, count, chance) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def binomial_cdf(successes: int, count: int, chance: float) -> float:
    """Give P[Binomial(count, chance) <= successes], to about nine digits."""
    if successes < 0:
        return 0.0
    if successes >= count:
        return 1.0
    if successes > count * chance:
        return 1.0 - binomial_cdf(count - successes - 1, count, 1.0 - chance)
    # From the largest term down, each term is the one above times a ratio below 1.
    log_term = (
        math.lgamma(count + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(count - successes + 1)
        + successes * math.log(chance)
        + (count - successes) * math.log1p(-chance)
    )
    total, ratio = 1.0, 1.0
    odds = (1.0 - chance) / chance
    for k in range(successes, 0, -1):
        ratio *= k / (count - k + 1) * odds
        total += ratio
        if ratio < total * 1e-17:
            break
    return math.exp(log_term) * total


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


def proportion_interval(successes: int, count: int) -> Interval:
    """Give the Wilson interval of a proportion."""
    if not count:
        return Interval(None, None)
    share, z = successes / count, _NORMAL_QUANTILE
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
