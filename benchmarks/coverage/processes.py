"""Processes: latencies whose true percentiles are known, as many series in time at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["INDEPENDENT", "MS", "SLOW_CHANGES", "Floats", "Process", "modulated"]

Floats = NDArray[np.float64]
MS = 1e6
"""ns in a ms; processes draw ms."""

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Process:
    """A way to draw latencies.

    ``draw(source, runs, count)`` gives series, float64 [runs, count], and ``percentile`` the
    truth, both in ms.
    """

    name: str
    draw: Callable[[Generator, int, int], Floats]
    percentile: Callable[[float], float]

    def latencies(self, source: Generator, runs: int, count: int) -> NDArray[np.int64]:
        """Draw series in whole ns, int64 [runs, count]."""
        return np.maximum(1, np.rint(self.draw(source, runs, count) * MS)).astype(np.int64)

    def truth(self, fraction: float) -> float:
        """Give the true percentile in ns."""
        return self.percentile(fraction) * MS


def _ties(source: Generator, runs: int, count: int) -> Floats:
    return np.ceil(source.exponential(2.0, (runs, count)))


INDEPENDENT = (
    Process(
        "exponential",
        lambda source, runs, count: source.exponential(1.0, (runs, count)),
        lambda p: -math.log1p(-p),
    ),
    Process(
        "lognormal",
        lambda source, runs, count: source.lognormal(0.0, 0.5, (runs, count)),
        lambda p: math.exp(0.5 * _NORMAL.inv_cdf(p)),
    ),
    Process(
        "Pareto, tail index 1.5",
        lambda source, runs, count: 1.0 + source.pareto(1.5, (runs, count)),
        lambda p: (1.0 - p) ** (-1 / 1.5),
    ),
    Process("whole ms, many ties", _ties, lambda p: float(math.ceil(-2.0 * math.log1p(-p)))),
)
"""Latencies that have nothing to do with their neighbours."""


# ---- SingleStream that changes slowly


def _slow(source: Generator, runs: int, count: int, lag: float) -> Floats:
    """Draw autoregressive series of unit variance whose memory is ``lag`` queries."""
    keep = math.exp(-1.0 / lag)
    found = source.normal(0.0, math.sqrt(1.0 - keep * keep), (count, runs))
    found[0] /= math.sqrt(1.0 - keep * keep)
    for number in range(1, count):
        found[number] += keep * found[number - 1]
    return found.T


def _drifting(lag: float, share: float) -> Process:
    def draw(source: Generator, runs: int, count: int) -> Floats:
        noise = math.sqrt(1.0 - share) * source.normal(size=(runs, count))
        drift: Floats = 0.2 * (math.sqrt(share) * _slow(source, runs, count, lag) + noise)
        return np.exp(drift)

    words = {0.1: "a tenth", 0.33: "a third"}[share]
    name = f"drift over {lag:g} queries, {words} of the variance"
    return Process(name, draw, lambda p: math.exp(0.2 * _NORMAL.inv_cdf(p)))


def modulated(name: str, speeds: tuple[float, ...], lengths: tuple[float, ...]) -> Process:
    """Give exponential latencies of means that change from one to the next, round and round.

    ``lengths`` are the mean queries for which each lasts, geometrically distributed.
    """
    shares = np.array(lengths) / sum(lengths)

    def draw(source: Generator, runs: int, count: int) -> Floats:
        leave = 1.0 / np.array(lengths)
        state = source.choice(len(speeds), runs, p=shares)
        found = source.exponential(1.0, (count, runs))
        for number in range(count):
            found[number] *= np.array(speeds)[state]
            state = (state + (source.random(runs) < leave[state])) % len(speeds)
        return found.T

    def percentile(fraction: float) -> float:
        def above(value: float) -> float:
            return float(np.sum(shares * np.exp(-value / np.array(speeds))))

        low, high = 0.0, 100.0 * max(speeds)
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) > 1 - fraction else (low, middle)
        return low

    return Process(name, draw, percentile)


SLOW_CHANGES = (
    _drifting(50, 0.1),
    _drifting(300, 0.33),
    modulated("bursts of 30 queries, a tenth of the time", (1.0, 3.0), (270.0, 30.0)),
)
"""Latencies whose level changes slowly."""
