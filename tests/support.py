"""What several tests share: a library without data, systems that misbehave, settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import (
    Query,
    RunOptions,
    RunOutcome,
    Scenario,
    Settings,
    VirtualClock,
    run_test,
)
from inferometer.serving import SimulatedSUT

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("INFEROMETER_TEST_DATA", ROOT.parent / "shared" / "data"))

V05_SEEDS: dict[str, Any] = {
    "qsl_rng_seed": 3133965575612453542,
    "sample_index_rng_seed": 665484352860916858,
    "schedule_rng_seed": 3622009729038561421,
}


def shared_data(*parts: str) -> Path:
    """Give a path below the shared reference data, or skip saying that they aren't here."""
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data not here: {'/'.join(parts)} (set INFEROMETER_TEST_DATA)")
    return path


class Library:
    """A sample library that only takes notes of what is loaded."""

    name = "library"

    def __init__(self, total: int = 64, performance: int = 32):
        self.total_sample_count = total
        self.performance_sample_count = performance
        self.calls: list[Any] = []

    def load(self, indices: NDArray[np.int64]) -> None:
        self.calls.append(("load", indices.tolist()))

    def unload(self, indices: NDArray[np.int64]) -> None:
        self.calls.append(("unload", indices.tolist()))


class System:
    """A system made of one function."""

    name = "system"

    def __init__(
        self,
        issue: Callable[[Query], Any],
        flush: Callable[[], Any] = lambda: None,
    ):
        self._issue, self._flush = issue, flush

    def issue(self, query: Query) -> None:
        self._issue(query)

    def flush(self) -> None:
        self._flush()


def short_settings(scenario: Scenario = Scenario.SINGLE_STREAM, **changes: Any) -> Settings:
    """Settings for a run of 100 queries."""
    values: dict[str, Any] = {"min_duration_ms": 0, "min_query_count": 100, **V05_SEEDS}
    return Settings(scenario=scenario, **{**values, **changes})


def simulate(
    settings: Settings,
    service_time_ns: int | Callable[[Query], int] = 500_000,
    library: Library | None = None,
    servers: int = 1,
) -> RunOutcome:
    """Run a test on the virtual clock against a simulated system."""
    clock = VirtualClock()
    sut = SimulatedSUT(clock, service_time_ns, servers)
    return run_test(sut, library or Library(), settings, RunOptions(clock=clock))
