"""Gain: how many times as good one setup is as another, from pairs of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import CONFIDENCE

__all__ = ["FEWEST_PAIRS", "Gain", "fewest_pairs", "gain_of", "signed_rank_p"]

FEWEST_PAIRS = 6
"""Fewer pairs have no 95 % interval of the signed-rank test, however clear they are."""


_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class Gain:
    """How many times as good, with its interval, from so many pairs of fresh runs."""

    value: float
    low: float
    high: float
    pairs: int

    @property
    def is_certain(self) -> bool:
        """Whether the whole interval lies above 1."""
        return self.low > 1.0

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def gain_of(pairs: Sequence[tuple[float, float]], confidence: float = CONFIDENCE) -> Gain | None:
    """Compare pairs (first, second) of measurements, more being better; ``None`` if too few.

    The estimate is that of Hodges and Lehmann on the logarithms of the ratios, and the
    interval belongs to Wilcoxon's signed-rank test, exact for any symmetric distribution. From
    twelve pairs on, one that was disturbed, however much, doesn't move an end far.

    Source: Hodges and Lehmann, Estimates of location based on rank tests, 1963.
    """
    if len(pairs) < fewest_pairs(confidence):
        return None
    means = _walsh_means(pairs)
    tail = _rank_sums(len(pairs))
    # The largest rank sum whose probability, itself included, is at most half of what the
    # confidence leaves: so many of the ordered means lie outside on each side.
    outside = int(np.searchsorted(tail, (1 - confidence) / 2 * _ROUNDING, side="right")) - 1
    low, middle, high = (means[outside], np.median(means), means[-1 - outside])
    return Gain(math.exp(middle), math.exp(low), math.exp(high), len(pairs))


def signed_rank_p(pairs: Sequence[tuple[float, float]]) -> float:
    """Give the two-sided p-value of pairs of there being no difference; 1 for no pairs.

    `gain_of` leaves 1 out of its interval exactly where this is at most what the confidence
    leaves. Of means that are exactly 0, half are taken as above and half as below.
    """
    means = _walsh_means(pairs)
    zeros = int((means == 0).sum())
    fewer = min(int((means < 0).sum()), int((means > 0).sum())) + zeros // 2
    return min(1.0, 2.0 * float(_rank_sums(len(pairs))[fewer]))


def fewest_pairs(confidence: float) -> int:
    """Give how many pairs the signed-rank test needs for an interval of a confidence."""
    return 1 + math.ceil(math.log2(1 / ((1 - confidence) * _ROUNDING)))


def _walsh_means(pairs: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Give the means of every two of the logarithms of the ratios, in order."""
    ratios = np.array([math.log(second / first) for first, second in pairs])
    rows, columns = np.triu_indices(len(ratios))
    means: NDArray[np.float64] = np.sort((ratios[rows] + ratios[columns]) / 2)
    return means


def _rank_sums(count: int) -> NDArray[np.float64]:
    """Give the probability of each rank sum or a smaller one; all subsets of ranks count."""
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):
        ways[rank:] += ways[:-rank].copy()
    tail: NDArray[np.float64] = np.cumsum(ways) / 2.0**count
    return tail
