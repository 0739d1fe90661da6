"""Trial: one short test of a setup by the load generator, and what it says of the setup."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import (
    IncidentKind,
    Ledger,
    Mode,
    RunOptions,
    Scenario,
    SeriesRecord,
    Settings,
    percentile,
    run_test,
)
from inferometer.runs import Effort, RunRequest
from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.runs.loaded import LoadedWorkload
from inferometer.tuning.capacity import find_capacity
from inferometer.workloads import WorkloadInfo

__all__ = ["Meter", "Reading", "TrialFailed"]

_HANGS_AFTER_S = 60.0
_SEARCH_PERCENTILE = 0.9
_RUNS_OF_A_CAPACITY = 5
_BOUNDS_OF_A_RUN = 5
_OVERWHELMED_BOUNDS = 10
_FEWEST_OUTSTANDING = 64
_FIRST_LOAD = 0.5


class TrialFailed(Exception):  # noqa: N818
    """A setup could not be measured; the cause says why."""


@dataclass(frozen=True)
class Reading:
    """What a trial measured.

    value:
        The scenario's metric, in ``unit``: a latency in ns, or a rate in 1/s.
    goodness:
        The same as a rate, so that more is better.
    details:
        What it was computed from.
    """

    metric: str
    value: float
    unit: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def goodness(self) -> float:
        """The metric as a rate: more is better."""
        return 1e9 / self.value if self.unit == "ns" else self.value


class _TimeRule:
    """Ends a closed-loop series after some time."""

    def __init__(self, seconds: float):
        self._limit_ns = int(seconds * 1e9)

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Look when the time is over, and after every query from then on."""
        if elapsed_ns < self._limit_ns:
            return 1 << 62, self._limit_ns
        return issued + 1, elapsed_ns + 1

    def wants_to_stop(self, ledger: Ledger, issued: int, elapsed_ns: int) -> str | None:  # noqa: ARG002
        """Give the reason to stop, or ``None`` to go on."""
        return "the time of the trial is over" if elapsed_ns >= self._limit_ns else None


class Meter:
    """Measures loaded models in one scenario; a trial lasts about as long as it is asked to.

    SingleStream and MultiStream give the latency at their percentile, Offline the samples a
    second, Server the highest Poisson rate that keeps the bound at its percentile. The short
    trials of a search look at the 90th percentile where a scenario has a higher one: one
    disturbance would decide what the slowest hundredth of so few queries is.
    """

    def __init__(self, request: RunRequest, info: WorkloadInfo, scenario: Scenario):
        self._request = request
        self._info = info
        self._scenario = scenario

    @property
    def least_s(self) -> float:
        """Shortest trial that says something: of Server, some runs of some bounds each."""
        if self._scenario is not Scenario.SERVER:
            return 0.1
        run_s = max(0.12, _BOUNDS_OF_A_RUN * self._info.server_latency_bound_ns / 1e9)
        return run_s * (_RUNS_OF_A_CAPACITY - 1)

    def measure(
        self,
        loaded: LoadedWorkload,
        pace: Pace,
        seconds: float,
        lap: int,
        *,
        is_search: bool,
        start_qps: float | None = None,
        give_up_below_qps: float = 0.0,
    ) -> Reading:
        """Measure for about so many seconds; trials of the same lap get the same arrivals.

        Raises `TrialFailed` if the system failed, and KeyboardInterrupt.
        """
        settings = self._settings(pace, seconds, lap)
        if self._scenario is Scenario.SERVER:
            start = start_qps or pace.samples_per_s * _FIRST_LOAD
            fraction = _fraction(settings.server_target_latency_percentile, is_search)
            settings = settings.replace(server_target_latency_percentile=fraction)
            return self._capacity(loaded, settings, seconds, start, give_up_below_qps)
        if self._scenario is Scenario.OFFLINE:
            count = max(1, int(pace.samples_per_s * seconds))
            series = self._run(loaded, settings.replace(min_query_count=count, min_duration_ms=1))
            elapsed_ns = int(series.completed_ns.max())
            rate = len(series.completed_ns) / elapsed_ns * 1e9
            return Reading("samples a second", rate, "1/s", {"samples": len(series.completed_ns)})
        return self._latency(self._run(loaded, settings, _TimeRule(seconds)), settings, is_search)

    def _settings(self, pace: Pace, seconds: float, lap: int) -> Settings:
        effort = Effort(budget_s=seconds, least_s=seconds)
        request = dataclasses.replace(self._request, effort=effort, round=None)
        chooser = Chooser(request, self._info)
        settings, _ = chooser.choose(self._scenario, Mode.PERFORMANCE, pace)
        return settings.replace(
            schedule_rng_seed=settings.schedule_rng_seed + lap,
            sample_index_rng_seed=settings.sample_index_rng_seed + lap,
            outstanding_limit_s=_HANGS_AFTER_S,
        )

    def _latency(self, series: SeriesRecord, settings: Settings, is_search: bool) -> Reading:
        if self._scenario is Scenario.SINGLE_STREAM:
            asked, latencies = settings.single_stream_target_latency_percentile, series.latency_ns
        else:
            asked = settings.multi_stream_target_latency_percentile
            latencies = series.query_latency_ns
        fraction = _fraction(asked, is_search)
        value = float(_at(latencies, fraction))
        name = f"p{fraction * 100:g} latency"
        return Reading(name, value, "ns", {"queries": len(latencies)})

    def _capacity(
        self,
        loaded: LoadedWorkload,
        settings: Settings,
        seconds: float,
        start_qps: float,
        give_up_below_qps: float,
    ) -> Reading:
        bound_ns = settings.server_target_latency_ns
        runs: list[tuple[float, float]] = []

        def run(rate: float) -> float:
            outstanding = int(rate * bound_ns / 1e9 * _OVERWHELMED_BOUNDS)
            asked = settings.replace(
                server_target_qps=rate,
                server_max_async_queries=max(_FEWEST_OUTSTANDING, outstanding),
                min_duration_ms=max(1, int(seconds * 1000 / _RUNS_OF_A_CAPACITY)),
                min_query_count=1,
            )
            series = self._run(loaded, asked)
            is_over = series.happened(IncidentKind.TOO_MANY_OUTSTANDING) > 0
            latency_ns = _at(series.latency_ns, settings.server_target_latency_percentile)
            runs.append((round(rate, 3), latency_ns))
            return math.inf if is_over else latency_ns / bound_ns

        rate = find_capacity(run, start_qps, give_up_below_qps)
        return Reading("rate within the bound", rate, "1/s", {"rates_and_latencies_ns": runs})

    def _run(
        self, loaded: LoadedWorkload, settings: Settings, rule: _TimeRule | None = None
    ) -> SeriesRecord:
        serving, _ = loaded.serve(self._scenario)
        try:
            outcome = run_test(serving, loaded.library, settings, RunOptions(rule=rule))
        finally:
            serving.close()
        if any(message.kind == "interrupted" for message in outcome.recording.messages):
            raise KeyboardInterrupt
        series = outcome.recording.performance
        if series is not None and series.happened(IncidentKind.INTERRUPTED):
            raise KeyboardInterrupt
        if outcome.error is not None or series is None:
            raise TrialFailed(str(outcome.error)) from outcome.error
        if not bool(series.is_complete.any()):
            raise TrialFailed("nothing was answered")
        return series


def _fraction(asked: float, is_search: bool) -> float:
    return min(asked, _SEARCH_PERCENTILE) if is_search else asked


def _at(latencies: NDArray[np.int64], fraction: float) -> int:
    return percentile(np.sort(latencies), fraction)
