"""Simulated systems: queues that exist only on a clock of their own, fast enough to try often."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALWAYS",
    "NEVER",
    "SYSTEMS",
    "Load",
    "Reals",
    "Serve",
    "SimulatedSystem",
    "Times",
    "lognormal",
    "one_server",
    "servers",
]

Reals = NDArray[np.float64]
Times = Callable[[int, np.random.Generator], Reals]
Serve = Callable[[Reals, np.random.Generator], Reals]


@dataclass(frozen=True)
class Load:
    """What a run put on a system: float64 [queries] each, in s."""

    arrived: Reals
    finished: Reals

    @property
    def latency_ns(self) -> NDArray[np.int64]:
        return ((self.finished - self.arrived) * 1e9).astype(np.int64)


@dataclass(frozen=True)
class SimulatedSystem:
    """A system with its bound, and how long a whole run at it is.

    serve:
        Gives when each query is finished, for ascending arrivals.
    guess:
        A rate near its capacity, where the truth is looked for.
    saturation:
        The rate that it answers when it has all at once, as a probe shows it.
    whole_s:
        Length of a whole run.
    """

    name: str
    serve: Serve
    bound_s: float
    guess: float
    saturation: float
    whole_s: float = 30.0
    percentile: float = 0.99

    def run(self, rate: float, seconds: float, random: np.random.Generator) -> Load:
        """Give arrivals at random at a rate, and when they are answered."""
        count = rate * seconds
        gaps = random.exponential(1.0 / rate, int(count + 6 * math.sqrt(count) + 12))
        arrived = np.cumsum(gaps)
        arrived = arrived[: max(1, int(np.searchsorted(arrived, seconds)))]
        return Load(arrived, self.serve(arrived, random))


def one_server(times: Times) -> Serve:
    """One server, first come first served: the waits follow from sums and a running maximum."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        service = times(len(arrived), random)
        done = np.cumsum(service)
        return done + np.maximum.accumulate(arrived - (done - service))

    return serve


def servers(count: int, times: Times) -> Serve:
    """Some servers that share a queue."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        free = [0.0] * count
        finished = []
        for at, takes in zip(arrived.tolist(), times(len(arrived), random).tolist(), strict=True):
            done = max(at, free[0]) + takes
            heapq.heapreplace(free, done)
            finished.append(done)
        return np.array(finished)

    return serve


def batching(workers: int, fixed_s: float, each_s: float, most: int, noise: float = 0.05) -> Serve:
    """Workers that take all that waits, up to a batch; a batch costs a fixed part as well."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        free = [0.0] * workers
        finished = np.empty(len(arrived))
        first, times = 0, arrived.tolist()
        while first < len(times):
            begun = max(times[first], free[0])
            last = first + 1
            while last < len(times) and last - first < most and times[last] <= begun:
                last += 1
            takes = (fixed_s + each_s * (last - first)) * math.exp(random.normal(0.0, noise))
            heapq.heapreplace(free, begun + takes)
            finished[first:last] = begun + takes
            first = last
        return finished

    return serve


def speed_drifts(serve_of: Callable[[float], Serve], spread: float) -> Serve:
    """A system whose speed differs from run to run, as that of a warm machine does."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        return serve_of(math.exp(random.normal(0.0, spread)))(arrived, random)

    return serve


def stalling(base: Serve, every_s: float, stall_s: float) -> Serve:
    """A system that stands still now and then; what would finish meanwhile finishes after."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        count = max(1, int(2 * arrived[-1] / every_s) + 8)
        starts = np.cumsum(random.exponential(every_s, count))
        # On the clock of the system, which stands still, nothing happens during a stall.
        passed = starts - stall_s * np.arange(count)
        inner = arrived - stall_s * np.searchsorted(starts, arrived)
        inner = np.maximum.accumulate(np.minimum(inner, _held(arrived, starts, passed, stall_s)))
        finished = base(inner, random)
        return np.maximum(finished + stall_s * np.searchsorted(passed, finished), arrived)

    return serve


def _held(arrived: Reals, starts: Reals, passed: Reals, stall_s: float) -> Reals:
    """Give the inner time at which arrivals during a stall are seen: its beginning."""
    place = np.searchsorted(starts, arrived) - 1
    inside = (place >= 0) & (arrived < starts[np.maximum(place, 0)] + stall_s)
    return np.where(inside, passed[np.maximum(place, 0)], np.inf)


