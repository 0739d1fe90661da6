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
from inferometer.loadgen.stop_checks import TellingRule
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


@pytest.mark.parametrize(
    ("scenario", "effort", "kind"),
    [
        (Scenario.SERVER, Effort(decides=True), "bound"),
        (Scenario.SERVER, Effort(), None),
        (Scenario.SINGLE_STREAM, Effort(decides=True, bound_ns=5_000_000), "bound"),
        (Scenario.SINGLE_STREAM, Effort(decides=True), "precision"),
        (Scenario.MULTI_STREAM, Effort(bound_ns=5_000_000), "precision"),
        (Scenario.OFFLINE, Effort(decides=True, bound_ns=5_000_000), None),
    ],
)
def test_what_ends_a_quick_run(scenario: Scenario, effort: Effort, kind: str | None) -> None:
    settings = Settings(scenario=scenario, server_target_qps=200.0)
    sized, rule = quick_settings(scenario, settings, Pace(0.001, 1000.0), effort)
    assert (rule is None) == (kind is None)
    if rule is not None:
        assert isinstance(rule, TellingRule)
        assert rule.describe()["kind"] == kind
    if effort.bound_ns is not None and scenario is Scenario.SERVER:
        assert sized.server_target_latency_ns == effort.bound_ns


def test_a_server_run_plans_queries_for_as_long_as_its_bound_may_take() -> None:
    pace = Pace(0.0002, 5000.0)
    base = Settings(scenario=Scenario.SERVER, server_target_qps=200.0)
    settings, rule = quick_settings(Scenario.SERVER, base, pace, Effort(decides=True))
    assert settings.min_duration_ms == 1000
    clock = VirtualClock()
    sut = SimulatedSUT(clock, 200_000)
    outcome = run_test(sut, Library(), settings, RunOptions(clock=clock, rule=rule))
    series = outcome.recording.performance
    assert series is not None
    assert series.generated_duration_ns >= 20e9
    assert series.query_count < 1500
