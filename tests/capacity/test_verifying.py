"""Verifying: lower after a miss, higher again once a load has passed, and never unsure."""

from __future__ import annotations

import itertools

import pytest

from inferometer.capacity import Goal, Observation, Outcome, Search, Verifying, least_pass_share
from tests.capacity.scripted import Scripted


def verifying(scripted: Scripted, runs: int = 5, **goal: float) -> Verifying:
    """Search, and let what comes after be the verification."""
    search = Search(Goal(**{"start": 50.0, "least": 1.0, "most": 1e4, **goal}), scripted)  # type: ignore[arg-type]
    search.run()
    scripted.is_verifying = True
    return Verifying(search, runs)


def tried(found: Verifying) -> list[float]:
    """Give the loads of the tries, in their order."""
    runs = [one.load for one in found.search.observations]
    return [load for load, _ in itertools.groupby(runs)]


def test_a_load_that_passes_is_given() -> None:
    found = verifying(Scripted(capacity=100.0))
    given = found.search.given
    best = found.run()
    assert best is not None
    assert (best.load, best.runs, best.attempt) == (given, 5, 1)
    assert [one.load for one in found.search.observations[-5:]] == [given] * 5


def test_a_miss_is_stepped_down_from_and_climbed_again() -> None:
    found = verifying(Scripted(capacity=100.0, misses=2))
    first = found.search.given
    best = found.run()
    assert best is not None
    loads = tried(found)
    steps = loads[loads.index(first) :]
    assert steps[1] < first
    assert steps[2] < steps[1]
    assert best.load > steps[2]
    assert max(one.load for one in found.passed) == best.load


def test_a_budget_that_is_used_up_ends_the_climb() -> None:
    found = verifying(Scripted(capacity=100.0, misses=2), budget_s=4.0)
    best = found.run()
    assert best is not None
    assert best.load == min(tried(found)[-3:])


def test_streams_are_climbed_too() -> None:
    found = verifying(Scripted(capacity=80.0, misses=3), is_whole=True, most=512.0)
    best = found.run()
    assert best is not None
    assert best.load == int(best.load)
    assert 60 <= best.load <= 80


def test_nothing_is_given_where_nothing_passes() -> None:
    found = verifying(Scripted(capacity=100.0, misses=99))
    assert found.run() is None
    assert found.search.outcome is Outcome.UNSTABLE


def test_what_was_not_verified_is_said_with_less() -> None:
    search = verifying(Scripted(capacity=100.0)).search
    load = search.given
    assert least_pass_share(search, load, is_verified=True) == pytest.approx(0.9, abs=0.02)
    alone = least_pass_share(search, load, is_verified=False)
    assert alone < least_pass_share(search, load, is_verified=True)


def test_five_that_passed_are_not_enough_where_the_rest_speaks_against_it() -> None:
    noisy = [0.7, 1.2, 0.8, 1.3, 0.75, 1.25]
    search = Search(Goal(100.0, 1.0, 1e4), Scripted(capacity=400.0))
    for share in noisy:
        search.take(Observation(100.0, share, 0.2, has_met=share <= 1.0, seconds=1.0))
    found = Verifying(search, 5)
    found.count(1, [Observation(98.0, 0.95, 0.2, has_met=True, seconds=1.0)] * 5)
    number, load = next(found.attempts())
    assert number == 2
    assert load < 98.0


@pytest.mark.parametrize("runs", [1, 3, 5])
def test_what_was_run_before_counts_as_if_run_now(runs: int) -> None:
    live = verifying(Scripted(capacity=100.0, misses=1))
    searched = list(live.search.observations)
    live.run()
    later = live.search.observations[len(searched) :]
    search = Search(live.search.goal, Scripted(capacity=100.0))
    for one in searched:
        search.take(one)
    again = Verifying(search, 5)
    tries = [list(group) for _, group in itertools.groupby(later, lambda one: one.load)]
    again.count(1, tries[0])
    again.count(2, tries[1][:runs])
    number, load = next(again.attempts(), (0, 0.0))
    if runs < len(tries[1]):
        assert (number, load) == (2, tries[1][0].load)
    else:
        assert [one.load for one in again.passed] == [tries[1][0].load]
