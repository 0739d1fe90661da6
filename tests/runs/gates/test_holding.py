"""Gates held against sessions: values, intervals, baselines, and conditions about nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from inferometer.loadgen import (
    Interval,
    Mode,
    Query,
    RunOptions,
    Scenario,
    VirtualClock,
    run_test,
)
from inferometer.runs import Session, TestResult
from inferometer.runs.gates import (
    GateError,
    GateOutcome,
    GateResult,
    check_scope,
    hold_gates,
    parse_condition,
)
from inferometer.workloads import AccuracyResult
from tests.report.test_html import accuracy_of, result_of, session_of
from tests.support import Library, System, short_settings, simulate


def held(text: str, *sessions: Session, baseline: Session | None = None) -> list[GateResult]:
    kept = None if baseline is None else [baseline]
    return hold_gates([parse_condition(text)], sessions, kept)


def outcome(text: str, session: Session, baseline: Session | None = None) -> GateOutcome:
    (result,) = held(text, session, baseline=baseline)
    assert (result.finding is None) == result.has_passed
    return result.outcome


def latency_test(scenario: Scenario, service_ns: int | Callable[[Query], int]) -> TestResult:
    asked = short_settings(scenario, min_query_count=1000, server_target_qps=100.0)
    return result_of(simulate(asked, service_ns))


def spread(factor: float = 1.0) -> Callable[[Query], int]:
    """Give service times that differ, from 1 to about 2 ms times the factor."""
    return lambda query: int(factor * (1_000_000 + 1000 * (int(query.sample_ids[0]) * 37 % 997)))


@pytest.fixture(scope="module")
def session() -> Session:
    scenarios = [scenario for scenario in Scenario if scenario is not Scenario.MULTI_STREAM_FREE]
    tests = [latency_test(scenario, spread()) for scenario in scenarios]
    scored = simulate(short_settings(Scenario.SINGLE_STREAM, mode=Mode.ACCURACY), 1000)
    return session_of(*tests, result_of(scored, accuracy_of(0.95)), name="mobilenet")


def test_a_gate_is_held_against_every_test_that_has_the_figure(session: Session) -> None:
    results = held("p99 > 1 s", session)
    assert [result.test for result in results] == [
        "SingleStream performance",
        "MultiStream performance",
        "Server performance",
    ]
    assert all(result.has_passed for result in results)
    assert results[0].value == session.tests[0].verdict.sample_latency.percentiles_ns[0.99]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("figure", "passing", "failing"),
    [
        ("SingleStream p99", "> 3 ms", "> 1 ms"),
        ("SingleStream p99", "< 1 ms", "< 3 ms"),
        ("SingleStream p99.5", "> 3 ms", "> 1 ms"),
        ("SingleStream mean", ">= 3 ms", ">= 1 ms"),
        ("SingleStream min", "< 1000000 ns", "<= 1500 us"),
        ("Server max", "> 5 s", "> 1 ms"),
        ("Server lateness_p99", "> 1 s", ">= 0 ns"),
        ("Server lateness_p98", "> 1 s", ">= 0 ns"),
        ("SingleStream throughput", "< 100/s", "< 10000 /s"),
        ("Server samples_per_s", "< 1", "> 1"),
        ("Offline samples/s", "< 1", "> 1"),
        ("accuracy", "< 94%", "< 96%"),
        ("accuracy", "< 0.94", "<= 0.95"),
        ("SingleStream queries", "< 1000", "<= 1000"),
        ("MultiStream samples", "< 8000", "<= 8000"),
        ("mobilenet Server p90", "> 1 s", "> 1 ns"),
    ],
)
def test_figures_and_comparators(figure: str, passing: str, failing: str, session: Session) -> None:
    assert outcome(f"{figure} {passing}", session) is GateOutcome.PASSED
    assert outcome(f"{figure} {failing}", session) is GateOutcome.FAILED


def test_multi_stream_is_held_against_its_queries(session: Session) -> None:
    (result,) = held("MultiStream p99 > 1 s", session)
    verdict = session.tests[1].verdict
    assert verdict is not None
    assert verdict.query_latency is not None
    assert result.value == verdict.query_latency.percentiles_ns[0.99]
    (other,) = held("MultiStream p98.5 > 1 s", session)
    assert other.value is not None
    assert other.value <= result.value


def test_certainty_looks_at_the_interval(session: Session) -> None:
    (seen,) = held("SingleStream p50 > 1 s", session)
    assert seen.value is not None
    assert seen.interval is not None
    assert seen.interval.low is not None
    assert seen.interval.high is not None
    assert seen.interval.low < seen.value < seen.interval.high
    between_low = (seen.interval.low + seen.value) / 2
    between_high = (seen.interval.high + seen.value) / 2
    for limit_ns, failing in [
        (seen.interval.low - 1, {"", "surely", "possibly"}),
        (between_low, {"", "possibly"}),
        (between_high, {"possibly"}),
        (seen.interval.high + 1, set()),
    ]:
        for word in ("", "surely", "possibly"):
            above = outcome(f"{word} SingleStream p50 > {limit_ns:.3f} ns", session)
            assert (above is GateOutcome.FAILED) == (word in failing), (word, limit_ns)
    assert outcome(f"surely SingleStream p50 < {between_high:.3f} ns", session).value == "passed"
    assert outcome(f"possibly SingleStream p50 < {between_low:.3f} ns", session).value == "failed"


def test_an_open_end_proves_nothing_and_excludes_nothing(session: Session) -> None:
    few = session_of(result_of(simulate(short_settings(), spread())), name="few")
    (seen,) = held("p99.9 > 1 s", few)
    assert seen.interval is not None
    assert seen.interval.high is None
    assert outcome("surely p99.9 < 1 s", few) is GateOutcome.PASSED
    assert outcome("possibly p99.9 > 1 s", few) is GateOutcome.FAILED
    assert "…" in seen.seen


def test_a_condition_about_nothing_fails(session: Session) -> None:
    for text, told in [
        ("Sever p99 > 1 s", "'Sever' is run; did you mean 'Server'?"),
        ("mobilnet p99 > 1 s", "did you mean 'mobilenet'?"),
        ("MultiStreamFree p99 > 1 s", "'MultiStreamFree' is run"),
        ("Offline p99 > 1 s", "none of these has a p99"),
        ("ttft_p99 > 1 s", "none of these has a ttft_p99"),
        ("resnet accuracy < 1%", "no workload, backend or scenario 'resnet' is run"),
    ]:
        (result,) = held(text, session)
        assert result.outcome is GateOutcome.NO_MATCH
        assert told in result.seen
        assert result.finding is not None
        assert result.finding.rule.id == "gate.no-match"
    (result,) = held("p99 > 1 s")
    assert "no test" in result.seen


def test_what_was_not_measured_does_not_pass(session: Session) -> None:
    unscored = result_of(simulate(short_settings(mode=Mode.ACCURACY), 1000))
    assert outcome("accuracy < 90%", session_of(unscored)) is GateOutcome.NOT_MEASURED
    never = result_of(
        run_test(
            System(lambda query: None),
            Library(),
            short_settings(Scenario.SERVER, min_query_count=5, max_query_count=5),
            RunOptions(clock=VirtualClock()),
        )
    )
    assert outcome("p99 > 1 s", session_of(never)) is GateOutcome.NOT_MEASURED


def test_findings_are_counted_test_by_test(session: Session) -> None:
    bad = result_of(
        simulate(short_settings(Scenario.SERVER, server_target_latency_ns=10), 1_000_000)
    )
    results = held("Server findings.errors > 0", session, session_of(bad))
    assert [result.has_passed for result in results] == [True, False]
    crashed = dataclasses.replace(session_of(), findings=bad.findings)
    (result,) = held("errors > 0", crashed)
    assert (result.test, result.has_passed) == ("session", False)


def test_baseline_of_the_same_workload_and_scenario(session: Session) -> None:
    slower = session_of(latency_test(Scenario.SINGLE_STREAM, spread(1.3)), name="mobilenet")
    kept = session_of(
        latency_test(Scenario.SINGLE_STREAM, spread()),
        latency_test(Scenario.SERVER, spread(5)),
        name="mobilenet",
    )
    assert outcome("p50 > baseline * 1.1", slower, kept) is GateOutcome.FAILED
    assert outcome("surely p50 > baseline * 1.1", slower, kept) is GateOutcome.FAILED
    assert outcome("p50 > baseline + 50%", slower, kept) is GateOutcome.PASSED
    assert outcome("p50 > baseline + 10 us", slower, kept) is GateOutcome.FAILED
    assert outcome("p50 > baseline + 5 ms", slower, kept) is GateOutcome.PASSED
    assert outcome("throughput < baseline - 5%", slower, kept) is GateOutcome.FAILED
    assert outcome("p50 > baseline", kept_alone(kept), kept) is GateOutcome.PASSED
    assert outcome("surely p50 > baseline * 0.999", kept_alone(kept), kept).value == "passed"
    assert outcome("possibly p50 > baseline", kept_alone(kept), kept) is GateOutcome.FAILED
    (seen,) = held("p50 > baseline * 1.1", slower, baseline=kept)
    assert ", baseline 1." in seen.seen
    other = session_of(latency_test(Scenario.SINGLE_STREAM, spread()), name="other")
    assert outcome("p50 > baseline", slower, other) is GateOutcome.NOT_MEASURED


def kept_alone(kept: Session) -> Session:
    return dataclasses.replace(kept, tests=kept.tests[:1])


def test_of_several_kept_runs_the_middle_one_counts() -> None:
    kept = session_of(*(latency_test(Scenario.SINGLE_STREAM, n * 1_000_000) for n in (9, 2, 4)))
    new = session_of(latency_test(Scenario.SINGLE_STREAM, 3_000_000))
    assert outcome("p90 >= baseline * 0.75", new, kept) is GateOutcome.FAILED
    assert outcome("p90 > baseline * 0.76", new, kept) is GateOutcome.PASSED


def test_accuracy_is_held_in_points(session: Session) -> None:
    kept = session_of(
        result_of(simulate(short_settings(mode=Mode.ACCURACY), 1000), accuracy_of(0.97)),
        name="mobilenet",
    )
    assert outcome("accuracy < baseline - 1%", session, kept) is GateOutcome.FAILED
    assert outcome("accuracy < baseline - 3 %", session, kept) is GateOutcome.PASSED
    assert outcome("surely accuracy < baseline - 1%", session, kept) is GateOutcome.PASSED


def test_units_of_the_accuracy(session: Session) -> None:
    (wrong,) = held("accuracy < 94", session)
    assert wrong.outcome is GateOutcome.NOT_MEASURED
    assert wrong.seen == "this accuracy is a share; write 94 % or 0.94"
    bleu = AccuracyResult("BLEU", 22.0, Interval(21.5, 22.5), 100, 0, 0, 0, None, "x", unit=" BLEU")
    translated = session_of(result_of(simulate(short_settings(mode=Mode.ACCURACY), 1000), bleu))
    assert outcome("accuracy < 23", translated) is GateOutcome.FAILED
    (wrong,) = held("accuracy < 23%", translated)
    assert wrong.outcome is GateOutcome.NOT_MEASURED
    assert wrong.seen == "this accuracy (BLEU) isn't in per cent; write 23 alone"


def test_a_relative_limit_needs_a_baseline(session: Session) -> None:
    with pytest.raises(GateError, match="give it with --baseline RUN"):
        held("p99 > baseline", session)


def test_tokens() -> None:
    clock = VirtualClock()

    def issue(query: Query) -> None:
        clock.advance(2_000_000)
        query.first_token()
        clock.advance(3_000_000)
        query.complete(token_counts=4)

    asked = short_settings(use_token_latencies=True, min_query_count=100)
    outcome_of_run = run_test(System(issue), Library(), asked, RunOptions(clock=clock))
    session = session_of(result_of(outcome_of_run))
    assert outcome("ttft_p99 > 2 ms", session) is GateOutcome.PASSED
    assert outcome("ttft_p99 >= 2 ms", session) is GateOutcome.FAILED
    assert outcome("tpot_mean > 999 us", session) is GateOutcome.FAILED
    assert outcome("tokens_per_s < 700", session) is GateOutcome.PASSED
    assert outcome("goodput < 100 %", session) is GateOutcome.PASSED
    assert outcome("possibly goodput < 99 %", session) is GateOutcome.FAILED


def test_tokens_offline_count_from_sending() -> None:
    clock = VirtualClock()

    def issue(query: Query) -> None:
        for place in range(len(query)):
            at = slice(place, place + 1)
            began = query.now_ns()
            clock.advance(2_000_000)
            query.first_token(positions=at)
            clock.advance(3_000_000)
            query.note_phases(began, 0, 5_000_000, at)
            query.complete(positions=at, token_counts=4)

    asked = short_settings(scenario=Scenario.OFFLINE, use_token_latencies=True, min_query_count=100)
    outcome_of_run = run_test(System(issue), Library(), asked, RunOptions(clock=clock))
    session = session_of(result_of(outcome_of_run))
    assert outcome("ttft_p99 > 2 ms", session) is GateOutcome.PASSED
    assert outcome("ttft_p99 >= 2 ms", session) is GateOutcome.FAILED
    assert outcome("goodput < 100 %", session) is GateOutcome.PASSED


def test_scope_can_be_checked_before_anything_runs() -> None:
    names, scenarios = ["mobilenet", "onnxruntime"], [Scenario.SERVER]
    check_scope(parse_condition("mobilenet onnxruntime Server p99 > 1 s"), names, scenarios)
    with pytest.raises(GateError, match="did you mean 'mobilenet'"):
        check_scope(parse_condition("mobilnet p99 > 1 s"), names, scenarios)
    with pytest.raises(GateError, match="'Offline' is run"):
        check_scope(parse_condition("Offline throughput < 1"), names, scenarios)


def test_results_as_plain_values(session: Session, tmp_path: Path) -> None:
    (result,) = held("surely SingleStream p50 > 1 s", session)
    values = result.to_mapping()
    assert values["condition"] == "surely SingleStream p50 > 1 s"
    assert (values["outcome"], values["passed"]) == ("passed", True)
    assert values["low"] <= values["value"] <= values["high"]
    assert result.where == "mobilenet mobilenet SingleStream performance"
