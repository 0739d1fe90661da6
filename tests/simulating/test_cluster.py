"""Clusters: every query is answered once, whatever dies; routings do what their names say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inferometer.loadgen import RunOptions, Scenario, Settings, VirtualClock, judge, run_test
from inferometer.simulating import (
    Constant,
    Drift,
    Exponential,
    Failures,
    Network,
    Routing,
    SlowStart,
    cluster_for,
)
from inferometer.simulating.events import run_events
from inferometer.simulating.scenario import Samples
from tests.simulating.systems import MS, system_of

FAILING = Failures(between_s=0.5, repair_s=0.1, detect_s=0.01, retry_s=0.05)


@pytest.mark.parametrize("routing", Routing)
def test_every_query_is_answered_once_with_failures(routing: Routing) -> None:
    system = system_of(
        Exponential(1.0),
        replicas=6,
        routing=routing,
        workers=2,
        max_batch=3,
        contention=0.3,
        max_wait_ms=0.5,
        failures=FAILING,
        slow_start=SlowStart(3.0, 0.05),
        network=Network(Exponential(0.2 * MS), Constant(0.1 * MS)),
    )
    happened = run_events(system, 4000, 6000)
    assert not np.isnan(happened.latency_ns).any()
    assert happened.samples == 6000
    assert happened.retried > 0
    assert happened.lost == 0


@pytest.mark.parametrize("routing", Routing)
def test_without_a_retry_what_died_is_lost(routing: Routing) -> None:
    failures = dataclasses.replace(FAILING, retry_s=0.0)
    system = system_of(Exponential(1.0), replicas=6, routing=routing, failures=failures)
    happened = run_events(system, 3000, 6000)
    assert happened.lost == np.isnan(happened.latency_ns).sum() > 0
    assert happened.samples + happened.lost == 6000


def test_more_looking_makes_shorter_queues() -> None:
    means = {}
    for routing in Routing:
        system = system_of(Exponential(1.0), replicas=20, routing=routing)
        means[routing] = float(run_events(system, 16_000, 10_000).latency_ns[2000:].mean())
    order = [Routing.RANDOM, Routing.ROUND_ROBIN, Routing.TWO_CHOICES, Routing.LEAST_OUTSTANDING]
    assert sorted(order, key=lambda routing: -means[routing]) == order
    assert means[Routing.SHARED_QUEUE] <= means[Routing.LEAST_OUTSTANDING] * 1.02


def test_drift_keeps_the_mean_and_comes_in_stretches() -> None:
    service = dataclasses.replace(system_of().service, drift=Drift(0.3, 1.0))
    latency = run_events(dataclasses.replace(system_of(), service=service), 1.0, 8000).latency_ns
    assert latency.mean() == pytest.approx(MS, rel=0.03)
    dense = run_events(dataclasses.replace(system_of(), service=service), 20.0, 8000).latency_ns
    assert np.corrcoef(dense[:-1], dense[1:])[0, 1] > 0.8


@pytest.mark.parametrize(
    "scenario",
    [Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.OFFLINE],
)
def test_every_scenario_runs_through_the_load_generator(scenario: Scenario) -> None:
    settings = Settings(
        scenario=scenario,
        server_target_qps=500,
        offline_expected_qps=1000,
        min_duration_ms=600,
        min_query_count=100,
    )
    clock = VirtualClock()
    system = system_of(Exponential(1.0), setup_ms=1.0, sample_ms=0.2, workers=2, max_batch=4)
    outcome = run_test(
        cluster_for(system, scenario, clock), Samples(), settings, RunOptions(clock=clock)
    )
    assert outcome.error is None
    series = outcome.recording.performance
    assert series is not None
    assert series.is_complete.all()
    assert series.infer_ns is not None
    verdict = judge(outcome.recording)
    assert verdict is not None
    assert verdict.metric.value


def test_samples_of_a_multi_stream_query_run_side_by_side() -> None:
    clock = VirtualClock()
    settings = Settings(scenario=Scenario.MULTI_STREAM, min_duration_ms=100)
    system = system_of(workers=2, max_batch=32)
    outcome = run_test(
        cluster_for(system, Scenario.MULTI_STREAM, clock), Samples(), settings,
        RunOptions(clock=clock),
    )  # fmt: skip
    series = outcome.recording.performance
    assert series is not None
    assert set(series.query_latency_ns.tolist()) == {4_000_000}
