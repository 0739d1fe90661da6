"""Find-peak: the published search, over systems of known capacity."""

from __future__ import annotations

import pytest

from inferometer.loadgen import (
    Era,
    Mode,
    Query,
    RunOptions,
    Scenario,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.serving import SimulatedSUT
from tests.support import Library, short_settings, simulate


def test_v05_multi_stream_steps_of_the_published_run() -> None:
    """A system that manages 251 streams: double up to 256, then bisect."""

    def service_ns(query: Query) -> int:
        return 1_000_000 if len(query) <= 251 else 5_000_000

    asked = short_settings(
        Scenario.MULTI_STREAM,
        mode=Mode.FIND_PEAK,
        era=Era.V05,
        multi_stream_samples_per_query=2,
        multi_stream_target_qps=300.0,
        min_query_count=20,
    )
    recording = simulate(asked, service_ns).recording
    tried = [series.samples_per_query for series in recording.series]
    assert tried == [2, 4, 8, 16, 32, 64, 128, 256, 192, 224, 240, 248, 252, 250, 251]
    assert recording.performance is not None
    assert recording.performance.samples_per_query == 251
    verdict = judge(recording)
    assert verdict is not None
    assert verdict.metric.value == 251


@pytest.mark.parametrize("decimals", [0, 1])
def test_server_search_brackets_the_capacity(decimals: int) -> None:
    asked = short_settings(
        Scenario.SERVER,
        mode=Mode.FIND_PEAK,
        server_target_qps=300.0,
        server_target_latency_ns=20_000_000,
        server_find_peak_qps_decimals_of_precision=decimals,
        server_max_async_queries=50,
        min_query_count=2000,
    )
    recording = simulate(asked, 1_000_000).recording
    found = recording.performance
    assert found is not None
    assert 500 < found.target_qps < 1000
    kinds = [step.kind for step in recording.chronicle]
    assert kinds[:4] == ["base", "load", "series", "unload"]
    assert kinds.count("load") == kinds.count("unload")
    assert kinds[-2:] == ["found", "unload"]
    bounds = [step.values for step in recording.chronicle if step.kind == "middle"]
    assert all(low < middle < high for low, high, middle in bounds)
    assert [step.values[0] for step in recording.chronicle if step.kind == "found"] == [
        found.target_qps
    ]


def test_a_base_that_fails_ends_the_search() -> None:
    asked = short_settings(
        Scenario.SERVER, mode=Mode.FIND_PEAK, server_target_qps=1000.0, server_target_latency_ns=10
    )
    recording = simulate(asked, 1_000_000).recording
    assert len(recording.series) == 1
    assert "base_failed" in [step.kind for step in recording.chronicle]
    verdict = judge(recording)
    assert verdict is not None
    assert not verdict.is_valid


@pytest.mark.parametrize(
    "scenario", [Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.MULTI_STREAM]
)
def test_other_scenarios_have_none(scenario: Scenario) -> None:
    recording = simulate(short_settings(scenario, mode=Mode.FIND_PEAK)).recording
    assert recording.series == ()
    assert [step.kind for step in recording.chronicle] == ["unsupported"]
    assert judge(recording) is None


def test_a_search_stops_when_the_system_fails() -> None:
    clock = VirtualClock()
    calls = 0

    def service_ns(query: Query) -> int:
        nonlocal calls
        calls += 1
        if calls > 250:
            raise RuntimeError("broken")
        return 1000

    asked = short_settings(Scenario.SERVER, mode=Mode.FIND_PEAK, server_target_qps=100.0)
    outcome = run_test(SimulatedSUT(clock, service_ns), Library(), asked, RunOptions(clock=clock))
    assert isinstance(outcome.error, RuntimeError)
    assert len(outcome.recording.series) == 3


def test_a_search_that_no_load_fails_comes_to_an_end() -> None:
    """Every run ends early, before its latencies can grow beyond the bound."""
    asked = short_settings(
        Scenario.SERVER,
        mode=Mode.FIND_PEAK,
        server_target_qps=1000.0,
        server_max_async_queries=3,
        server_find_peak_qps_boundary_step_size=9.0,
        min_query_count=20,
    )
    recording = simulate(asked, 1_000_000).recording
    assert recording.chronicle[-1].kind == "unbounded"
    assert recording.performance is not None
    assert recording.performance.target_qps == 1e7
    assert judge(recording) is not None
