"""Lane arrivals: when queries reach each of many replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inferometer.simulating.distribution import Reals
from inferometer.simulating.system import Routing, SimulatedSystem

__all__ = ["Arrivals", "given_arrivals", "random_arrivals"]


@dataclass(frozen=True)
class Arrivals:
    """When the queries of a run came, and were due, ns, each ascending float64 [queries].

    Latencies count from when a query was due, as they do in a run.

    factor:
        What the times of the model are multiplied by in it.
    """

    came_ns: Reals
    due_ns: Reals
    factor: float = 1.0


def random_arrivals(
    system: SimulatedSystem,
    rate_qps: float,
    lanes: int,
    queries: int,
    random: np.random.Generator,
) -> Reals:
    """Draw when queries reach each replica, float64 [lanes, queries and some never].

    Random routing gives each replica its own Poisson stream, which random delays on the way
    leave one; by round robin it gets every nth query of all.
    """
    due = _none(system, lanes, queries)
    is_split = system.routing is Routing.ROUND_ROBIN and system.replicas > 1
    if is_split:
        gaps = random.standard_gamma(system.replicas, (lanes, queries)) / system.replicas
    else:
        gaps = random.standard_exponential((lanes, queries))
    gaps *= 1e9 / rate_qps
    np.cumsum(gaps, axis=1, out=due[:, :queries])
    if is_split and system.network.has_jitter:
        delay = system.network.request.draw(random, lanes * queries)
        due[:, :queries] += delay.reshape(lanes, queries)
        due[:, :queries].sort(axis=1)
    return due


def given_arrivals(system: SimulatedSystem, due_ns: Sequence[Reals]) -> Reals:
    """Put the arrivals of each replica side by side, float64 [lanes, queries and some never]."""
    found = _none(system, len(due_ns), max(map(len, due_ns)))
    for row, due in zip(found, due_ns, strict=True):
        row[: len(due)] = due
    return found


def _none(system: SimulatedSystem, lanes: int, queries: int) -> Reals:
    """Give room for arrivals, and for a batch after them that never comes."""
    return np.full((lanes, queries + system.batching.max_batch + 1), math.inf)
