"""Question: what is searched in a scenario, and the settings of a run at a load."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inferometer.capacity.reading import Bound
from inferometer.loadgen import Mode, Scenario, Settings, SettingsError, total_needed
from inferometer.runs import RunRequest
from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.workloads import WorkloadInfo

__all__ = ["Length", "Question", "question_of"]

_SLOW_ONES = 5


@dataclass(frozen=True)
class Length:
    """How long a whole run is: at least so long, with at least so many queries."""

    seconds: float
    queries: int


@dataclass(frozen=True)
class Question:
    """The highest load of a scenario within a bound.

    settings:
        Those of every run, but for the load.
    length:
        That of a whole run.
    by_the_book:
        Whether a whole run is as long as its round asks.
    """

    settings: Settings
    bound: Bound
    length: Length
    by_the_book: bool

    @property
    def scenario(self) -> Scenario:
        """The scenario of every run."""
        return self.settings.scenario

    @property
    def is_whole(self) -> bool:
        """Whether loads are whole numbers: samples per query."""
        return self.scenario is not Scenario.SERVER

    @property
    def unit(self) -> str:
        """What a load is called."""
        if self.is_whole:
            return "streams" if self.settings.era.is_v05 else "samples per query"
        return "queries/s"

    def queries(self, load: float) -> int:
        """Give how many queries a whole run at a load has."""
        if self.scenario is Scenario.SERVER:
            return max(self.length.queries, math.ceil(load * self.length.seconds))
        if self.settings.era.is_v05:
            rate = self.settings.multi_stream_target_qps
            return max(self.length.queries, math.ceil(rate * self.length.seconds))
        return self.length.queries

    def at(self, load: float, seed: int) -> Settings:
        """Give the settings of a whole run at a load; each seed has arrivals of its own."""
        shift = 0 if self.by_the_book else seed
        common = self.settings.replace(
            min_duration_ms=max(1, round(self.length.seconds * 1e3)),
            min_query_count=self.length.queries,
            schedule_rng_seed=self.settings.schedule_rng_seed + shift,
            sample_index_rng_seed=self.settings.sample_index_rng_seed + shift,
        )
        if self.scenario is Scenario.SERVER:
            return common.replace(server_target_qps=load)
        return common.replace(multi_stream_samples_per_query=int(load))


def question_of(
    request: RunRequest,
    info: WorkloadInfo,
    scenario: Scenario,
    pace: Pace,
    *,
    run_s: float | None,
    bound_ms: float | None,
    percentile: float | None,
) -> Question:
    """Say what is searched: by the round that the request names, or quickly.

    run_s:
        Length of a whole run; by default the round's, or five seconds.

    Raises `SettingsError` for a scenario that has no load to search, and where a bound is
    missing.
    """
    settings, _ = Chooser(request, info).choose(scenario, Mode.PERFORMANCE, pace)
    settings = _bounded(settings, bound_ms, percentile)
    bound = Bound.of(settings.era, *_limit(settings, bound_ms))
    by_the_book = request.round is not None and run_s is None
    if by_the_book:
        length = Length(settings.min_duration_ms / 1e3, settings.min_query_count)
    else:
        least = total_needed(_SLOW_ONES, bound.percentile)
        if settings.era.is_v05:
            # Its percentile alone decides, which takes fewer queries to say something.
            least = math.ceil(_SLOW_ONES / (1.0 - bound.percentile))
        length = Length(run_s or request.effort.budget_s, least)
    return Question(settings, bound, length, by_the_book)


def _bounded(settings: Settings, bound_ms: float | None, percentile: float | None) -> Settings:
    """Put the user's bound into the settings, where the scenario has one."""
    changes: dict[str, float] = {}
    scenario, era = settings.scenario, settings.era
    if scenario is Scenario.SERVER:
        if bound_ms is not None:
            changes["server_target_latency_ns"] = round(bound_ms * 1e6)
        if percentile is not None:
            changes["server_target_latency_percentile"] = percentile
        return settings.replace(**changes)
    if not scenario.is_multi_stream:
        raise SettingsError(f"{scenario.value} has no load to search; choose Server or MultiStream")
    if percentile is not None:
        changes["multi_stream_target_latency_percentile"] = percentile
    if bound_ms is not None and scenario is Scenario.MULTI_STREAM_FREE:
        changes["multi_stream_target_latency_ns"] = round(bound_ms * 1e6)
    elif bound_ms is not None and era.is_v05:
        ahead = settings.multi_stream_max_async_queries
        changes["multi_stream_target_qps"] = ahead / (bound_ms / 1e3)
    elif bound_ms is None and not era.is_v05:
        raise SettingsError(
            "MultiStream has no bound since v2.0; say one with --bound-ms, or choose --round v0.5"
        )
    return settings.replace(**changes)


def _limit(settings: Settings, bound_ms: float | None) -> tuple[int, float]:
    """Give the bound in ns, and the percentile that it is for."""
    if settings.scenario is Scenario.SERVER:
        return settings.server_target_latency_ns, settings.server_target_latency_percentile
    fraction = settings.multi_stream_target_latency_percentile
    if settings.scenario is Scenario.MULTI_STREAM_FREE:
        return settings.multi_stream_target_latency_ns, fraction
    if settings.era.is_v05:
        ahead = settings.multi_stream_max_async_queries
        return int(ahead / settings.multi_stream_target_qps * 1e9), fraction
    assert bound_ms is not None
    return round(bound_ms * 1e6), fraction
