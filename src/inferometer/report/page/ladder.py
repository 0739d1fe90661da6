"""Ladder: a distribution as exact counts at chosen values, small whatever the run's length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.report.page.packing import packed

__all__ = ["Ladder"]

_SLOWEST = 1000

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Ladder:
    """How many of some values lie at or below each rung.

    count:
        Values altogether.
    rungs, at_or_below:
        int64 [n]: rising values, and how many are at or below each.
    is_complete:
        Whether every different value is a rung, so that counts between rungs are exact too.
    """

    count: int
    rungs: Integers
    at_or_below: Integers
    is_complete: bool

    @classmethod
    def of(cls, values: Integers, most_rungs: int = 8192) -> Ladder:
        """Choose rungs for int64 [n], n at least 1: all values, or a grid and the largest.

        The grid is even in value, in its logarithm and in rank, a third of the rungs each.
        """
        ordered = np.sort(values)
        is_new = np.append(True, ordered[1:] != ordered[:-1])
        rungs = ordered[is_new]
        is_complete = len(rungs) <= most_rungs
        if not is_complete:
            rungs = _grid(ordered, most_rungs // 3)
        return cls(len(ordered), rungs, np.searchsorted(ordered, rungs, "right"), is_complete)

    def to_page(self) -> dict[str, Any]:
        """Give what the page's script draws."""
        return {
            "count": self.count,
            "complete": self.is_complete,
            "rungs": packed(self.rungs),
            "below": packed(self.at_or_below),
        }


def _grid(ordered: Integers, each: int) -> Integers:
    low, high = int(ordered[0]), int(ordered[-1])
    ranks = np.linspace(0, len(ordered) - 1, each).astype(np.int64)
    even = np.linspace(low, high, each).astype(np.int64)
    by_factor = np.geomspace(max(low, 1), max(high, 1), each).astype(np.int64)
    return np.unique(np.concatenate([ordered[ranks], even, by_factor, ordered[-_SLOWEST:]]))
