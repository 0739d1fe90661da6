"""Queue depth: how many queries were outstanding, from their stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.report.page.packing import packed
from inferometer.report.page.time_bins import TimeBins

__all__ = ["QueueDepth"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class QueueDepth:
    """Outstanding queries in each time bin: int64 [bins] at its start, least and most.

    At a moment, those count that were issued by then and aren't completed by then.
    """

    bins: TimeBins
    at_start: Integers
    least: Integers
    most: Integers

    @classmethod
    def of(cls, issued_ns: Integers, completed_ns: Integers, bins: TimeBins) -> QueueDepth:
        """Follow queries: int64 [issued], and int64 [answered] of those that were answered."""
        times = np.concatenate([issued_ns, completed_ns])
        changes = np.ones(len(times), np.int64)
        changes[len(issued_ns) :] = -1
        order = np.argsort(times, kind="stable")
        times, depths = times[order], np.concatenate([[0], np.cumsum(changes[order])])
        moments = np.sort(np.concatenate([times, bins.starts_ns]), kind="stable")
        depth = depths[np.searchsorted(times, moments, "right")]
        firsts = np.searchsorted(moments, bins.starts_ns)
        return cls(
            bins,
            depth[firsts],
            np.minimum.reduceat(depth, firsts),
            np.maximum.reduceat(depth, firsts),
        )

    def to_page(self) -> dict[str, Any]:
        """Give what the page's script draws."""
        return {
            "width": self.bins.width_ns,
            "start": packed(self.at_start),
            "least": packed(self.least),
            "most": packed(self.most),
        }
