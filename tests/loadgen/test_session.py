"""Whole tests on the virtual clock: order of events, timing of each scenario, ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import (
    Era,
    IncidentKind,
    Mode,
    Query,
    RunOptions,
    Scenario,
    Settings,
    SettingsError,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.serving import SimulatedSUT
from tests.support import Library, System, short_settings, simulate

ALL_CURRENT = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]


def test_order_of_events() -> None:
    library, calls = Library(), []
    clock = VirtualClock()
    sut = SimulatedSUT(clock, 1000)

    def issue(query: Query) -> None:
        calls.append("issue")
        sut.issue(query)

    library.calls = calls
    run_test(
        System(issue, lambda: calls.append("flush")),
        library,
        short_settings(min_query_count=2),
        RunOptions(clock=clock),
    )
    kinds = [call if isinstance(call, str) else call[0] for call in calls]
    assert kinds == ["load", "issue", "issue", "flush", "unload"]


def test_single_stream_waits_for_each_answer() -> None:
    series = simulate(short_settings(), 500_000).recording.performance
    assert series is not None
    assert series.query_count == 100
    assert series.issued_ns.tolist() == [500_000 * n for n in range(100)]
    assert (series.latency_ns == 500_000).all()
    assert (series.lateness_ns == 0).all()


def test_server_keeps_to_its_schedule_whatever_the_system_does() -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0)
    series = simulate(asked, 5_000_000).recording.performance
    assert series is not None
    assert series.scheduled_ns[:3].tolist() == [0, 6332545, 8348364]
    assert (series.issued_ns == series.scheduled_ns).all()
    # One server of 5 ms for 1,000 arrivals a second: the queue only grows.
    assert series.latency_ns[-1] > 100_000_000


def test_latency_counts_from_the_scheduled_time() -> None:
    clock = VirtualClock()

    def slow_to_take(query: Query) -> None:
        clock.advance(3_000_000)
        query.complete()

    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, min_query_count=50)
    outcome = run_test(System(slow_to_take), Library(), asked, RunOptions(clock=clock))
    series = outcome.recording.performance
    assert series is not None
    assert series.lateness_ns[-1] > 50_000_000
    assert (series.latency_ns == series.lateness_ns + 3_000_000).all()


def test_offline_is_one_query_of_everything() -> None:
    outcome = simulate(short_settings(Scenario.OFFLINE), 70_000)
    series = outcome.recording.performance
    assert series is not None
    assert (series.query_count, series.sample_count) == (1, 100)
    assert (series.latency_ns == 70_000).all()


def test_multi_stream_issues_consecutive_samples_back_to_back() -> None:
    series = simulate(short_settings(Scenario.MULTI_STREAM), 100_000).recording.performance
    assert series is not None
    assert series.samples_per_query == 8
    assert (np.diff(series.issued_ns) == 100_000).all()


@pytest.mark.parametrize(
    ("service_ns", "ticks"), [(500_000, 1), (1_900_000, 1), (2_500_000, 2), (4_100_000, 3)]
)
def test_v05_multi_stream_skips_the_ticks_that_come_too_soon(service_ns: int, ticks: int) -> None:
    asked = short_settings(Scenario.MULTI_STREAM, era=Era.V05, multi_stream_target_qps=500.0)
    outcome = simulate(asked, service_ns)
    series = outcome.recording.performance
    assert series is not None
    assert series.scheduled_ns[0] == 2_000_000
    assert (np.diff(series.scheduled_ns) == 2_000_000 * ticks).all()
    verdict = judge(outcome.recording)
    assert verdict is not None
    assert verdict.is_valid == (ticks < 2)
    assert verdict.ticks is not None
    assert verdict.ticks[0.5] == ticks


def test_v05_multi_stream_free_issues_when_there_is_room() -> None:
    asked = short_settings(
        Scenario.MULTI_STREAM_FREE, era=Era.V05, multi_stream_max_async_queries=2
    )
    series = simulate(asked, 1_000_000, servers=2).recording.performance
    assert series is not None
    assert series.issued_ns[:4].tolist() == [0, 0, 1_000_000, 1_000_000]


def test_coalescing_hands_over_all_due_queries_at_once() -> None:
    clock, batches = VirtualClock(), []

    class Slow(System):
        def issue_many(self, queries: list[Query]) -> None:
            batches.append(len(queries))
            clock.advance(10_000_000)
            for query in queries:
                query.complete()

    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, server_coalesce_queries=True)
    outcome = run_test(Slow(Query.complete), Library(), asked, RunOptions(clock=clock))
    series = outcome.recording.performance
    assert series is not None
    assert sum(batches) == series.query_count == 100
    assert max(batches) > 5
    assert (series.issued_ns >= series.scheduled_ns).all()


@pytest.mark.parametrize(
    ("changes", "kind", "issued"),
    [
        ({}, IncidentKind.ENDED_NATURALLY, 100),
        ({"max_query_count": 20}, IncidentKind.MAX_QUERY_COUNT, 20),
        ({"max_query_count": 100}, IncidentKind.ENDED_NATURALLY, 100),
        ({"max_duration_ms": 10, "min_duration_ms": 50}, IncidentKind.MAX_DURATION, 22),
        ({"min_duration_ms": 200}, IncidentKind.RAN_OUT_OF_QUERIES, 401),
        (
            {"min_duration_ms": 60, "single_stream_expected_latency_ns": 1e5},
            IncidentKind.ENDED_NATURALLY,
            121,
        ),
    ],
)
def test_ends_of_a_closed_loop(changes: dict[str, Any], kind: IncidentKind, issued: int) -> None:
    service_ns = 400_000 if kind is IncidentKind.RAN_OUT_OF_QUERIES else 500_000
    series = simulate(short_settings(**changes), service_ns).recording.performance
    assert series is not None
    assert list(series.incident_counts) == [kind]
    assert series.query_count == issued


def test_the_october_release_waits_for_more_than_the_minimum_duration() -> None:
    for era, kind in (
        (Era.V05, IncidentKind.ENDED_NATURALLY),
        (Era.V05_OCTOBER, IncidentKind.RAN_OUT_OF_QUERIES),
    ):
        asked = short_settings(Scenario.OFFLINE, era=era, min_duration_ms=50)
        series = simulate(asked).recording.performance
        assert series is not None
        assert list(series.incident_counts) == [kind]


def test_too_many_outstanding_queries_end_a_server_run() -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=5000.0, server_max_async_queries=5)
    series = simulate(asked, 50_000_000).recording.performance
    assert series is not None
    assert series.query_count == 6
    incident = series.incidents[0]
    assert incident.kind is IncidentKind.TOO_MANY_OUTSTANDING
    assert dict(incident.values) == {"issued": 6, "outstanding": 6}
    assert bool(series.is_complete.all()), "what is outstanding is still waited for"


@pytest.mark.parametrize("scenario", ALL_CURRENT)
def test_accuracy_mode_answers_every_sample_and_keeps_it(scenario: Scenario) -> None:
    outcome = simulate(short_settings(scenario, mode=Mode.ACCURACY, server_target_qps=1000.0), 1000)
    recording = outcome.recording
    assert recording.performance is None
    assert len(recording.accuracy) == 2
    answered = {}
    first = {series.first_sample_id: series for series in recording.accuracy}
    for response in outcome.responses:
        start = max(f for f in first if f <= response.sample_id)
        index = int(first[start].sample_index[response.sample_id - start])
        assert response.data == index.to_bytes(4, "little")
        answered[index] = response
    assert sorted(answered) == list(range(64))


def test_submission_run_is_accuracy_then_performance_with_ids_running_on() -> None:
    recording = simulate(short_settings(mode=Mode.SUBMISSION)).recording
    assert [series.mode for series in recording.series] == [
        Mode.ACCURACY,
        Mode.ACCURACY,
        Mode.PERFORMANCE,
    ]
    assert [series.first_sample_id for series in recording.series] == [0, 32, 64]
    assert recording.result_series == 2


def test_test05_replaces_seeds_and_mode() -> None:
    asked = short_settings(mode=Mode.ACCURACY, test05=True, test05_sample_index_rng_seed=235)
    recording = simulate(asked).recording
    assert recording.settings.mode is Mode.PERFORMANCE
    assert recording.settings.sample_index_rng_seed == 235
    assert recording.messages[0].kind == "test05"


def test_contradictory_settings_are_refused_unless_tolerated() -> None:
    asked = short_settings(performance_issue_same=True, performance_issue_unique=True)
    with pytest.raises(SettingsError, match="both cannot be true"):
        run_test(System(Query.complete), Library(), asked)
    outcome = run_test(
        System(Query.complete),
        Library(),
        asked,
        RunOptions(clock=VirtualClock(), tolerate_problems=True),
    )
    assert outcome.recording.messages[0].kind == "invalid_settings"


def test_a_server_test_of_270336_queries_takes_seconds() -> None:
    asked = short_settings(
        Scenario.SERVER, min_query_count=270_336, min_duration_ms=60_000, server_target_qps=4000.0
    )
    outcome = simulate(asked, 200_000, servers=2)
    verdict = judge(outcome.recording)
    assert verdict is not None
    assert verdict.is_valid
    assert verdict.query_count == 270_336


@given(
    st.sampled_from(ALL_CURRENT),
    st.integers(1, 4),
    st.integers(1, 3_000_000),
    st.integers(1, 60),
    st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_every_sample_is_answered_once_after_it_was_issued(
    scenario: Scenario, servers: int, service_ns: int, count: int, seed: int
) -> None:
    asked = Settings(
        scenario=scenario,
        min_duration_ms=0,
        min_query_count=count,
        server_target_qps=2000.0,
        sample_index_rng_seed=seed,
        schedule_rng_seed=seed,
    )
    outcome = simulate(asked, service_ns, servers=servers)
    series = outcome.recording.performance
    assert series is not None
    assert bool(series.is_complete.all())
    issued = np.repeat(series.issued_ns, series.samples_per_query)
    assert (series.completed_ns >= issued + service_ns).all()
    assert (series.issued_ns >= series.scheduled_ns).all()
    if scenario is Scenario.SERVER:
        # A work-conserving queue of equal services answers in order of arrival.
        assert (np.diff(series.completed_ns) >= 0).all()


def test_runs_repeat_exactly_on_the_virtual_clock() -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=900.0)
    one, other = (simulate(asked, 700_000).recording.performance for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.completed_ns.tolist() == other.completed_ns.tolist()
