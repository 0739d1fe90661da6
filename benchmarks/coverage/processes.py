"""Processes: latencies whose true percentiles are known, in ns, as series in time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["INDEPENDENT", "SLOW_CHANGES", "Process", "queue"]

Floats = NDArray[np.float64]
_MS = 1e6
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Process:
    """``draw(source, count)`` gives a series, float64 [count]; ``percentile`` the truth."""

    name: str
    draw: Callable[[Generator, int], Floats]
    percentile: Callable[[float], float]

    def latencies(self, source: Generator, count: int) -> NDArray[np.int64]:
        """Draw a series in whole ns."""
        return np.rint(self.draw(source, count) * _MS).astype(np.int64)

    def truth(self, fraction: float) -> float:
        """Give the true percentile in ns."""
        return self.percentile(fraction) * _MS


def _ties(source: Generator, count: int) -> Floats:
    return np.ceil(source.exponential(2.0, count))


def _ties_percentile(fraction: float) -> float:
    return float(math.ceil(-2.0 * math.log1p(-fraction)))


INDEPENDENT = (
    Process("exponential", lambda s, n: s.exponential(1.0, n), lambda p: -math.log1p(-p)),
    Process(
        "lognormal",
        lambda s, n: s.lognormal(0.0, 0.5, n),
        lambda p: math.exp(0.5 * _NORMAL.inv_cdf(p)),
    ),
    Process(
        "Pareto, tail index 1.5",
        lambda s, n: 1.0 + s.pareto(1.5, n),
        lambda p: (1.0 - p) ** (-1 / 1.5),
    ),
    Process("whole ms, many ties", _ties, _ties_percentile),
)
"""Latencies that have nothing to do with their neighbours."""


# ---- SingleStream that changes slowly


def _slow(source: Generator, count: int, lag: float) -> Floats:
    """Draw an autoregressive series of unit variance whose memory is ``lag`` queries."""
    keep = math.exp(-1.0 / lag)
    steps = source.normal(0.0, math.sqrt(1.0 - keep * keep), count)
    steps[0] = source.normal()
    # Within a block the recursion is a weighted sum, which doesn't lose digits.
    found = np.empty(count)
    block = max(1, min(count, int(20 * lag)))
    powers = keep ** np.arange(block)
    before = 0.0
    for begin in range(0, count, block):
        part = steps[begin : begin + block]
        weights = powers[: len(part)]
        found[begin : begin + block] = weights * (
            np.cumsum(part / weights) + (keep * before if begin else 0.0)
        )
        before = found[begin + len(part) - 1]
    return found


def _drifting(source: Generator, count: int, lag: float, share: float) -> Floats:
    noise = math.sqrt(1.0 - share) * source.normal(size=count)
    return np.exp(0.2 * (math.sqrt(share) * _slow(source, count, lag) + noise))


def _in_bursts(source: Generator, count: int, length: float, share: float) -> Floats:
    """Draw latencies three times as long in bursts of a mean length and share of the time."""
    rest = length * (1.0 - share) / share
    pairs = int(3 * count / (length + rest)) + 20
    lengths = np.empty(2 * pairs, np.int64)
    lengths[0::2] = source.geometric(1.0 / rest, pairs)
    lengths[1::2] = source.geometric(1.0 / length, pairs)
    slow = np.repeat(np.arange(2 * pairs) % 2, lengths)
    # Both states last geometrically long, so that the start may fall into either.
    slow = slow if source.random() >= share else slow[lengths[0] :]
    factor = 1.0 + 2.0 * slow[:count]
    return factor * source.exponential(1.0, len(factor))


def _burst_percentile(fraction: float, share: float) -> float:
    low, high = 0.0, 200.0
    for _ in range(100):
        middle = (low + high) / 2
        above = (1 - share) * math.exp(-middle) + share * math.exp(-middle / 3)
        low, high = (middle, high) if above > 1 - fraction else (low, middle)
    return low


SLOW_CHANGES = (
    Process(
        "drift over 50 queries, a tenth of the variance",
        lambda s, n: _drifting(s, n, 50, 0.1),
        lambda p: math.exp(0.2 * _NORMAL.inv_cdf(p)),
    ),
    Process(
        "drift over 300 queries, a third of the variance",
        lambda s, n: _drifting(s, n, 300, 0.33),
        lambda p: math.exp(0.2 * _NORMAL.inv_cdf(p)),
    ),
    Process(
        "bursts of 30 queries, a tenth of the time",
        lambda s, n: _in_bursts(s, n, 30, 0.1),
        lambda p: _burst_percentile(p, 0.1),
    ),
)
"""Latencies whose level changes slowly."""


# ---- queues


def _single_queue(source: Generator, count: int, load: float) -> Floats:
    service = source.exponential(1.0, count)
    steps = np.zeros(count)
    steps[1:] = service[:-1] - source.exponential(1.0 / load, count - 1)
    walk = np.cumsum(steps)
    waiting: Floats = walk - np.minimum.accumulate(np.minimum(walk, 0.0))
    return waiting + service


def _queue_of(source: Generator, count: int, load: float, servers: int) -> Floats:
    """Draw M/G/k: the wait for the first of some servers, lognormal service of mean 1."""
    service = source.lognormal(-0.125, 0.5, count).tolist()
    gaps = source.exponential(1.0 / (load * servers), count).tolist()
    free_at = [0.0] * servers
    found, now = np.empty(count), 0.0
    for number in range(count):
        now += gaps[number]
        first = min(range(servers), key=free_at.__getitem__)
        free_at[first] = max(now, free_at[first]) + service[number]
        found[number] = free_at[first] - now
    return found


@functools.lru_cache
def _long_run(load: float, servers: int) -> Floats:
    return np.sort(_queue_of(np.random.default_rng(99), 2_000_000, load, servers))


def queue(load: float, servers: int = 1) -> Process:
    """Give a Server system: M/M/1, or M/G/k with lognormal service."""
    if servers == 1:
        return Process(
            f"M/M/1 at {load:.0%}",
            lambda s, n: _single_queue(s, n, load),
            lambda p: -math.log1p(-p) / (1.0 - load),
        )
    return Process(
        f"M/G/{servers} at {load:.0%}",
        lambda s, n: _queue_of(s, n, load, servers),
        lambda p: float(np.quantile(_long_run(load, servers), p)),
    )
