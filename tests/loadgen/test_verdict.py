"""Verdicts: metrics and criteria of each scenario and era, from made-up recordings."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import (
    Era,
    Mode,
    Recording,
    Scenario,
    SeriesRecord,
    Settings,
    Verdict,
    judge,
)


def recorded(
    scheduled: Any, issued: Any, completed: Any, settings: Settings, **more: Any
) -> Recording:
    """A recording of one performance series with the given times in ns."""
    scheduled, issued, completed = (
        np.array(values, np.int64) for values in (scheduled, issued, completed)
    )
    series = SeriesRecord(
        mode=Mode.PERFORMANCE,
        samples_per_query=max(1, len(completed) // max(1, len(issued))),
        scheduled_ns=scheduled,
        issued_ns=issued,
        completed_ns=completed,
        sample_index=np.zeros(len(completed), np.int32),
        generated_query_count=len(issued),
        generated_duration_ns=0,
        first_sample_id=0,
        wall_start_s=0.0,
        wall_stop_s=0.0,
        stop_ns=int(completed.max(initial=0)),
        target_qps=more.pop("target_qps", 1000.0),
        **more,
    )
    return Recording(settings, "sut", "library", 64, 32, (series,), 0.0, result_series=0)


def judged(*times: Any, **changes: Any) -> Verdict:
    names = ("tick_counts", "first_token_ns", "token_count", "target_qps")
    more = {name: changes.pop(name) for name in names if name in changes}
    values = {"min_duration_ms": 0, "min_query_count": 1, **changes}
    scheduled, issued, completed = times
    verdict = judge(recorded(scheduled, issued, completed, Settings(**values), **more))
    assert verdict is not None
    return verdict


def test_single_stream_rates() -> None:
    issued = np.arange(100) * 1_000_000
    verdict = judged(issued, issued, issued + 500_000)
    assert verdict.rates.qps_with_overhead == pytest.approx(99 / 0.099)
    assert verdict.rates.qps_without_overhead == pytest.approx(2000.0)
    assert verdict.metric.value == 500_000
    assert verdict.metric.published_value == 500_000
    assert verdict.is_valid


def test_single_stream_with_too_few_queries_for_early_stopping() -> None:
    issued = np.arange(63) * 1_000_000
    verdict = judged(issued, issued, issued + 500_000)
    assert verdict.early_stopping_met is False
    assert not verdict.is_valid
    assert {f.rule.id for f in verdict.findings} >= {"criteria.early-stopping"}
    assert judged(issued, issued, issued + 500_000, era=Era.V05).is_valid, "v0.5 has none"


def test_server_rates_count_from_the_final_query() -> None:
    due = np.arange(1000) * 1_000_000
    done = due + 200_000
    done[500] = 5_000_000_000
    verdict = judged(due, due, done, scenario=Scenario.SERVER)
    assert verdict.rates.scheduled_samples_per_s == pytest.approx(999 / 0.999)
    assert verdict.rates.completed_samples_per_s == pytest.approx(999 / 0.9992)
    assert verdict.over_latency_count == 1
    assert verdict.metric.name == "completed samples/s"
    assert judged(due, due, done, scenario=Scenario.SERVER, era=Era.V05).metric.name == (
        "scheduled samples/s"
    )


@pytest.mark.parametrize(
    ("count", "slow", "valid"),
    [(458, 0, False), (459, 0, True), (661, 1, False), (662, 1, True), (100, 100, False)],
)
def test_server_early_stopping(count: int, slow: int, valid: bool) -> None:
    due = np.arange(count) * 1_000_000
    latency = np.full(count, 5_000_000)
    latency[:slow] = 200_000_000
    verdict = judged(due, due, due + latency, scenario=Scenario.SERVER)
    assert verdict.is_valid == valid
    assert verdict.perf_constraints_met == (slow < count * 0.01 + 1)


def test_offline_counts_to_the_last_answer() -> None:
    done = np.linspace(1, 2_000_000_000, 4000).astype(np.int64)
    verdict = judged([0], [10], done, scenario=Scenario.OFFLINE, min_query_count=4000)
    assert verdict.rates.samples_per_s == pytest.approx(2000.0)
    assert verdict.is_valid
    assert verdict.metric.interval is not None
    short = judged([0], [10], done, scenario=Scenario.OFFLINE, min_duration_ms=2500)
    assert not short.min_duration_met
    few = judged([0], [10], done, scenario=Scenario.OFFLINE, min_query_count=4001)
    assert not few.min_queries_met


@pytest.mark.parametrize(("slow", "valid"), [(0, True), (30, False)])
def test_v05_multi_stream_judges_intervals(slow: int, valid: bool) -> None:
    ticks = np.ones(200, np.int64)
    ticks[1 : slow + 1] = 3
    issued = np.cumsum(ticks) * 2_000_000
    verdict = judged(
        issued,
        issued,
        np.repeat(issued, 4) + 600_000,
        scenario=Scenario.MULTI_STREAM,
        era=Era.V05,
        multi_stream_target_qps=500.0,
        target_qps=500.0,
        tick_counts=ticks,
    )
    assert verdict.is_valid == valid
    assert verdict.metric.value == 4
    assert verdict.ticks is not None
    assert verdict.ticks[0.999] == (3 if slow else 1)


def test_multi_stream_latency_is_that_of_the_last_sample() -> None:
    issued = np.arange(662) * 10_000_000
    done = np.repeat(issued, 8) + np.tile(np.arange(8) * 1000, 662)
    verdict = judged(issued, issued, done, scenario=Scenario.MULTI_STREAM)
    assert verdict.query_latency is not None
    assert verdict.query_latency.max_ns == 7000
    assert verdict.metric.value == 7000
    assert verdict.is_valid


def test_tokens() -> None:
    due = np.arange(1000) * 1_000_000
    first, done = due + 100_000, due + 1_000_000
    changes: dict[str, Any] = {
        "scenario": Scenario.SERVER,
        "use_token_latencies": True,
        "first_token_ns": first,
        "token_count": np.full(1000, 10, np.int64),
    }
    verdict = judged(due, due, done, **changes)
    assert verdict.tokens is not None
    assert verdict.tokens.total == 10_000
    assert verdict.tokens.per_token is not None
    assert verdict.tokens.per_token.max_ns == 100_000
    assert verdict.tokens.completed_per_s == pytest.approx(10_000 / 1.0)
    assert verdict.is_valid
    slow = judged(due, due, done, ttft_latency_ns=50_000, **changes)
    assert slow.first_token_constraint_met is False
    assert slow.token_constraint_met is True
    slow = judged(due, due, done, tpot_latency_ns=50_000, **changes)
    assert slow.first_token_stopping is None, "the second check is skipped when the first fails"


def test_lateness_that_could_have_decided_is_a_finding() -> None:
    due = np.arange(1000) * 1_000_000
    issued = due + 90_000_000
    verdict = judged(due, issued, issued + 20_000_000, scenario=Scenario.SERVER)
    assert not verdict.is_valid
    rules = {f.rule.id for f in verdict.findings}
    assert "timing.lateness-decides" in rules
    slow = judged(due, due, due + 110_000_000, scenario=Scenario.SERVER)
    assert "timing.lateness-decides" not in {f.rule.id for f in slow.findings}


def test_notable_lateness_is_a_warning() -> None:
    due = np.arange(1000) * 1_000_000
    verdict = judged(due, due + 300_000, due + 1_000_000, scenario=Scenario.SERVER)
    assert [f.rule.id for f in verdict.findings] == ["timing.lateness-high"]
    assert verdict.is_valid
    quiet = judged(due, due + 10_000, due + 1_000_000, scenario=Scenario.SERVER)
    assert quiet.findings == ()


def test_an_unanswered_sample_is_never_valid() -> None:
    issued = np.arange(1000) * 1_000_000
    done = issued + 1000
    done[7] = -1
    verdict = judged(issued, issued, done)
    assert not verdict.is_valid
    assert not verdict.is_valid_as_published
    assert verdict.sample_count == 999


@pytest.mark.parametrize("scenario", [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE])
def test_a_run_that_recorded_nothing_is_judged_without_error(scenario: Scenario) -> None:
    for times in (([], [], []), ([0], [0], [-1])):
        verdict = judged(*times, scenario=scenario)
        assert not verdict.is_valid
        assert verdict.metric.value is None or scenario is Scenario.OFFLINE


@given(
    st.sampled_from([s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=300),
)
@settings(max_examples=150, deadline=None)
def test_any_latencies_give_a_verdict_whose_intervals_hold_their_percentiles(
    scenario: Scenario, latencies: list[int]
) -> None:
    issued = np.arange(len(latencies)) * 1_000_000
    verdict = judged(issued, issued, issued + np.array(latencies), scenario=scenario)
    summary = verdict.sample_latency
    assert summary is not None
    assert summary.min_ns <= summary.mean_ns <= summary.max_ns
    values = list(summary.percentiles_ns.values())
    assert values == sorted(values)
    for fraction, value in summary.percentiles_ns.items():
        interval = summary.intervals_ns[fraction]
        assert interval.low is None or interval.low <= value
        assert interval.high is None or value <= interval.high


def test_verdicts_are_frozen() -> None:
    issued = np.arange(10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        judged(issued, issued, issued + 1).is_valid = True  # type: ignore[misc]
