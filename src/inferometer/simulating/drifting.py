"""Drifting: how the speed of recorded calls wanders.

It is told from how much calls of a series differ by the time between them: what is the same for
calls of about the same time, and another later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import Groups, deviation_of, tells_idleness
from inferometer.simulating.service import Drift

__all__ = ["drift_of"]

Integers = NDArray[np.int64]

_PERIODS_S = tuple(0.02 * 2 ** (n / 2) for n in range(17))
_LONGEST_OF_SPAN = 0.5
_FEWEST_CALLS = 200
_LAGS = 16
_MOST_DEVIATIONS = 4.0
_LEAST_DRIFT = 0.03
_TURNS, _NEAR = 20, 0.02
_SURE = 4.0
_BLOCKS_IN_A_PERIOD = 2.0
_FEWEST_IN_A_BLOCK = 5


@dataclass(frozen=True)
class _Differences:
    """Half the mean square of the difference of two calls of a series, by the time between."""

    series: int
    variance: float
    after_s: Reals
    halves: Reals

    def fitted(self, period_s: float) -> tuple[float, float]:
        """Give the variance of what wanders with a period, and the squares that are left."""
        rise = 1.0 - np.exp(-self.after_s / period_s)
        columns = np.column_stack([np.ones(len(rise)), rise])
        found, *_ = np.linalg.lstsq(columns, self.halves, rcond=None)
        if found[1] < 0.0:
            found = np.array([float(self.halves.mean()), 0.0])
        left = self.halves - columns @ found
        return float(found[1]), float(left @ left) / self.variance**2


def drift_of(calls: Calls, use: Reals) -> tuple[Drift | None, Reals]:
    """Find how the speed wanders, and the factor of it that each call shares with others.

    ``use`` is the busy share of each series; an idle machine may wander more.
    """
    logs = np.log(np.maximum(1.0, calls.work_ns))
    around = logs - calls.by_size().spread_medians(logs)
    most = _MOST_DEVIATIONS * max(deviation_of(around), 1e-9)
    around = np.clip(around, -most, most)
    none = np.ones(len(around))
    each = (_differences(calls, around, series) for series in range(len(use)))
    differences = [one for one in each if one is not None]
    if not differences:
        return None, none
    longest_s = max(float(one.after_s[-1]) for one in differences)
    periods = [period for period in _PERIODS_S if period <= longest_s] or [_PERIODS_S[0]]
    period_s = min(periods, key=lambda at: sum(one.fitted(at)[1] for one in differences))
    variances = np.array([one.fitted(period_s)[0] for one in differences])
    every = np.mean([one.variance for one in differences])
    if np.median(variances) < max(_LEAST_DRIFT**2, _SURE * every / math.sqrt(len(around))):
        return None, none
    idle = np.array([1.0 - use[one.series] for one in differences])
    spread, idle_spread = _spreads(np.sqrt(variances), idle)
    drift = Drift(round(spread, 4), round(period_s, 3), round(idle_spread, 4))
    of_series = (spread + idle_spread * (1.0 - use)) ** 2
    shared = np.exp(_shared(calls, around, of_series, period_s))
    # The mean of what replicas are slowed down by is 1, and so is that of what is taken out.
    return drift, shared / shared.mean()


def _differences(calls: Calls, around: Reals, series: int) -> _Differences | None:
    here = np.flatnonzero(calls.series == series)
    if len(here) < _FEWEST_CALLS:
        return None
    values, at_s = around[here], calls.at_ns[here] / 1e9
    lags = np.unique(np.geomspace(1, len(here) * _LONGEST_OF_SPAN, _LAGS).astype(np.int64))
    after = [float(np.mean(at_s[lag:] - at_s[:-lag])) for lag in lags]
    halves = [float(np.mean((values[lag:] - values[:-lag]) ** 2)) / 2 for lag in lags]
    variance = float(values.var())
    if not variance:
        return None
    return _Differences(series, variance, np.array(after), np.array(halves))


def _spreads(found: Reals, idle: Reals) -> tuple[float, float]:
    """Give the spread on a busy replica and what an idle one has more, neither below 0.

    It is the line that the spreads of the series lie least away from: a few that were disturbed
    don't move it, as they wouldn't a median.
    """
    middle = float(np.median(found))
    if not tells_idleness(idle):
        return middle, 0.0
    weights = np.ones(len(found))
    for _ in range(_TURNS):
        more, spread = np.polyfit(idle, found, 1, w=np.sqrt(weights))
        weights = 1.0 / np.maximum(np.abs(found - spread - more * idle), _NEAR * middle)
    if more < 0.0:
        return middle, 0.0
    if spread < 0.0:
        return 0.0, float(np.median(found / idle))
    return float(spread), float(more)


def _shared(calls: Calls, around: Reals, of_series: Reals, period_s: float) -> Reals:
    """Give what calls have in common with their neighbours.

    The median of a block of time, less what chance alone gives it.
    """
    block = (calls.at_ns / (period_s * 1e9 / _BLOCKS_IN_A_PERIOD)).astype(np.int64)
    _, first, place, counts = np.unique(
        block + calls.series * 1_000_000,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    groups = Groups(place)
    variances, chance = of_series[calls.series[first]], groups.median_variances(around)
    weight = np.where(
        counts >= _FEWEST_IN_A_BLOCK, variances / np.maximum(variances + chance, 1e-12), 0.0
    )
    found: Reals = groups.spread(groups.medians(around) * weight)
    return found
