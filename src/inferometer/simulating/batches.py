"""Batches: the calls of a recorded run, put together again from what its samples say."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import SeriesRecord
from inferometer.simulating.distribution import Reals
from inferometer.simulating.system import Batching

__all__ = ["Batches"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Batches:
    """The calls of a series, by their begin. All arrays have one entry a call.

    size:
        Samples.
    closed_ns:
        When the batch could be closed: a worker was free, the first sample was there, and it was
        full or its wait was over. What comes after, until a thread is awake, is the call's.
    began_ns:
        When it was closed, and worked on.
    ended_ns:
        When the last of its samples was complete.
    worker, idle_ns:
        The number of the worker that took it, the one that was free longest, and how long that
        had been idle.
    """

    size: Integers
    closed_ns: Reals
    began_ns: Reals
    ended_ns: Reals
    worker: Integers
    idle_ns: Reals

    @classmethod
    def of(cls, series: SeriesRecord, batching: Batching) -> Batches | None:
        """Find the calls of a series; ``None`` if its system didn't tell when they began."""
        began, preprocess, infer = series.began_ns, series.preprocess_ns, series.infer_ns
        if began is None or preprocess is None or infer is None:
            return None
        known = np.flatnonzero((began >= 0) & series.is_complete)
        if not len(known):
            return None
        # Samples of one call share its begin and its times to the ns.
        order = known[np.lexsort((infer[known], preprocess[known], began[known]))]
        keys = np.stack([began[order], preprocess[order], infer[order]])
        first = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
        issued = np.repeat(series.issued_ns, series.samples_per_query)[order]
        size = np.diff(np.r_[first, len(order)])
        ended = np.maximum.reduceat(series.completed_ns[order], first).astype(np.float64)
        closed, worker, idle = _closed(
            np.minimum.reduceat(issued, first).astype(np.float64),
            np.maximum.reduceat(issued, first).astype(np.float64),
            ended,
            size,
            batching,
        )
        begun = began[order][first].astype(np.float64)
        return cls(size, closed, begun, ended, worker, idle)

    @property
    def is_woken(self) -> NDArray[np.bool_]:
        """Whether its worker had waited for it."""
        return self.idle_ns > 0.0

    @property
    def gather_ns(self) -> Reals:
        """Time from when each batch could be closed to when it was."""
        found: Reals = np.maximum(0.0, self.began_ns - self.closed_ns)
        return found

    @property
    def took_ns(self) -> Reals:
        """Time that each call held its worker."""
        return self.ended_ns - self.closed_ns

    def use(self, workers: int) -> float:
        """Give the share of the time that workers were busy, up to the last completion."""
        return float(self.took_ns.sum() / (workers * self.ended_ns.max()))

    def others_at_start(self) -> Integers:
        """Give how many other calls ran when each began."""
        begun = np.searchsorted(np.sort(self.closed_ns), self.closed_ns, side="right")
        return begun - 1 - np.searchsorted(np.sort(self.ended_ns), self.closed_ns, side="right")

    def work_ns(self, contention: float) -> Reals:
        """Give what each call would have taken alone."""
        return self._integral(lambda running: 1.0 / (1.0 + contention * (running - 1.0)))

    def _integral(self, of_running: Callable[[Reals], Reals]) -> Reals:
        """Integrate a function of how many calls run over the time of each call."""
        times = np.concatenate([self.closed_ns, self.ended_ns])
        steps = np.repeat([1.0, -1.0], len(self.size))
        order = np.argsort(times, kind="stable")
        times, running = times[order], np.cumsum(steps[order])
        values = of_running(np.maximum(1.0, running))[:-1] * np.diff(times)
        sums = np.r_[0.0, np.cumsum(values)]
        found: Reals = np.interp(self.ended_ns, times, sums) - np.interp(
            self.closed_ns, times, sums
        )
        return found


def _closed(
    first: Reals, last: Reals, ended: Reals, size: Integers, batching: Batching
) -> tuple[Reals, Integers, Reals]:
    """Give when each batch could be closed, had its worker been awake; that worker; its wait."""
    free = [(0.0, worker) for worker in range(batching.workers)]
    closed, idle = np.empty(len(size)), np.empty(len(size))
    workers = np.empty(len(size), np.int64)
    for number, end in enumerate(ended.tolist()):
        since, worker = free[0]
        could = max(float(first[number]), since)
        if batching.max_wait_ns:
            full = float(last[number]) if size[number] >= batching.max_batch else np.inf
            could = max(could, min(could + batching.max_wait_ns, full))
        closed[number] = min(could, end)
        idle[number], workers[number] = max(0.0, could - since), worker
        heapq.heapreplace(free, (end, worker))
    return closed, workers, idle
