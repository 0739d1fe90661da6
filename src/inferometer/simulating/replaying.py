"""Replaying: the arrivals of a recorded run, met by a described system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals
from inferometer.simulating.events import replay_events
from inferometer.simulating.lane_arrivals import Arrivals
from inferometer.simulating.lanes import can_run_in_lanes, replay_lanes
from inferometer.simulating.system import SimulatedSystem

__all__ = ["replayed_percentiles"]


def replayed_percentiles(
    system: SimulatedSystem, runs: Sequence[Arrivals], fraction: float, times: int, seed: int = 0
) -> Reals:
    """Simulate each run some times; give a percentile of each latency, ns, float64 [runs, times].

    As arrivals are those of the run, their luck is in both; every query counts.
    """
    each = [run for run in runs for _ in range(times)]
    if can_run_in_lanes(system):
        latencies = _Latencies(len(each))
        replay_lanes(system, each, np.random.default_rng(seed), latencies)
        found = latencies.percentiles(fraction)
    else:
        seeds = np.random.SeedSequence(seed).generate_state(len(each)).tolist()
        found = np.array(
            [_percentile(system, run, fraction, own) for run, own in zip(each, seeds, strict=True)]
        )
    return found.reshape(len(runs), times)


def _percentile(system: SimulatedSystem, run: Arrivals, fraction: float, seed: int) -> float:
    slowed = replace(system, service=system.service.scaled(run.factor))
    late = run.came_ns - run.due_ns
    latency = replay_events(slowed, run.came_ns, seed).latency_ns + late
    return float(np.nanquantile(latency, fraction))


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
