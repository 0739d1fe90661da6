"""Groups: values by what they have in common, and their medians."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals

__all__ = ["Groups", "deviation_of", "tells_idleness"]

Integers = NDArray[np.int64]

_FEWEST_SERIES, _LEAST_SPAN = 3, 0.3


def tells_idleness(shares: Reals) -> bool:
    """Tell whether series with these busy, or idle, shares show what an idle machine changes."""
    return len(shares) >= _FEWEST_SERIES and float(np.ptp(shares)) >= _LEAST_SPAN


def deviation_of(values: Reals) -> float:
    """Give about the standard deviation of values, from how far their middle half spreads."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / 1.349


class Groups:
    """Values by group; ``keys`` is int64 [values]."""

    def __init__(self, keys: Integers):
        self._place = np.unique(keys, return_inverse=True)[1]
        self._order = np.argsort(self._place, kind="stable")
        self._cuts = np.cumsum(np.bincount(self._place))[:-1]

    def _parts(self, values: Reals) -> list[Reals]:
        return np.split(values[self._order], self._cuts)

    def medians(self, values: Reals) -> Reals:
        """Give the median of each group."""
        return np.array([float(np.median(part)) for part in self._parts(values)])

    def means(self, values: Reals) -> Reals:
        """Give the mean of each group."""
        sums = np.bincount(self._place, weights=values)
        found: Reals = sums / np.bincount(self._place)
        return found

    def median_variances(self, values: Reals) -> Reals:
        """Give about the variance of each of them by chance."""
        return np.array([_median_variance(part) for part in self._parts(values)])

    def spread(self, of_groups: Reals) -> Reals:
        """Give each value that of its group."""
        return of_groups[self._place]

    def spread_means(self, values: Reals) -> Reals:
        """Give each value the mean of its group."""
        return self.spread(self.means(values))

    def spread_medians(self, values: Reals) -> Reals:
        """Give each value the median of its group."""
        return self.spread(self.medians(values))


def _median_variance(values: Reals) -> float:
    """Give about the variance of a median."""
    return math.pi / 2 * deviation_of(values) ** 2 / len(values)