def warming_up(base: Serve, slow_s: float, times_slower: float) -> Serve:
    """A system that is slow at first: answers of the first seconds take longer."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        finished = base(arrived, random)
        extra = (finished - arrived) * (times_slower - 1.0) * np.exp(-arrived / slow_s)
        return finished + extra

    return serve


def fixed(seconds: float) -> Times:
    return lambda count, _: np.full(count, seconds)


def exponential(mean_s: float) -> Times:
    return lambda count, random: random.exponential(mean_s, count)


def lognormal(mean_s: float, sigma: float) -> Times:
    shift = sigma * sigma / 2
    return lambda count, random: mean_s * random.lognormal(-shift, sigma, count)


def _two_kinds(short_s: float, long_s: float, share: float) -> Times:
    return lambda count, random: np.where(random.random(count) < share, long_s, short_s)


def _endless(times: Times) -> Serve:
    """A server for each query: nothing ever waits."""
    return lambda arrived, random: arrived + times(len(arrived), random)


_SMALL = lognormal(4e-3, 0.3)
_MIXED = _two_kinds(1e-3, 2e-2, 0.03)
_LONG_S = 600.0

SYSTEMS = (
    SimulatedSystem("M/M/1", one_server(exponential(2e-3)), 0.02, 270.0, 500.0),
    SimulatedSystem("M/M/1, long bound", one_server(exponential(2e-3)), 0.1, 450.0, 500.0),
    SimulatedSystem("M/D/1", one_server(fixed(2e-3)), 0.01, 290.0, 500.0),
    SimulatedSystem("M/G/1, some queries long", one_server(_MIXED), 0.06, 420.0, 637.0),
    SimulatedSystem("M/G/4, log-normal", servers(4, lognormal(8e-3, 0.5)), 0.04, 415.0, 500.0),
    SimulatedSystem("M/G/16, heavy tail", servers(16, lognormal(2e-2, 1.0)), 0.15, 740.0, 800.0),
    SimulatedSystem("one worker, batches", batching(1, 4e-3, 1e-3, 16), 0.03, 560.0, 800.0),
    SimulatedSystem("two workers, small batches", batching(2, 2e-3, 3e-3, 4), 0.02, 330.0, 571.0),
    SimulatedSystem(
        "speed differs from run to run",
        speed_drifts(lambda speed: servers(2, lognormal(5e-3 * speed, 0.3)), 0.02),
        0.03,
        310.0,
        400.0,
    ),
    SimulatedSystem("stalls", stalling(servers(2, _SMALL), 5.0, 0.02), 0.03, 400.0, 498.0),
    SimulatedSystem("warm-up", warming_up(servers(2, _SMALL), 0.3, 4.0), 0.03, 405.0, 500.0),
    SimulatedSystem("tiny bound", servers(4, lognormal(8e-3, 0.15)), 0.0125, 185.0, 500.0),
    SimulatedSystem("slow model", servers(2, lognormal(0.1, 0.2)), 0.5, 15.0, 20.0, 120.0),
    SimulatedSystem("fast model", servers(4, lognormal(1.2e-3, 0.4)), 0.01, 3050.0, 3333.0, 10.0),
    SimulatedSystem(
        "M/M/1, by the book", one_server(exponential(2e-3)), 0.02, 270.0, 500.0, _LONG_S
    ),
    SimulatedSystem("M/D/1, by the book", one_server(fixed(2e-3)), 0.01, 290.0, 500.0, _LONG_S),
    SimulatedSystem(
        "M/G/1, some queries long, by the book", one_server(_MIXED), 0.06, 420.0, 637.0, _LONG_S
    ),
)
"""Quick runs are of about ten thousand queries, those by the book of a quarter of a million."""

NEVER = SimulatedSystem("never", _endless(lognormal(3e-2, 0.3)), 0.02, 300.0, 300.0)
"""Misses its bound at any rate."""

ALWAYS = SimulatedSystem("always", _endless(lognormal(3e-3, 0.3)), 0.02, 300.0, 300.0)
"""Keeps its bound at any rate."""
