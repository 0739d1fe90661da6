"""Queues: latencies of Server systems, as many series in time at once."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.processes import Floats, Process

__all__ = ["mm1", "queue", "single_queue"]

Service = Callable[[Generator, tuple[int, int]], Floats]

_TRUTH_RUNS, _TRUTH_COUNT, _WARM_UP = 2000, 6000, 3000


def lognormal_service(source: Generator, shape: tuple[int, int]) -> Floats:
    """Draw service times of mean 1."""
    return source.lognormal(-0.125, 0.5, shape)


def single_queue(service: Floats, gaps: Floats) -> Floats:
    """Give the times in a system of one server, float64 [runs, count], by Lindley's recursion.

    ``gaps`` are those before each query; the system is empty at first.
    """
    steps = np.zeros_like(service)
    steps[:, 1:] = service[:, :-1] - gaps[:, 1:]
    walk = np.cumsum(steps, axis=1)
    waiting = walk - np.minimum.accumulate(np.minimum(walk, 0.0), axis=1)
    found: Floats = waiting + service
    return found


def shared_queue(service: Floats, gaps: Floats, servers: int) -> Floats:
    """Give the times in a system of some servers by the recursion of Kiefer and Wolfowitz."""
    runs, count = service.shape
    work = np.zeros((runs, servers))
    found = np.empty((count, runs))
    by_query, gaps_by_query = np.ascontiguousarray(service.T), np.ascontiguousarray(gaps.T)
    for number in range(count):
        np.maximum(work - gaps_by_query[number][:, None], 0.0, out=work)
        work[:, 0] += by_query[number]
        found[number] = work[:, 0]
        work.sort(axis=1)
    return found.T


def mm1(load: float) -> Process:
    """Give M/M/1."""

    def draw(source: Generator, runs: int, count: int) -> Floats:
        shape = (runs, count)
        return single_queue(source.exponential(1.0, shape), source.exponential(1.0 / load, shape))

    return Process(f"M/M/1 at {load:.0%}", draw, lambda p: -math.log1p(-p) / (1.0 - load))


def queue(name: str, load: float, servers: int, service: Service = lognormal_service) -> Process:
    """Give M/G/k; its truth is that of many long runs, without their beginnings."""

    def draw(source: Generator, runs: int, count: int) -> Floats:
        shape = (runs, count)
        gaps = source.exponential(1.0 / (load * servers), shape)
        drawn = service(source, shape)
        return single_queue(drawn, gaps) if servers == 1 else shared_queue(drawn, gaps, servers)

    @functools.cache
    def long_run() -> Floats:
        source = np.random.default_rng(99)
        return np.sort(draw(source, _TRUTH_RUNS, _TRUTH_COUNT)[:, _WARM_UP:], axis=None)

    return Process(f"{name} at {load:.0%}", draw, lambda p: float(np.quantile(long_run(), p)))
