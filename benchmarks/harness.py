"""Harness: runs one test, through any module with the published API or through our own.

Nothing in a case knows which generator it runs on, and what is measured is measured with
the case's own clock readings.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = [
    "SEEDS",
    "TOTAL",
    "Library",
    "Numbers",
    "Span",
    "peak_bytes",
    "respond",
    "run_api",
    "run_native",
]

Numbers = dict[str, float]
TOTAL = 1024
"""Samples of the library, all of which fit in memory together."""

SEEDS = {"qsl_rng_seed": 11, "sample_index_rng_seed": 12, "schedule_rng_seed": 13}


def _nothing(*_: Any) -> None:
    pass


class Library:
    """A library of samples without data."""

    name = "library"

    def __init__(self, total: int = TOTAL):
        self.total_sample_count = self.performance_sample_count = total

    load = unload = staticmethod(_nothing)


class _System:
    name = "benchmark"

    def __init__(self, issue: Callable[[Any], None], flush: Callable[[], None]):
        self.issue, self.flush = issue, flush


def run_native(
    scenario: str,
    issue: Callable[[Any], None],
    settings: dict[str, Any],
    *,
    flush: Callable[[], None] = _nothing,
    total: int = TOTAL,
) -> Any:
    """Run one test through `inferometer.loadgen`; give its outcome, not yet judged."""
    from inferometer.loadgen import Settings, run_test

    asked = Settings.from_mapping({"scenario": scenario, "min_duration_ms": 0, **settings})
    return run_test(_System(issue, flush), Library(total), asked)


def run_api(
    lg: Any,
    scenario: str,
    issue: Callable[[Any], None],
    settings: dict[str, Any],
    *,
    mode: str = "PerformanceOnly",
    flush: Callable[[], None] = _nothing,
    total: int = TOTAL,
) -> int:
    """Run one test through a module with the published API; give the ns in `StartTest`.

    The trace is off on every side.
    """
    asked = lg.TestSettings()
    asked.scenario = getattr(lg.TestScenario, scenario)
    asked.mode = getattr(lg.TestMode, mode)
    asked.min_duration_ms = 0
    for name, value in settings.items():
        setattr(asked, name, value)
    sut = lg.ConstructSUT(issue, flush)
    library = lg.ConstructQSL(total, total, _nothing, _nothing)
    logs = lg.LogSettings()
    logs.enable_trace = False
    with tempfile.TemporaryDirectory() as folder:
        logs.log_output.outdir = folder
        begun = time.perf_counter_ns()
        lg.StartTestWithLogSettings(sut, library, asked, logs)
        spent = time.perf_counter_ns() - begun
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
    return spent


def respond(lg: Any, samples: Any) -> None:
    """Answer all samples in one call, as reference harnesses do."""
    lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0) for sample in samples])


class Span:
    """Notes when the first query was issued and when the test was flushed."""

    def __init__(self) -> None:
        self.begun_ns = 0
        self.ended_ns = 0

    def around(self, issue: Callable[[Any], None]) -> Callable[[Any], None]:
        """Give a callback that notes its first call."""

        def first(query: Any) -> None:
            if not self.begun_ns:
                self.begun_ns = time.perf_counter_ns()
            issue(query)

        return first

    def end(self) -> None:
        """Note the end; to be given as the flush callback."""
        self.ended_ns = time.perf_counter_ns()

    def each_ns(self, count: int) -> float:
        """Give the time per query or sample."""
        return (self.ended_ns - self.begun_ns) / count


def peak_bytes() -> int:
    """Give the peak resident size of this process so far.

    It is VmHWM: what getrusage calls the maximum survives an exec.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0
