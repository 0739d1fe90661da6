"""Runs that can't meet their bound any more end, on the virtual clock; others are whole."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.simulated_systems import one_server

from inferometer.capacity import Bound, Question
from inferometer.capacity.question import Length
from inferometer.capacity.recorded import read_series
from inferometer.capacity.sure_miss import SureMiss
from inferometer.loadgen import (
    Era,
    RunOptions,
    RunOutcome,
    Scenario,
    Settings,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.serving import SimulatedSUT
from tests.support import Library

BOUND_NS = 10_000_000


def run(rate: float, rule: SureMiss | None = None, service_ns: int = 2_000_000) -> RunOutcome:
    clock = VirtualClock()
    settings = Settings(
        scenario=Scenario.SERVER,
        era=Era.V05,
        server_target_qps=rate,
        server_target_latency_ns=BOUND_NS,
        min_duration_ms=5_000,
        min_query_count=1_000,
    )
    sut = SimulatedSUT(clock, service_ns)
    return run_test(sut, Library(64), settings, RunOptions(clock=clock, rule=rule))


def rule_for(rate: float) -> SureMiss:
    queries = max(1_000, int(rate * 5))
    bound = Bound.of(Era.V05, BOUND_NS, 0.99)
    return SureMiss(Scenario.SERVER, BOUND_NS, bound.allowed(queries), queries, 5.0)


@pytest.mark.parametrize("rate", [50.0, 200.0, 600.0, 2_000.0])
def test_only_runs_that_would_miss_end_early(rate: float) -> None:
    whole, rule = judge(run(rate).recording), rule_for(rate)
    series = run(rate, rule).recording.performance
    assert whole is not None
    assert series is not None
    assert rule.has_missed == (not whole.perf_constraints_met)
    if rule.has_missed:
        assert series.query_count < whole.query_count
    else:
        assert series.query_count == whole.query_count


def test_far_too_much_load_ends_at_once() -> None:
    rule = rule_for(2_000.0)
    outcome = run(2_000.0, rule)
    series, verdict = outcome.recording.performance, judge(outcome.recording)
    assert series is not None
    assert verdict is not None
    assert series.query_count < 1_000
    bound, length = Bound.of(Era.V05, BOUND_NS, 0.99), Length(5.0, 1_000)
    question = Question(outcome.recording.settings, bound, length, by_the_book=False)
    one = read_series(2_000.0, series, verdict, question)
    assert one.was_stopped
    assert not one.has_met
    assert one.served == pytest.approx(500.0, rel=0.05)


def test_a_closed_loop_ends_when_it_is_whole() -> None:
    clock = VirtualClock()
    settings = Settings(
        scenario=Scenario.MULTI_STREAM,
        era=Era.V05,
        multi_stream_samples_per_query=4,
        multi_stream_target_qps=20.0,
        min_duration_ms=5_000,
        min_query_count=100,
    )
    rule = SureMiss(Scenario.MULTI_STREAM, 50_000_000, 1, 100, 5.0)
    outcome = run_test(
        SimulatedSUT(clock, 8_000_000), Library(64), settings, RunOptions(clock=clock, rule=rule)
    )
    series = outcome.recording.performance
    assert series is not None
    assert not rule.has_missed
    assert 100 <= series.query_count <= 102


def test_the_fast_simulation_is_the_virtual_clock_s() -> None:
    series = run(300.0).recording.performance
    assert series is not None
    arrived = series.scheduled_ns / 1e9
    serve = one_server(lambda count, _: np.full(count, 2e-3))
    latency = serve(arrived, np.random.default_rng(1)) - arrived
    assert latency * 1e9 == pytest.approx(series.latency_ns, abs=10)
