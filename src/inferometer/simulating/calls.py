"""Calls: those of all recorded series, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.batches import Batches
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import Groups

__all__ = ["Calls"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Calls:
    """Calls of all series, by their begin within a series. Arrays have one entry a call.

    work_ns:
        What each would have taken alone.
    at_ns, took_ns:
        When it began, and how long it held its worker.
    series, lap:
        Numbers, ascending.
    worker, idle_ns:
        Its worker, and how long that had been idle.
    """

    size: Integers
    work_ns: Reals
    at_ns: Reals
    took_ns: Reals
    series: Integers
    lap: Integers
    worker: Integers
    idle_ns: Reals

    @classmethod
    def of(cls, batches: Sequence[Batches], laps: Sequence[int], contention: float) -> Calls:
        """Put the calls of series together; ``laps`` has the lap of each series."""
        lengths = [len(one.size) for one in batches]
        return cls(
            np.concatenate([one.size for one in batches]),
            np.concatenate([one.work_ns(contention) for one in batches]),
            np.concatenate([one.closed_ns for one in batches]),
            np.concatenate([one.took_ns for one in batches]),
            np.repeat(np.arange(len(batches)), lengths),
            np.repeat(np.array(laps), lengths),
            np.concatenate([one.worker for one in batches]),
            np.concatenate([one.idle_ns for one in batches]),
        )

    @property
    def is_woken(self) -> NDArray[np.bool_]:
        """Whether its worker had waited for it."""
        return self.idle_ns > 0.0

    def with_work(self, work_ns: Reals) -> Calls:
        """Give the same calls with other times."""
        return replace(self, work_ns=np.maximum(1.0, work_ns))

    def only(self, which: NDArray[np.bool_]) -> Calls:
        """Give some of the calls."""
        return Calls(*(getattr(self, one.name)[which] for one in fields(self)))

    def by_size(self) -> Groups:
        """Give the calls grouped by the size of their batch."""
        return Groups(self.size)

    def of_sizes_seen(self, fewest: int) -> NDArray[np.bool_]:
        """Tell which calls have a size that was seen so often."""
        sizes, counts = np.unique(self.size, return_counts=True)
        found: NDArray[np.bool_] = np.isin(self.size, sizes[counts >= fewest])
        return found

    def coldness(self, cools_ns: float, warms_ns: Sequence[float]) -> Reals:
        """Give how cold the worker of each call was as it began, float64 [calls, warms].

        A share for each of some times that a busy worker stays cold; see `Cold`.
        """
        order = np.lexsort((self.worker, self.series))
        chain = np.stack([self.series, self.worker])[:, order]
        is_first = np.r_[True, (chain[:, 1:] != chain[:, :-1]).any(axis=0)][:, None]
        kept_idle: Reals = np.exp(-self.idle_ns[order] / cools_ns)[:, None]
        kept_busy: Reals = np.exp(-self.took_ns[order][:, None] / np.array(warms_ns)[None, :])
        before = np.roll(kept_busy, 1, axis=0)
        found = np.empty_like(kept_busy)
        found[order] = _accumulated(
            np.where(is_first, 1.0, 1.0 - kept_idle), np.where(is_first, 0.0, kept_idle * before)
        )
        return found


def _accumulated(added: Reals, kept: Reals) -> Reals:
    """Give the values of which each is ``added`` and what is ``kept`` of the one before.

    Both are float64 [n, columns]. Steps of one are put together to steps of two, four and so on,
    until nothing is left of what was before.
    """
    found, left = np.broadcast_to(added, kept.shape).copy(), kept.copy()
    step = 1
    while step < len(found) and left[step:].any():
        found[step:] += left[step:] * found[:-step]
        left[step:] *= left[:-step]
        step *= 2
    return found
