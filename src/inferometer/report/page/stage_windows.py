"""Stage windows: where the time of samples went, summed over windows of equally many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import PhaseTimes
from inferometer.report.page.packing import packed

__all__ = ["StageWindows"]

_MOST_WINDOWS = 2048

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class StageWindows:
    """Sums of each stage over windows of samples, in the order in which their work began.

    per, count:
        Samples in a window, the last may hold fewer, and altogether.
    first_ns:
        int64 [windows]: when the work on the first sample of each began.
    sums_ns:
        int64 [windows] by stage. Means of any stretch of windows follow exactly.
    """

    per: int
    count: int
    first_ns: Integers
    sums_ns: Mapping[str, Integers]

    @classmethod
    def of(cls, times: PhaseTimes, *, with_wait: bool, most: int = _MOST_WINDOWS) -> StageWindows:
        """Sum the stages of a series in at most so many windows."""
        order = np.argsort(times.began_ns, kind="stable")
        count = len(order)
        per = max(1, -(-count // most))
        starts = np.arange(0, count, per)
        sums = {
            name: np.add.reduceat(values[order], starts)
            for name, values in times.by_name(with_wait=with_wait).items()
        }
        return cls(per, count, times.began_ns[order][::per], sums)

    def to_page(self) -> dict[str, Any]:
        """Give what the page's script draws."""
        return {
            "per": self.per,
            "count": self.count,
            "first": packed(self.first_ns),
            "sums": {name: packed(values) for name, values in self.sums_ns.items()},
        }
