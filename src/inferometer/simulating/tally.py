"""Tally: latencies by the hundred million in bounded memory, and percentiles with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals

__all__ = ["Estimate", "Tally"]

_PER_E_FOLD = 1000
_LOWEST_NS = 1.0
_BINS = 36 * _PER_E_FOLD
_FLUSH_AT = 1 << 19
# 0.975 quantile of Student's t by degrees of freedom, from 1.
_STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
            2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval; the ends are what simulating leaves open."""

    value: float
    low: float
    high: float


class Tally:
    """Counts latencies, ns, in bins 0.1 % wide, by group.

    Groups are parts of the simulation that know nothing of each other, or next to nothing: how
    much they differ tells how far the whole can be trusted.
    """

    def __init__(self, groups: int):
        self._counts: NDArray[np.int64] = np.zeros((groups, _BINS), np.int64)
        self._sums: Reals = np.zeros(groups)
        self._waiting: list[tuple[Reals, NDArray[np.int64]]] = []
        self._held = 0

    def add(self, latency_ns: Reals, group: NDArray[np.int64]) -> None:
        """Take in latencies, float64 [n], with the group of each."""
        self._waiting.append((latency_ns, group))
        self._held += len(latency_ns)
        if self._held >= _FLUSH_AT:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        latency = np.concatenate([part[0] for part in self._waiting])
        group = np.concatenate([part[1] for part in self._waiting])
        self._waiting, self._held = [], 0
        bins = (np.log(np.maximum(latency, _LOWEST_NS)) * _PER_E_FOLD).astype(np.int64)
        bins = np.minimum(bins, _BINS - 1) + group * _BINS
        found = np.bincount(bins, minlength=self._counts.size)
        self._counts += found.reshape(self._counts.shape)
        self._sums += np.bincount(group, latency, minlength=len(self._sums))

    @property
    def count(self) -> int:
        """Latencies counted."""
        self._flush()
        return int(self._counts.sum())

    def mean(self) -> Estimate:
        """Give the mean."""
        self._flush()
        counts = self._counts.sum(axis=1)
        used = counts > 0
        return _estimate(
            float(self._sums.sum() / max(1, counts.sum())), self._sums[used] / counts[used]
        )

    def percentile(self, fraction: float) -> Estimate:
        """Give a percentile, to 0.05 % of its value."""
        self._flush()
        groups = [row for row in self._counts if row.any()]
        return _estimate(
            _quantile(self._counts.sum(axis=0), fraction),
            np.array([_quantile(row, fraction) for row in groups]),
        )

    def share_above(self, limit_ns: float) -> Estimate:
        """Give the share of latencies over a limit."""
        self._flush()
        place = min(_BINS - 1, int(math.log(max(limit_ns, _LOWEST_NS)) * _PER_E_FOLD))
        above, counts = self._counts[:, place + 1 :].sum(axis=1), self._counts.sum(axis=1)
        used = counts > 0
        return _estimate(float(above.sum() / max(1, counts.sum())), above[used] / counts[used])


def _quantile(counts: NDArray[np.int64], fraction: float) -> float:
    ends = np.cumsum(counts)
    if not ends[-1]:
        return math.nan
    place = int(np.searchsorted(ends, min(int(ends[-1] * fraction), ends[-1] - 1), side="right"))
    return math.exp((place + 0.5) / _PER_E_FOLD)


def _estimate(value: float, parts: Reals) -> Estimate:
    """Give a value with the interval that parts of the whole, all alike, leave to it."""
    count = len(parts)
    if count < 2:
        return Estimate(value, -math.inf, math.inf)
    student = _STUDENT[count - 2] if count - 2 < len(_STUDENT) else 1.97
    half = student * float(np.std(parts, ddof=1)) / math.sqrt(count)
    return Estimate(value, max(0.0, value - half), value + half)
