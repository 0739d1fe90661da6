"""Quick runs: sized for their budget, ended by precision, on the virtual clock."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.loadgen import (
    IncidentKind,
    Query,
    RunOptions,
    Scenario,
    SeriesRecord,
    Settings,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.runs import Effort
from inferometer.runs.effort import Pace, quick_settings, server_rate
from inferometer.serving import SimulatedSUT
from tests.support import Library


def quick(
    scenario: Scenario, mean_ns: float, spread: float = 0.2, effort: Effort | None = None
) -> SeriesRecord:
    """Run a quick test against a system with a known latency distribution."""
    effort = effort or Effort()
    generator = np.random.default_rng(3)
    clock = VirtualClock()
    pace = Pace(mean_ns / 1e9, 1e9 / mean_ns)
    base = Settings(scenario=scenario, server_target_qps=server_rate(pace, 1e12))
    settings, rule = quick_settings(scenario, base, pace, effort)

    def service_ns(query: Query) -> int:
        per_query = len(query) if scenario is Scenario.OFFLINE else 1
        return max(1, int(generator.normal(mean_ns, spread * mean_ns) * per_query))

    sut = SimulatedSUT(clock, service_ns)
    outcome = run_test(sut, Library(), settings, RunOptions(clock=clock, rule=rule))
    series = outcome.recording.performance
    assert series is not None
    verdict = judge(outcome.recording)
    assert verdict is not None
    assert verdict.min_duration_met or effort.budget_s < 1
    return series


def test_a_steady_system_needs_only_the_least_time() -> None:
    series = quick(Scenario.SINGLE_STREAM, 200_000, spread=0.01)
    assert series.happened(IncidentKind.STOPPED_BY_RULE) == 1
    assert 1e9 <= series.completed_ns.max() < 1.8e9
    assert "is known to within" in series.incidents[0].values["reason"]  # type: ignore[operator]


def test_an_unsteady_system_takes_the_whole_budget() -> None:
    effort = Effort(budget_s=3.0, precision=0.0005)
    series = quick(Scenario.SINGLE_STREAM, 500_000, spread=0.8, effort=effort)
    assert 3e9 <= series.completed_ns.max() < 3.2e9
    assert "budget" in str(series.incidents[0].values["reason"])


def test_a_slow_system_gets_more_time_but_not_for_ever() -> None:
    series = quick(Scenario.MULTI_STREAM, 100_000_000)
    assert 20e9 <= series.completed_ns.max() < 20.3e9


@pytest.mark.parametrize("scenario", [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE])
@pytest.mark.parametrize("mean_ns", [2_000, 300_000, 40_000_000])
def test_quick_runs_of_any_system_stay_within_bounds(scenario: Scenario, mean_ns: int) -> None:
    effort = Effort(budget_s=2.0, least_s=0.5)
    if mean_ns == 2_000:
        effort = Effort(budget_s=0.2, least_s=0.1)
    series = quick(scenario, mean_ns, effort=effort)
    assert series.query_count >= 1
    assert series.completed_ns.max() < 1e9 * (effort.budget_s * 4.5 + 1)
    assert not series.happened(IncidentKind.RAN_OUT_OF_QUERIES)


@pytest.mark.parametrize(
    ("samples_per_s", "rate"), [(14_388, 3600), (100, 25), (1.5, 1), (999, 250), (123_456, 31_000)]
)
def test_server_rate_is_a_round_quarter(samples_per_s: float, rate: float) -> None:
    assert server_rate(Pace(0.0, samples_per_s), 10e6) == rate


@pytest.mark.parametrize(
    ("latency_s", "rate"), [(0.0004, 250), (0.0005, 250), (0.001, 120), (0.01, 62), (1.0, 62)]
)
def test_server_rate_is_lower_where_the_bound_leaves_little_room(
    latency_s: float, rate: float
) -> None:
    assert server_rate(Pace(latency_s, 1000.0), 10e6) == rate
