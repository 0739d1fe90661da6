"""Bound decision: evidence by numerical integration, error rates by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from inferometer.loadgen import BoundAnswer, BoundDecision

_LOOKS = [int(200 * 1.4**number) for number in range(20)]


def _integrated(slow: int, total: int, low: float, high: float) -> float:
    limit, weight = 0.01, 100

    def prior(share: float) -> float:
        return (1 - share) ** (weight - 1)

    def ratio(share: float) -> float:
        return (share / limit) ** slow * ((1 - share) / (1 - limit)) ** (total - slow)

    points = [0.02, 0.05] if high == 1.0 else None
    over = integrate.quad(lambda t: ratio(t) * prior(t), low, high, points=points, limit=400)[0]
    return math.log(over / integrate.quad(prior, low, high, points=points, limit=400)[0])


@pytest.mark.parametrize(("slow", "total"), [(0, 300), (5, 1000), (12, 1000), (100, 20_000)])
def test_evidence_is_the_mean_likelihood_ratio(slow: int, total: int) -> None:
    decision = BoundDecision(0.99)
    met = _integrated(slow, total, 0.0, 0.01)
    missed = _integrated(slow, total, 0.01, 1.0)
    assert decision._evidence(slow, total, is_met=True) == pytest.approx(met, abs=1e-6)
    assert decision._evidence(slow, total, is_met=False) == pytest.approx(missed, abs=1e-6)


def _answers(share: float, error_rate: float, runs: int = 300) -> dict[BoundAnswer, int]:
    source, decision = np.random.default_rng(7), BoundDecision(0.99, error_rate)
    found = dict.fromkeys(BoundAnswer, 0)
    for _ in range(runs):
        slow = before = 0
        answer = BoundAnswer.OPEN
        for total in _LOOKS:
            slow += int(source.binomial(total - before, share))
            before = total
            answer = decision.answer(slow, total)
            if answer is not BoundAnswer.OPEN:
                break
        found[answer] += 1
    return found


def test_wrong_answers_are_as_rare_as_stated_at_the_limit_itself() -> None:
    found = _answers(0.01, 0.05)
    # 300 runs: even a rate of exactly 5 % gives more than 27 in under 1 % of all cases.
    assert found[BoundAnswer.MET] <= 27
    assert found[BoundAnswer.MISSED] <= 27


@pytest.mark.parametrize(("share", "right"), [(0.004, BoundAnswer.MET), (0.03, "missed")])
def test_clear_cases_are_decided_rightly(share: float, right: str) -> None:
    assert _answers(share, 0.01)[BoundAnswer(right)] >= 297


def test_queries_that_resemble_each_other_weigh_less() -> None:
    decision = BoundDecision(0.99)
    assert decision.answer(0, 800) is BoundAnswer.MET
    assert decision.answer(0, 800, correction=4.0) is BoundAnswer.OPEN
    assert decision.answer(0, 3200, correction=4.0) is BoundAnswer.MET


def test_needed_says_when_the_answer_comes() -> None:
    decision = BoundDecision(0.99)
    needed = decision.needed(5, 1000)
    assert needed is not None
    assert decision.answer(round(needed * 0.005), needed) is BoundAnswer.MET
    assert decision.answer(round(needed * 0.0045), needed // 2) is BoundAnswer.OPEN
    assert decision.needed(0, 0) is None
    assert decision.needed(10_000, 1_000_000) is None
