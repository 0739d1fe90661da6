"""Checks that failed once: noise between short runs accuses nobody, a real difference does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from inferometer.loadgen import Scenario
from inferometer.rounds import load_round
from inferometer.submission.audit.performance_check import PerformanceCheck, check_performance
from inferometer.submission.audit.repeated_check import check_repeatedly
from inferometer.submission.audit.scores import Score

AUDIT = load_round("v0.5").audits["TEST01"]


def score(value: float, *, is_valid: bool = True) -> Score:
    return Score(Scenario.OFFLINE, value, f"{value:g}", is_latency=False, is_valid=is_valid)


def judge(reference: Score, tested: Score) -> PerformanceCheck:
    return check_performance(reference, tested, AUDIT)


def giving(*values: float) -> Callable[[], Score]:
    scores: Iterator[Score] = map(score, values)
    return lambda: next(scores)


@pytest.mark.parametrize(
    ("tested", "passes"),
    [
        ((140, 90, 105, 98, 75, 101), True),
        ((131, 125, 140, 133, 128, 122), False),
        ((60, 70, 65, 80, 75, 61), False),
    ],
    ids=["noise", "faster", "slower"],
)
def test_only_an_interval_beyond_the_tolerance_fails(
    tested: tuple[float, ...], passes: bool
) -> None:
    first = judge(score(100), score(140))
    found = check_repeatedly(first, giving(*[100] * 6), giving(*tested), judge, two_sided=True)
    assert found.passes is passes
    assert "6 interleaved pairs" in found.text
    assert found.text.splitlines()[-1] == ("TEST PASS" if passes else "TEST FAIL")


def test_a_slower_test_is_no_favour() -> None:
    first = judge(score(100), score(50))
    found = check_repeatedly(first, giving(*[100] * 6), giving(*[50] * 6), judge, two_sided=False)
    assert found.passes


def test_invalid_results_stay_failed() -> None:
    first = judge(score(100), score(100, is_valid=False))
    invalid = dataclasses.replace(score(100), is_valid=False)
    found = check_repeatedly(first, giving(*[100] * 6), lambda: invalid, judge, two_sided=True)
    assert not found.passes
    assert "INVALID" in found.reasons[0]
