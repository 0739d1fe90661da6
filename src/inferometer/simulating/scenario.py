"""Scenario: a described system under the load generator itself, on the virtual clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import RunOptions, Scenario, Settings, VirtualClock
from inferometer.runs import Session, TestResult, describe_system
from inferometer.runs.folder import SESSION, write_json
from inferometer.runs.recorder import record_test
from inferometer.simulating.cluster import Cluster
from inferometer.simulating.system import SimulatedSystem

__all__ = ["Samples", "cluster_for", "run_scenario"]


@dataclass(frozen=True)
class Samples:
    """A library of samples that hold nothing."""

    name: str = "simulated samples"
    total_sample_count: int = 1024
    performance_sample_count: int = 1024

    def load(self, indices: NDArray[np.int64]) -> None:
        """Do nothing: a simulated system looks at no sample."""

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Do nothing."""


def cluster_for(
    system: SimulatedSystem, scenario: Scenario, clock: VirtualClock, seed: int = 0
) -> Cluster:
    """Give a system under test for a scenario, which shares queries as a real pool would."""
    return Cluster(system, clock, seed, split_queries=scenario.is_multi_stream)


def _serving(system: SimulatedSystem) -> dict[str, Any]:
    """Describe the serving as a real pool does; several replicas are none."""
    batching = system.batching
    return {
        "kind": "pool" if system.replicas == 1 else "simulated cluster",
        "workers": batching.workers,
        "max_batch_size": batching.max_batch,
        "max_wait_s": batching.max_wait_ns / 1e9,
    }


def run_scenario(
    system: SimulatedSystem, settings: Settings, folder: Path, command: str, seed: int = 0
) -> TestResult:
    """Run any scenario through the load generator, and keep everything that a real run keeps.

    Plan, recording and verdict are those of a real run; only the clock is virtual.
    """
    clock = VirtualClock()
    scenario = settings.scenario
    notes = {"simulated": True, "system": system.name, "seed": seed, "serving": _serving(system)}
    result, _ = record_test(
        cluster_for(system, scenario, clock, seed),
        Samples(),
        settings,
        folder / scenario.value / "performance/run_1",
        "simulated",
        RunOptions(clock=clock, notes=notes),
    )
    session = Session(
        folder=folder,
        workload={"name": system.name, "title": f"Simulated: {system.name}"},
        backend={"name": "simulated"},
        label="simulated",
        system=describe_system(),
        command=command,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        notes=("simulated on a virtual clock: no such system was measured",),
    )
    write_json(folder / SESSION, session.to_mapping())
    return result
