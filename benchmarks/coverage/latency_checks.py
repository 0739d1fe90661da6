"""Checks of what is said about latencies and rates of series of a fixed length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.processes import INDEPENDENT, SLOW_CHANGES, Process, queue
from benchmarks.coverage.tally import Check, Outcome, outcome_of
from inferometer.loadgen import rate_interval, series_interval

__all__ = ["latency_checks", "rate_checks"]

_FRACTIONS = (0.5, 0.9, 0.99)
_CUT = "windows cut the batches of several workers, which adds to what varies"
_TIES = "values are discrete: an end can't lie between two of them"


def latency_checks() -> Iterator[Check]:
    """Give percentiles of independent, slowly changing and queueing latencies."""
    for process in INDEPENDENT:
        ties = _TIES if "ties" in process.name else ""
        for count in (200, 2000):
            yield from _percentiles("independent latencies", process, count, 4000, ties)
    for process in SLOW_CHANGES:
        for count in (1000, 20_000):
            yield from _percentiles("SingleStream", process, count, 1500)
    for load in (0.5, 0.7, 0.85):
        for count in (2000, 20_000):
            yield from _percentiles("Server", queue(load), count, 1500)
    for load in (0.5, 0.7, 0.85):
        yield from _percentiles("Server", queue(load, 4), 5000, 1000)


def _percentiles(
    group: str, process: Process, count: int, runs: int, why_more: str = ""
) -> Iterator[Check]:
    name = f"{process.name}, {count:,} queries"
    for fraction in _FRACTIONS:
        trial = partial(_percentile, process, count, fraction)
        yield Check(group, f"p{fraction * 100:g}, {name}", 0.95, runs, trial, why_more)


def _percentile(
    process: Process, count: int, fraction: float, source: Generator
) -> Iterator[Outcome]:
    values = process.latencies(source, count)
    interval = series_interval(values, np.sort(values), fraction)
    yield outcome_of(interval, process.truth(fraction))


def rate_checks() -> Iterator[Check]:
    """Give rates of Offline, whose workers answer in batches, and of Server."""
    for workers, batch in ((1, 1), (2, 32), (4, 8)):
        name = f"{workers} {'worker' if workers == 1 else 'workers'}, batches of {batch}"
        trial = partial(_offline_rate, workers, batch)
        why_more = _CUT if workers > 1 else ""
        yield Check("Offline rate", name, 0.95, 2000, trial, why_more)
    for load in (0.5, 0.85):
        yield Check("Server rate", f"M/M/1 at {load:.0%}", 0.95, 2000, partial(_server_rate, load))


def _offline_rate(workers: int, batch: int, source: Generator) -> Iterator[Outcome]:
    batches = 400
    spans = source.gamma(20.0, batch / 20.0, (workers, batches // workers)) * 1e6
    ends = np.sort(np.cumsum(spans, axis=1).ravel())
    # The last batches of a run are those before the first worker is out of work.
    ends = ends[ends <= np.cumsum(spans, axis=1)[:, -1].min()]
    interval = rate_interval(np.repeat(ends, batch).astype(np.int64))
    if interval is not None:
        yield outcome_of(interval, 1000.0 * workers)


def _server_rate(load: float, source: Generator) -> Iterator[Outcome]:
    count = 5000
    arrivals = np.cumsum(source.exponential(1e6 / load, count))
    interval = rate_interval((arrivals + queue(load).latencies(source, count)).astype(np.int64))
    if interval is not None:
        yield outcome_of(interval, 1000.0 * load)
