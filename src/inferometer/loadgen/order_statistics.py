"""Order statistics: which entries of a sorted sample bound a percentile."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.binomial import binomial_cdf, binomial_quantile
from inferometer.loadgen.deviates import tail_of

__all__ = ["bounding_ranks", "entry_at"]

_LARGE = 200.0


def entry_at(
    ordered: NDArray[np.int64] | NDArray[np.float64], rank: float | None, scale: float = 1.0
) -> float | None:
    """Give the entry at a rank from 1, between two of them in proportion.

    The rank is one of ``scale`` times fewer entries; ``None`` for none, and beyond the ends.
    """
    if rank is None:
        return None
    below = int(rank * scale)
    if not 1 <= below < len(ordered):
        return None
    low, high = ordered[below - 1 : below + 1].tolist()
    return float(low + (rank * scale - below) * (high - low))


@functools.lru_cache(maxsize=1024)
def bounding_ranks(
    count: int, fraction: float, deviate: float
) -> tuple[float | None, float | None]:
    """Give the ranks, from 1 and with a fraction, of the ends of a percentile's interval.

    ``deviate`` is the normal one of the confidence, 1.96 for 95 %. An end is ``None`` where
    ``count`` entries are too few for one. Between two ranks the weight is that of Nyblom,
    which is exact to a fraction of a percent whatever the distribution's shape; where a
    binomial distribution is nearly normal its expansion is used, which is as exact.

    Source: Nyblom, Note on interpolated order statistics, 1992; Cornish and Fisher, 1938.
    """
    variance = count * fraction * (1.0 - fraction)
    if variance > _LARGE:
        middle = count * fraction + 0.5 + (1.0 - 2.0 * fraction) * (deviate**2 - 1.0) / 6.0
        half = deviate * math.sqrt(variance)
        return middle - half, middle + half
    tail = tail_of(deviate)
    return _rank(count, fraction, tail), _rank(count, fraction, 1.0 - tail)


def _rank(count: int, fraction: float, probability: float) -> float | None:
    """Give the rank whose entry is at or above the percentile with some probability."""
    # The entry of rank r is at or above it where fewer than r entries are below.
    below = binomial_quantile(probability, count, fraction)
    before = binomial_cdf(below - 1, count, fraction)
    if not 1 <= below < count:
        return None
    missing = binomial_cdf(below, count, fraction) - probability
    beyond = probability - before
    if beyond <= 0.0:
        return float(below)
    odds = below * (1.0 - fraction) * missing / ((count - below) * fraction * beyond)
    return below + 1.0 / (1.0 + odds)
