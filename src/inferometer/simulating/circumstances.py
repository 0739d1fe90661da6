"""Circumstances: what recorded calls took longer by, for what was before them.

A regression over all calls of the time over the median of its size: what a waking worker, a cold
one, a replica with little to do, and the lap that it was measured in add to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import tells_idleness
from inferometer.simulating.service import Cold, Slack

__all__ = ["Circumstances", "circumstances_of"]

Flags = NDArray[np.bool_]

_COOLS_NS = (1e6, 2e6, 4e6, 8e6, 16e6, 32e6)
_WARMS_NS = (0.25e6, 0.5e6, 1e6, 2e6, 4e6)
_FEWEST = 30
_LONGEST = 1.7
_LEAST_COLD = 0.02
_LEAST_SLACK = 0.04
_SURE = 2.0
_LEAST_LEFT = 0.2
_MS = 1e6


@dataclass(frozen=True)
class Circumstances:
    """What was found.

    work_ns:
        What each call would have taken without it, float64 [calls].
    """

    wake_ns: float
    cold: Cold | None
    slack: Slack | None
    work_ns: Reals


def circumstances_of(calls: Calls, use: Reals) -> Circumstances:
    """Tell what calls took longer by; ``use`` is the busy share of each series.

    Calls that took far longer than the median of their size tell of other things, and aren't
    looked at; what there is too little of to tell isn't found.
    """
    base = calls.by_size().spread_medians(calls.work_ns)
    normal = calls.of_sizes_seen(_FEWEST) & (calls.work_ns < _LONGEST * base)
    regression = _Regression(calls, base, normal, use)
    cold, coldness = _cold(calls, regression)
    wake, extra, slack = regression.solve(coldness)
    cold_ns = 0.0 if coldness is None else extra * coldness
    work = np.maximum(_LEAST_LEFT * calls.work_ns, calls.work_ns - wake * calls.is_woken - cold_ns)
    if slack is not None:
        work = work / (1.0 + slack.excess * (1.0 - use[calls.series]))
    return Circumstances(wake, cold, slack, work)


def _cold(calls: Calls, regression: _Regression) -> tuple[Cold | None, Reals | None]:
    """Find how workers cool and warm; ``None`` where it explains next to nothing."""
    best = (math.inf, Cold(0.0, _COOLS_NS[0], _WARMS_NS[0]), np.zeros(len(calls.size)))
    for cools in _COOLS_NS if regression.count else ():
        found = calls.coldness(cools, _WARMS_NS)
        for warms, coldness in zip(_WARMS_NS, found.T, strict=True):
            left = regression.left(coldness)
            if left < best[0]:
                best = (left, Cold(0.0, cools, warms), coldness)
    _, cold, coldness = best
    if not regression.count:
        return None, None
    extra, error = regression.extra_ns(coldness)
    if extra < _LEAST_COLD * regression.scale_ns or extra < _SURE * error:
        return None, None
    return replace(cold, extra_ns=extra), coldness


class _Regression:
    """Least squares of the time of normal calls over the median of their size.

    Columns: the sizes, waking, the idle share of the series, and the laps but the first; and one
    more, how cold the worker was, which is told to each method.
    """

    def __init__(self, calls: Calls, base: Reals, normal: Flags, use: Reals):
        self._normal, self._scale = normal, _MS / base[normal]
        self._series = calls.series[normal]
        self.count = int(normal.sum())
        self.scale_ns = float(np.median(base[normal])) if self.count else 0.0
        sizes, place = np.unique(calls.size[normal], return_inverse=True)
        self._sizes = len(sizes)
        lap = calls.lap[normal][:, None] == np.unique(calls.lap)[None, 1:]
        self._can_slack = tells_idleness(use)
        idle = (1.0 - use)[self._series] if self._can_slack else np.zeros(self.count)
        woken = calls.is_woken[normal] * self._scale
        of_size = place[:, None] == np.arange(self._sizes)[None, :]
        self._columns = np.column_stack([of_size, woken, idle, lap]).astype(np.float64)
        self._values = calls.work_ns[normal] / base[normal]
        self._squares = self._columns.T @ self._columns
        self._products = self._columns.T @ self._values

    def _normal_equations(self, coldness: Reals | None) -> tuple[Reals, Reals, Reals]:
        """Give the matrix and the right side with the column of coldness last, and that."""
        column = np.zeros(self.count)
        if coldness is not None:
            column = coldness[self._normal] * self._scale
        beside = self._columns.T @ column
        squares = np.block([[self._squares, beside[:, None]], [beside, column @ column]])
        return squares, np.append(self._products, column @ self._values), column

    def _solved(self, coldness: Reals | None) -> tuple[Reals, Reals, Reals, Reals]:
        squares, products, column = self._normal_equations(coldness)
        inverse = np.asarray(np.linalg.pinv(squares, hermitian=True), np.float64)
        found: Reals = inverse @ products
        left = self._values - self._columns @ found[:-1] - column * found[-1]
        return found, inverse, left, column

    def left(self, coldness: Reals) -> float:
        """Give the sum of squares that is left."""
        squares, products, _ = self._normal_equations(coldness)
        found = np.linalg.pinv(squares, hermitian=True) @ products
        return float(self._values @ self._values - found @ products)

    def _error(self, number: int, inverse: Reals, left: Reals, column: Reals) -> float:
        """Give the standard error of a coefficient, calls of a series not being independent."""
        every = np.column_stack([self._columns, column]) * left[:, None]
        scores = np.zeros((int(self._series.max()) + 1, every.shape[1]))
        np.add.at(scores, self._series, every)
        return math.sqrt(float(((scores @ inverse[number]) ** 2).sum()))

    def extra_ns(self, coldness: Reals) -> tuple[float, float]:
        """Give what a call on a wholly cold worker takes besides, ns, and its standard error."""
        found, inverse, left, column = self._solved(coldness)
        return float(found[-1]) * _MS, self._error(-1, inverse, left, column) * _MS

    def solve(self, coldness: Reals | None) -> tuple[float, float, Slack | None]:
        """Give what waking takes, ns, what cold does, ns, and the slack."""
        if not self.count:
            return 0.0, 0.0, None
        found, inverse, left, column = self._solved(coldness)
        wake, idle = float(found[self._sizes]) * _MS, float(found[self._sizes + 1])
        slack = None
        if self._can_slack:
            excess = idle / float(np.mean(found[: self._sizes]))
            error = self._error(self._sizes + 1, inverse, left, column)
            if excess > _LEAST_SLACK and idle > _SURE * error:
                slack = Slack(round(excess, 4))
        return max(0.0, wake), max(0.0, float(found[-1]) * _MS), slack
