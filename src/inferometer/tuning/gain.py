"""Gain: how many times as good one setup is as another, from pairs of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import CONFIDENCE

__all__ = ["FEWEST_PAIRS", "Gain", "gain_of"]

FEWEST_PAIRS = 6
"""Fewer pairs have no 95 % interval of the signed-rank test, however clear they are."""


@dataclass(frozen=True)
class Gain:
    """How many times as good, with its 95 % interval, from so many pairs of fresh runs."""

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


def gain_of(pairs: Sequence[tuple[float, float]]) -> Gain | None:
    """Compare pairs (first, second) of measurements, more being better; ``None`` if too few.

    The estimate is that of Hodges and Lehmann on the logarithms of the ratios, and the
    interval belongs to Wilcoxon's signed-rank test, exact for any symmetric distribution. From
    twelve pairs on, one that was disturbed, however much, doesn't move an end far.

    Source: Hodges and Lehmann, Estimates of location based on rank tests, 1963.
    """
    if len(pairs) < FEWEST_PAIRS:
        return None
    ratios = np.array([math.log(second / first) for first, second in pairs])
    rows, columns = np.triu_indices(len(ratios))
    means = np.sort((ratios[rows] + ratios[columns]) / 2)
    outside = _ranks_outside(len(ratios))
    low, middle, high = (means[outside], np.median(means), means[-1 - outside])
    return Gain(math.exp(middle), math.exp(low), math.exp(high), len(ratios))


def _ranks_outside(count: int) -> int:
    """Give how many of the ordered means lie outside the interval on each side.

    That is the largest rank sum whose probability, itself included, is at most half of what
    the confidence leaves; the sums of all subsets of the ranks are counted.
    """
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):
        ways[rank:] += ways[:-rank].copy()
    tail = np.cumsum(ways) / 2.0**count
    return int(np.searchsorted(tail, (1 - CONFIDENCE) / 2, side="right")) - 1
