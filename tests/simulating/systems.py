"""Systems that several tests simulate."""

from __future__ import annotations

from typing import Any

import numpy as np

from inferometer.simulating import Batching, Constant, Distribution, ServiceTime, SimulatedSystem
from inferometer.simulating.lanes import LaneTotals, run_lanes
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
