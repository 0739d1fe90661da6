"""The published verdicts on performance: tolerances of the rounds' data, directions, reasons."""

from __future__ import annotations

import dataclasses

import pytest

from inferometer.loadgen import Scenario
from inferometer.rounds import load_round
from inferometer.submission.audit.performance_check import check_performance, check_repetition
from inferometer.submission.audit.scores import Score

AUDITS = load_round("v0.5").audits


def score(value: float, scenario: Scenario = Scenario.OFFLINE, **changes: object) -> Score:
    is_latency = scenario is Scenario.SINGLE_STREAM
    made = Score(scenario, value, f"{value:g}", is_latency, is_valid=True)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "passes"), [(90, True), (110, True), (89.9, False), (110.1, False)]
)
def test_ten_percent_either_way(value: float, passes: bool) -> None:
    check = check_performance(score(100), score(value), AUDITS["TEST01"])
    assert check.passes is passes
    assert check.text.splitlines()[:2] == ["reference score = 100", f"test score = {value:g}"]
    assert check.text.splitlines()[-1] == ("TEST PASS" if passes else "TEST FAIL")


@pytest.mark.parametrize(("latency", "passes"), [(200_000, True), (200_001, False)])
def test_short_latencies_may_differ_by_twice_as_much(latency: float, passes: bool) -> None:
    reference = score(latency, Scenario.SINGLE_STREAM)
    tested = score(latency * 1.15, Scenario.SINGLE_STREAM)
    assert check_performance(reference, tested, AUDITS["TEST01"]).passes is passes


def test_results_have_to_be_comparable() -> None:
    audit = AUDITS["TEST01"]
    invalid = check_performance(score(100), score(100, is_valid=False), audit)
    assert invalid.reasons == ("the test result is INVALID",)
    other = check_performance(score(100), score(100, Scenario.SERVER), audit)
    assert other.reasons == ("the scenarios are Offline and Server",)
    bounds = check_performance(
        score(5, Scenario.SERVER, bound_ns=10), score(5, Scenario.SERVER, bound_ns=15), audit
    )
    assert bounds.reasons == ("the latency bounds are 10 and 15 ns",)


@pytest.mark.parametrize(
    ("scenario", "same", "passes"),
    [
        (Scenario.OFFLINE, 111, False),
        (Scenario.OFFLINE, 110, True),
        (Scenario.OFFLINE, 1, True),
        (Scenario.SINGLE_STREAM, 111, True),
        (Scenario.SINGLE_STREAM, 79, False),
        (Scenario.SINGLE_STREAM, 81, True),
    ],
)
def test_only_a_faster_repetition_fails(scenario: Scenario, same: float, passes: bool) -> None:
    unique, repeated = score(100, scenario), score(same, scenario)
    check = check_repetition(unique, repeated, AUDITS["TEST04-B"])
    assert check.passes is passes
    assert check.text.startswith("TEST04-A score = 100\nTEST04-B score = ")


def test_a_repetition_that_was_none_fails() -> None:
    flags = {"performance_issue_unique": False, "performance_issue_same": False}
    check = check_repetition(score(1, flags=flags), score(1, flags=flags), AUDITS["TEST04-B"])
    assert check.reasons == (
        "TEST04-A was run without performance_issue_unique",
        "TEST04-B was run without performance_issue_same",
    )
