"""Early stopping: how many queries a percentile needs before its verdict can be believed.

Source: MLPerf LoadGen since 2.0, with confidence 0.99 and tolerance 0. The published code
evaluates an incomplete beta function; the definition used here gives the same integers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.binomial import binomial_cdf

__all__ = ["EarlyStoppingEstimate", "discardable", "estimate", "total_needed"]

_DOUBT = 0.01


@dataclass(frozen=True)
class EarlyStoppingEstimate:
    """What early stopping says about one percentile.

    ``least`` is the number of queries from which an estimate exists; ``discarded`` how
    many of the slowest queries the estimate leaves out; ``value`` the estimate, or
    ``None`` where there are too few queries.
    """

    fraction: float
    processed: int
    least: int
    discarded: int = 0
    value: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether enough queries were processed."""
        return self.value is not None


def total_needed(over_bound: int, fraction: float) -> int:
    """Give how many queries make ``over_bound`` slow ones acceptable at a percentile."""
    low, high = over_bound, max(2, 2 * over_bound)
    while not _is_convincing(over_bound, high, fraction):
        low, high = high, 2 * high
    return _first_where(lambda total: _is_convincing(over_bound, total, fraction), low, high)


def discardable(total: int, fraction: float) -> int:
    """Give the largest t, at least 1, for which ``total`` queries are enough."""
    too_many = _first_where(
        lambda slow: not _is_convincing(slow, total, fraction), 1, max(2, total)
    )
    return too_many - 1


def _is_convincing(over_bound: int, total: int, fraction: float) -> bool:
    return binomial_cdf(over_bound, total, 1.0 - fraction) < _DOUBT


def _first_where(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Give the least number above ``low`` for which something holds; it does at ``high``."""
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def estimate(ordered: NDArray[np.int64], processed: int, fraction: float) -> EarlyStoppingEstimate:
    """Estimate a percentile of ``processed`` queries from ascending latencies (ns).

    ``ordered`` is int64 [n], ascending. The estimate is conservative: with 99 %
    confidence the true percentile lies below it.
    """
    least = total_needed(1, fraction)
    if processed < least:
        return EarlyStoppingEstimate(fraction, processed, least)
    out = discardable(processed, fraction)
    value = int(ordered[processed - out])
    return EarlyStoppingEstimate(fraction, processed, least, out - 1, value)
