"""Replaying: the arrivals of a recorded run, met by a described system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals
from inferometer.simulating.events import replay_events
from inferometer.simulating.lanes import can_run_in_lanes, replay_lanes
from inferometer.simulating.system import SimulatedSystem

__all__ = ["Arrivals", "replayed_percentiles"]


@dataclass(frozen=True)
class Arrivals:
    """When queries were to come in a run, ns, ascending float64 [queries].

    factor:
        What the times of the model are multiplied by in it.
    """

    due_ns: Reals
    factor: float = 1.0


def replayed_percentiles(
    system: SimulatedSystem, runs: Sequence[Arrivals], fraction: float, times: int, seed: int = 0
) -> Reals:
    """Simulate each run some times; give a percentile of each latency, ns, float64 [runs, times].

    As arrivals are those of the run, their luck is in both; every query counts.
    """
    if can_run_in_lanes(system):
        latencies = _Latencies(len(runs) * times)
        replay_lanes(
            system,
            [run.due_ns for run in runs for _ in range(times)],
            np.repeat([run.factor for run in runs], times),
            np.random.default_rng(seed),
            latencies,
        )
        found = latencies.percentiles(fraction)
    else:
        seeds = np.random.SeedSequence(seed).generate_state(len(runs) * times).tolist()
        slowed = [replace(system, service=system.service.scaled(run.factor)) for run in runs]
        found = np.array(
            [
                float(
                    np.nanquantile(replay_events(one, run.due_ns, seeds.pop()).latency_ns, fraction)
                )
                for one, run in zip(slowed, runs, strict=True)
                for _ in range(times)
            ]
        )
    return found.reshape(len(runs), times)


class _Latencies:
    """All latencies, by group."""

    def __init__(self, groups: int):
        self._groups = groups
        self._parts: list[tuple[Reals, NDArray[np.int64]]] = []

    def add(self, latency_ns: Reals, group: NDArray[np.int64]) -> None:
        self._parts.append((latency_ns, group))

    def percentiles(self, fraction: float) -> Reals:
        latency = np.concatenate([part[0] for part in self._parts])
        group = np.concatenate([part[1] for part in self._parts])
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=self._groups))[:-1]
        parts = np.split(latency[order], ends)
        return np.array([float(np.quantile(part, fraction)) for part in parts])
