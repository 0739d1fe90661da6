"""Checks of what is said about latencies and rates of series of a fixed length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.processes import INDEPENDENT, MS, SLOW_CHANGES, Process
from benchmarks.coverage.queues import mm1, queue
from benchmarks.coverage.tally import Check, Experiment, Outcome, outcome_of
from inferometer.loadgen import rate_interval, series_interval

__all__ = ["latency_checks", "percentiles", "rate_checks"]

Trials = Iterator[tuple[int, Outcome]]

_FRACTIONS = (0.5, 0.9, 0.99)
_AT_ONCE = 2_000_000
_CUT = "windows cut what is being answered, which adds to what varies"
_CARRIED = "what one window leaves waiting the next one answers, which adds to what varies"
_TIES = "values are discrete: an end can't lie between two of them"
_WIDEST = "the widest of several estimates of how much queries resemble each other"


def latency_checks() -> Iterator[Experiment]:
    """Give percentiles of independent, slowly changing and queueing latencies."""
    for process in INDEPENDENT:
        ties = _TIES if "ties" in process.name else ""
        for count in (200, 2000):
            yield percentiles("independent latencies", process, count, 8000, ties)
    for process in SLOW_CHANGES:
        for count, runs in ((1000, 4000), (20_000, 2500)):
            yield percentiles("SingleStream", process, count, runs)
    for load in (0.5, 0.7, 0.85):
        for count, runs in ((2000, 4000), (20_000, 2500)):
            yield percentiles("Server", mm1(load), count, runs)
    for load in (0.5, 0.7, 0.85):
        yield percentiles("Server", queue("M/G/4", load, 4), 5000, 4000)


def percentiles(
    group: str, process: Process, count: int, runs: int, why_more: str = _WIDEST
) -> Experiment:
    """Give the checks of p50, p90 and p99 of a process, on the same series."""
    name = f"{process.name}, {count:,} queries"
    checks = (Check(group, f"p{p * 100:g}, {name}", 0.95, why_more) for p in _FRACTIONS)
    return Experiment(tuple(checks), runs, partial(_percentiles, process, count))


def _percentiles(process: Process, count: int, source: Generator, runs: int) -> Trials:
    truths = [process.truth(fraction) for fraction in _FRACTIONS]
    at_once = max(1, _AT_ONCE // count)
    for begin in range(0, runs, at_once):
        drawn = process.latencies(source, min(at_once, runs - begin), count)
        for values, ordered in zip(drawn, np.sort(drawn, axis=1), strict=True):
            for number, fraction in enumerate(_FRACTIONS):
                interval = series_interval(values, ordered, fraction)
                yield number, outcome_of(interval, truths[number])


def rate_checks() -> Iterator[Experiment]:
    """Give rates of Offline, whose workers answer in batches, and of Server."""
    for workers, batch in ((1, 1), (2, 32), (4, 8)):
        name = f"{workers} {'worker' if workers == 1 else 'workers'}, batches of {batch}"
        check = Check("Offline rate", name, 0.95, _CUT)
        yield Experiment((check,), 5000, partial(_offline_rates, workers, batch))
    for load in (0.5, 0.85):
        check = Check("Server rate", f"M/M/1 at {load:.0%}", 0.95, _CARRIED)
        yield Experiment((check,), 5000, partial(_server_rates, load))


def _offline_rates(workers: int, batch: int, source: Generator, runs: int) -> Trials:
    batches = 400
    for _ in range(runs):
        spans = source.gamma(20.0, batch / 20.0, (workers, batches // workers)) * MS
        done = np.cumsum(spans, axis=1)
        # The last batches of a run are those before the first worker is out of work.
        ends = np.sort(done[done <= done[:, -1].min()])
        interval = rate_interval(np.repeat(ends, batch).astype(np.int64))
        if interval is not None:
            yield 0, outcome_of(interval, 1000.0 * workers)


def _server_rates(load: float, source: Generator, runs: int) -> Trials:
    count, process = 5000, mm1(load)
    for _ in range(runs):
        gaps = source.exponential(MS / load, count)
        done = np.cumsum(gaps) + process.latencies(source, 1, count)[0]
        interval = rate_interval(done.astype(np.int64))
        if interval is not None:
            yield 0, outcome_of(interval, 1000.0 * load)
