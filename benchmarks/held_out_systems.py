"""Held-out systems: none of them was looked at when the search was tuned."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from benchmarks.simulated_systems import (
    Reals,
    Serve,
    SimulatedSystem,
    lognormal,
    one_server,
    servers,
)

__all__ = ["HELD_OUT"]


def modulated(mean_s: float, slower: float, stay_s: float) -> Serve:
    """One server whose speed switches between two states of random length (Markov-modulated)."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        count = max(4, int(4 * arrived[-1] / stay_s) + 16)
        switches = np.cumsum(random.exponential(stay_s, count))
        is_slow = np.searchsorted(switches, arrived) % 2 == 1
        times = random.exponential(mean_s, len(arrived)) * np.where(is_slow, slower, 1.0)
        return one_server(lambda _count, _random: times)(arrived, random)

    return serve


def collecting(base_s: float, every: int, pause_s: float) -> Serve:
    """One server that pauses to collect garbage after about so many queries."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        times = base_s * random.lognormal(-0.02, 0.2, len(arrived))
        first = int(random.integers(every))
        times[first::every] += pause_s
        return one_server(lambda _count, _random: times)(arrived, random)

    return serve


def filling_batches(workers: int, most: int, wait_s: float, fixed_s: float, each_s: float) -> Serve:
    """Workers that wait for a batch to fill, up to a time; its cost grows less than its size."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        free = [0.0] * workers
        finished = np.empty(len(arrived))
        first, times = 0, arrived.tolist()
        while first < len(times):
            full = times[first + most - 1] if first + most <= len(times) else math.inf
            begun = max(free[0], min(full, times[first] + wait_s))
            last = first + 1
            while last < len(times) and last - first < most and times[last] <= begun:
                last += 1
            takes = (fixed_s + each_s * (last - first) ** 0.8) * random.lognormal(0.0, 0.08)
            heapq.heapreplace(free, begun + takes)
            finished[first:last] = begun + takes
            first = last
        return finished

    return serve


def unequal(speeds: Sequence[float], mean_s: float) -> Serve:
    """Workers of different speeds; whoever is free longest takes the next query."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        free = [(0.0, worker) for worker in range(len(speeds))]
        heapq.heapify(free)
        finished = np.empty(len(arrived))
        takes = mean_s * random.lognormal(-0.045, 0.3, len(arrived))
        for place, at in enumerate(arrived.tolist()):
            since, worker = heapq.heappop(free)
            done = max(at, since) + takes[place] / speeds[worker]
            heapq.heappush(free, (done, worker))
            finished[place] = done
        return finished

    return serve


def over_a_network(base: Serve, mean_s: float, sigma: float) -> Serve:
    """A system behind a network, whose delays are log-normal each way."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        one_way = lognormal(mean_s, sigma)
        sent = arrived + one_way(len(arrived), random)
        order = np.argsort(sent, kind="stable")
        answered = np.empty_like(sent)
        answered[order] = base(sent[order], random)
        return answered + one_way(len(arrived), random)

    return serve


def slowing_down(mean_s: float, over_s: float, most: float) -> Serve:
    """Two servers that grow hot within a run: times rise towards a multiple, then stay."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        hot = 1.0 + (most - 1.0) * (1.0 - np.exp(-arrived / over_s))
        times = mean_s * random.lognormal(-0.045, 0.3, len(arrived)) * hot
        return servers(2, lambda _count, _random: times)(arrived, random)

    return serve


def retrying(base_s: float, share: float, after_s: float) -> Serve:
    """Four servers; some answers are lost and come after a time-out and a second try."""

    def serve(arrived: Reals, random: np.random.Generator) -> Reals:
        finished = servers(4, lognormal(base_s, 0.4))(arrived, random)
        lost = random.random(len(arrived)) < share
        again = np.maximum(finished - arrived, after_s) + lognormal(base_s, 0.4)(
            len(arrived), random
        )
        return np.where(lost, arrived + again, finished)

    return serve


_TWO = servers(2, lognormal(4e-3, 0.3))

HELD_OUT = (
    SimulatedSystem("Markov-modulated speed", modulated(2e-3, 1.6, 0.5), 0.08, 330.0, 390.0),
    SimulatedSystem("garbage collection", collecting(2e-3, 400, 0.03), 0.05, 400.0, 480.0),
    SimulatedSystem(
        "batches that wait to fill", filling_batches(2, 8, 5e-3, 5e-3, 2e-3), 0.04, 800.0, 1000.0
    ),
    SimulatedSystem("unequal workers", unequal((1.0, 1.0, 0.5, 0.4), 6e-3), 0.05, 430.0, 480.0),
    SimulatedSystem("behind a network", over_a_network(_TWO, 3e-3, 0.6), 0.04, 430.0, 500.0),
    SimulatedSystem("heats up", slowing_down(4e-3, 12.0, 1.3), 0.03, 330.0, 500.0),
    SimulatedSystem("lost and tried again", retrying(8e-3, 0.006, 0.04), 0.06, 430.0, 500.0),
    SimulatedSystem(
        "slow and few queries", servers(3, lognormal(0.2, 0.6)), 1.2, 11.0, 15.0, 100.0
    ),
)
"""Runs of ten thousand queries, as the quick ones that it was tuned on, or of a thousand."""
