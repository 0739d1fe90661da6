"""Systems that several tests simulate."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from inferometer.loadgen import (
    RunOptions,
    Scenario,
    SeriesRecord,
    Settings,
    VirtualClock,
    run_test,
)
from inferometer.simulating import (
    Batching,
    Constant,
    Distribution,
    ServiceTime,
    SimulatedSystem,
    cluster_for,
)
from inferometer.simulating.lanes import LaneTotals, run_lanes
from inferometer.simulating.scenario import Samples
from inferometer.simulating.tally import Tally

MS = 1e6


def system_of(
    shape: Distribution | None = None,
    *,
    setup_ms: float = 0.0,
    sample_ms: float = 1.0,
    contention: float = 0.0,
    workers: int = 1,
    max_batch: int = 1,
    max_wait_ms: float = 0.0,
    **more: Any,
) -> SimulatedSystem:
    service = ServiceTime.line(setup_ms * MS, sample_ms * MS, shape or Constant(1.0), contention)
    return SimulatedSystem(service, batching=Batching(workers, max_batch, max_wait_ms * MS), **more)


def in_lanes(
    system: SimulatedSystem, rate: float, lanes: int = 300, each: int = 800, seed: int = 1
) -> tuple[Tally, LaneTotals]:
    tally = Tally(20)
    groups = np.arange(lanes) % 20
    totals = run_lanes(system, rate, groups, each, np.random.default_rng(seed), tally)
    return tally, totals


def with_service(system: SimulatedSystem, **more: Any) -> SimulatedSystem:
    """The system with something else about its calls."""
    return dataclasses.replace(system, service=dataclasses.replace(system.service, **more))


def recorded(system: SimulatedSystem, qps: float, seed: int, seconds: float = 4.0) -> SeriesRecord:
    """What the load generator records of a system in Server."""
    clock = VirtualClock()
    settings = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=qps,
        min_duration_ms=round(seconds * 1000),
        min_query_count=1,
        schedule_rng_seed=seed,
    )
    sut = cluster_for(system, Scenario.SERVER, clock, seed)
    series = run_test(sut, Samples(), settings, RunOptions(clock=clock)).recording.performance
    assert series is not None
    return series
