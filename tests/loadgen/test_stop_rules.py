"""Rules that end a run: whole tests on the virtual clock."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.loadgen import (
    BoundDecision,
    BoundRule,
    IncidentKind,
    Looks,
    PrecisionRule,
    Recording,
    RunOptions,
    Scenario,
    Settings,
    StopOutlook,
    StopRule,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.loadgen.stop_checks import TellingRule
from inferometer.serving import SimulatedSUT
from tests.support import Library

LOOKS = Looks(700, 1.0, 10.0, growth=1.2)


def run(rule: StopRule, scenario: Scenario, mean_ns: float, **changes: object) -> Recording:
    source, clock = np.random.default_rng(5), VirtualClock()
    settings = Settings.from_mapping(
        {
            "scenario": scenario,
            "min_query_count": 700,
            "min_duration_ms": 1000,
            "server_target_qps": 500.0,
            "server_target_latency_ns": 10_000_000,
            "single_stream_expected_latency_ns": 1e5,
            **changes,
        }
    )
    sut = SimulatedSUT(clock, lambda _: 1 + int(source.exponential(mean_ns)))
    return run_test(sut, Library(), settings, RunOptions(clock=clock, rule=rule)).recording


def reason_of(recording: Recording) -> str:
    assert recording.performance is not None
    ends = recording.performance.incidents
    return next(str(i.values["reason"]) for i in ends if i.kind is IncidentKind.STOPPED_BY_RULE)


def bound_rule(bound_ns: int, fraction: float = 0.99) -> BoundRule:
    return BoundRule(BoundDecision(fraction), bound_ns, LOOKS)


def test_a_server_far_below_its_bound_is_decided_early() -> None:
    recording = run(bound_rule(10_000_000), Scenario.SERVER, 200_000)
    assert reason_of(recording).startswith("p99 is at most 10 ms: 0 of ")
    assert recording.notes["stop_rule"]["kind"] == "bound"
    verdict = judge(recording)
    assert verdict is not None
    assert verdict.is_valid
    assert verdict.ended_because == reason_of(recording)
    assert verdict.query_count < 2000


def test_a_server_that_cannot_keep_up_is_decided_too() -> None:
    recording = run(bound_rule(10_000_000), Scenario.SERVER, 4_000_000)
    assert "p99 is above 10 ms" in reason_of(recording)
    verdict = judge(recording)
    assert verdict is not None
    assert verdict.perf_constraints_met is False


def test_a_bound_at_the_percentile_stays_open() -> None:
    at_p99 = round(-np.log(0.01) * 200_000 / (1 - 0.1))
    recording = run(bound_rule(at_p99), Scenario.SERVER, 200_000)
    assert reason_of(recording).startswith("the time budget of 10 s is used up; whether p99 is")


@pytest.mark.parametrize(("bound_ns", "word"), [(2_000_000, "at most"), (200_000, "above")])
def test_a_closed_loop_with_a_bound(bound_ns: int, word: str) -> None:
    recording = run(bound_rule(bound_ns, 0.9), Scenario.SINGLE_STREAM, 300_000)
    assert word in reason_of(recording)


def test_only_queries_whose_fate_is_certain_count() -> None:
    # The bound is longer than the run, so that nothing is known to be slow or not.
    recording = run(bound_rule(50_000_000_000), Scenario.SERVER, 200_000)
    assert reason_of(recording).startswith("the time budget")


def test_precision_takes_two_looks() -> None:
    rule = PrecisionRule(0.9, 0.05, Looks(300, 0.1, 60.0))
    recording = run(rule, Scenario.SINGLE_STREAM, 300_000, min_query_count=300)
    assert "is known to within" in reason_of(recording)
    verdict = judge(recording)
    assert verdict is not None
    assert verdict.metric.interval is not None
    assert verdict.metric.value is not None
    assert verdict.metric.interval.relative_half_width(verdict.metric.value) <= 0.05


def test_rules_tell_what_they_expect() -> None:
    rule = PrecisionRule(0.9, 0.0001, Looks(300, 0.1, 1.0))
    assert isinstance(rule, TellingRule)
    assert rule.outlook() == StopOutlook(None, 1.0)
    run(rule, Scenario.SINGLE_STREAM, 300_000, min_query_count=300)
    needed = rule.outlook().needed_queries
    assert needed is not None
    assert needed > 100_000


@pytest.mark.parametrize(
    ("needed", "issued", "elapsed_s", "left_s"),
    [(2000, 1000, 2.0, 2.0), (9000, 1000, 2.0, 3.0), (500, 1000, 2.0, 0.0), (None, 10, 2.0, None)],
)
def test_time_left(needed: int | None, issued: int, elapsed_s: float, left_s: float | None) -> None:
    assert StopOutlook(needed, 5.0).left_s(issued, elapsed_s) == left_s
