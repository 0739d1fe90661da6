"""Checks on processes that no constant of the estimates was chosen by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.latency_checks import percentiles
from benchmarks.coverage.processes import Floats, Process, modulated
from benchmarks.coverage.queues import queue
from benchmarks.coverage.tally import Experiment

__all__ = ["held_out_checks"]

_PAUSE_EVERY = 500
_STREAMS = 8
_MEMORY = 0.3
_SHARE = 0.3


def held_out_checks() -> Iterator[Experiment]:
    """Give bursts, three speeds, pauses, other queues, MultiStream, and memory without an end."""
    group = "held out"
    speeds = modulated(
        "three speeds for 60, 100 and 25 queries", (1.0, 1.5, 3.0), (60.0, 100.0, 25.0)
    )
    short_bursts = modulated("bursts of 20 queries at four times", (1.0, 4.0), (230.0, 20.0))
    yield percentiles(group, short_bursts, 1500, 4000)
    for process in (speeds, _PAUSES, _STREAMED):
        for count, runs in ((2000, 4000), (20_000, 2500)):
            yield percentiles(group, process, count, runs)
    for load in (0.6, 0.8):
        yield percentiles(
            group, queue("M/D/1", load, 1, lambda _, shape: np.ones(shape)), 5000, 4000
        )
        yield percentiles(group, queue("M/H2/2", load, 2, _two_kinds), 5000, 4000)
    for count, runs in ((2000, 4000), (20_000, 2500)):
        yield percentiles("what no method sees", _LONG_MEMORY, count, runs)


def _two_kinds(source: Generator, shape: tuple[int, int]) -> Floats:
    """Draw service times of mean 1: nine of ten of mean 0.5, the rest of mean 5.5."""
    return source.exponential(1.0, shape) * np.where(source.random(shape) < 0.1, 5.5, 0.5)


def _with_pauses(source: Generator, runs: int, count: int) -> Floats:
    """Draw latencies that rise to a pause of garbage collection every 500 queries."""
    place = (np.arange(count) + source.integers(0, _PAUSE_EVERY, runs)[:, None]) % _PAUSE_EVERY
    level = 1.0 + 0.3 * place / _PAUSE_EVERY + 4.0 * (place == _PAUSE_EVERY - 1)
    found: Floats = level * source.lognormal(0.0, 0.2, (runs, count))
    return found


def _pauses_percentile(fraction: float) -> float:
    place = np.arange(_PAUSE_EVERY)
    level = 1.0 + 0.3 * place / _PAUSE_EVERY + 4.0 * (place == _PAUSE_EVERY - 1)
    normal = NormalDist()

    def below(value: float) -> float:
        return float(np.mean([normal.cdf(math.log(value / one) / 0.2) for one in level]))

    low, high = 0.01, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < fraction else (low, middle)
    return low


def _of_streams(source: Generator, runs: int, count: int) -> Floats:
    """Draw the slowest of 8 samples a query, on a machine that changes over 40 queries."""
    keep = math.exp(-1.0 / 40.0)
    drift = source.normal(0.0, 1.0, (count, runs))
    for number in range(1, count):
        drift[number] = keep * drift[number - 1] + math.sqrt(1 - keep * keep) * drift[number]
    # The largest of some exponential variables, by its distribution's inverse.
    slowest = -np.log1p(-(source.random((count, runs)) ** (1.0 / _STREAMS)))
    found: Floats = (np.exp(0.15 * drift) * slowest).T
    return found


def _streams_percentile(fraction: float) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    level = np.exp(0.15 * nodes)

    def below(value: float) -> float:
        shares = (-np.expm1(-value / level)) ** _STREAMS
        return float(np.sum(weights * shares) / np.sum(weights))

    low, high = 0.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < fraction else (low, middle)
    return low


def _long_memory(source: Generator, runs: int, count: int) -> Floats:
    """Draw a lognormal series, of which a part is fractionally integrated noise.

    Source: Hosking, Fractional differencing, 1981.
    """
    lags = 1 << 16
    steps = np.arange(1, lags)
    weights = np.concatenate([[1.0], np.cumprod((steps - 1 + _MEMORY) / steps)])
    weights /= math.sqrt(float(np.sum(weights**2)))
    size = 1 << (lags + count).bit_length()
    turned = np.fft.rfft(weights, size)
    found = np.empty((runs, count))
    for run in range(runs):
        noise = np.fft.rfft(source.normal(size=lags + count - 1), size)
        slow = np.fft.irfft(noise * turned, size)[lags - 1 : lags - 1 + count]
        fast = source.normal(size=count)
        found[run] = np.exp(0.2 * (math.sqrt(_SHARE) * slow + math.sqrt(1 - _SHARE) * fast))
    return found


_PAUSES = Process("a pause every 500 queries", _with_pauses, _pauses_percentile)
_STREAMED = Process(f"MultiStream of {_STREAMS}, drift over 40", _of_streams, _streams_percentile)
_LONG_MEMORY = Process(
    "fractional noise of order 0.3",
    _long_memory,
    lambda p: math.exp(0.2 * NormalDist().inv_cdf(p)),
)
