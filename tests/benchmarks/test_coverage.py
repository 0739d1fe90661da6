"""Coverage: what is drawn has the truth it states, and rules see what they see in a run."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.coverage.held_out_checks import held_out_checks
from benchmarks.coverage.latency_checks import latency_checks
from benchmarks.coverage.processes import INDEPENDENT, SLOW_CHANGES, Process
from benchmarks.coverage.queues import mm1, shared_queue, single_queue
from benchmarks.coverage.stopping_checks import stopped_after
from benchmarks.coverage.tally import Check, Tally

from inferometer.loadgen import (
    Interval,
    Looks,
    PrecisionRule,
    RunOptions,
    Scenario,
    Settings,
    VirtualClock,
    judge,
    run_test,
    series_interval,
)
from inferometer.serving import SimulatedSUT
from tests.support import Library


@pytest.mark.parametrize("process", [*INDEPENDENT, *SLOW_CHANGES, mm1(0.5)], ids=lambda p: p.name)
def test_processes_have_the_percentiles_they_state(process: Process) -> None:
    drawn = process.latencies(np.random.default_rng(1), 200, 1000)
    for fraction in (0.5, 0.9):
        below = float((drawn <= process.truth(fraction)).mean())
        assert below >= fraction - 0.02
        assert "ties" in process.name or below <= fraction + 0.02


def test_queues_of_one_server_agree() -> None:
    source = np.random.default_rng(2)
    service, gaps = source.exponential(1.0, (2, 3, 50))
    assert shared_queue(service, gaps, 1) == pytest.approx(single_queue(service, gaps))


def test_two_servers_by_hand() -> None:
    service, gaps = np.array([[4.0, 4.0, 1.0]]), np.array([[1.0, 1.0, 1.0]])
    assert shared_queue(service, gaps, 2).tolist() == [[4.0, 4.0, 3.0]]


def test_a_rule_ends_a_drawn_run_where_it_ends_a_whole_test() -> None:
    values = INDEPENDENT[1].latencies(np.random.default_rng(3), 1, 60_000)[0]
    looks = Looks(300, 0.0, 3600.0)
    drawn = stopped_after(PrecisionRule(0.9, 0.03, looks), values)
    settings = Settings(
        scenario=Scenario.SINGLE_STREAM,
        single_stream_expected_latency_ns=1e5,
        min_query_count=300,
    )
    clock, upcoming = VirtualClock(), iter(values.tolist())
    sut = SimulatedSUT(clock, lambda _: next(upcoming))
    options = RunOptions(clock=clock, rule=PrecisionRule(0.9, 0.03, looks))
    verdict = judge(run_test(sut, Library(), settings, options).recording)
    assert verdict is not None
    seen = values[:drawn]
    assert verdict.query_count == drawn
    expected = series_interval(seen, np.sort(seen), 0.9, ended_itself=True)
    assert verdict.metric.interval == Interval(expected.low, expected.high)


@pytest.mark.parametrize(
    ("right", "why_more", "is_met"),
    [(9500, "", True), (9380, "", True), (9370, "", False), (9700, "", False), (9700, "so", True)],
)
def test_met_is_within_a_point_and_a_standard_error(
    right: int, why_more: str, is_met: bool
) -> None:
    assert Tally(right, 10_000, 0).is_met(Check("group", "name", 0.95, why_more)) is is_met


def test_held_out_processes_are_others() -> None:
    tried, held_out = (
        {check.name for one in experiments for check in one.checks}
        for experiments in (latency_checks(), held_out_checks())
    )
    assert not tried & held_out
