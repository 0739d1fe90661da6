"""The search on simulated systems with a known capacity."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from benchmarks.search import measure_of
from benchmarks.search_truth import passes
from benchmarks.simulated_systems import ALWAYS, NEVER, SYSTEMS, SimulatedSystem

from inferometer.capacity import Goal, Observation, Outcome, Search

QUEUE = next(one for one in SYSTEMS if one.name == "M/M/1, long bound")
CAPACITY = 445.0
"""The rate of ``QUEUE`` at which nine of ten reruns pass, see search_truth.json."""


def searched(system: SimulatedSystem, start: float, seed: int = 1, **changes: float) -> Search:
    goal = dataclasses.replace(Goal(start, start / 1e3, start * 1e3), **changes)  # type: ignore[arg-type]
    search = Search(goal, measure_of(system, np.random.default_rng(seed)))
    search.run()
    return search


@pytest.mark.parametrize("start", [30.0, 450.0, 2_000.0])
def test_the_capacity_is_found_from_anywhere(start: float) -> None:
    search = searched(QUEUE, start)
    assert search.outcome is Outcome.FOUND
    # An end may miss the capacity one time in twenty, so it is let off by a little.
    assert search.estimate.low < CAPACITY * 1.02
    assert search.estimate.high > CAPACITY * 0.95
    assert search.estimate.middle == pytest.approx(CAPACITY, rel=0.1)
    assert len(search.observations) <= 9


def test_what_is_known_of_the_speed_saves_runs() -> None:
    without = [len(searched(QUEUE, 100.0, seed).observations) for seed in range(4)]
    knowing = [
        len(searched(QUEUE, 300.0, seed, saturation=500.0).observations) for seed in range(4)
    ]
    assert sum(knowing) < sum(without)


def test_a_system_that_never_keeps_its_bound() -> None:
    search = searched(NEVER, 300.0, least=2.0)
    assert search.outcome is Outcome.NEVER


def test_a_system_that_always_keeps_its_bound() -> None:
    search = searched(ALWAYS, 30.0, most=3_000.0)
    assert search.outcome is Outcome.UNBOUNDED
    assert search.given == 3_000.0


def test_a_given_rate_is_below_the_capacity_and_reruns_pass() -> None:
    random = np.random.default_rng(9)
    for seed in range(3):
        search = searched(QUEUE, 300.0, seed, saturation=500.0)
        assert search.given <= search.estimate.low
        passed = sum(passes(QUEUE, search.given, random) for _ in range(20))
        assert passed >= 17


@pytest.mark.slow
def test_reruns_fail_no_more_often_than_said() -> None:
    """One answer in twenty may be wrong: more than six of forty have one chance in a hundred."""
    random = np.random.default_rng(3)
    wrong = 0
    for seed in range(40):
        search = searched(QUEUE, 300.0, seed, saturation=500.0)
        passed = sum(passes(QUEUE, search.given, random) for _ in range(60))
        # Fewer than 46 of 60 have one chance in a hundred where nine of ten pass.
        wrong += passed < 48
    assert wrong <= 6


def test_verifying_steps_down_until_all_pass() -> None:
    scripted = Scripted(capacity=100.0, misses=1)
    search = Search(Goal(50.0, 1.0, 1e4), scripted)
    search.run()
    scripted.is_verifying = True
    first = search.given
    load = search.verify(5)
    assert load is not None
    assert load < first
    assert [one.load for one in search.observations[-5:]] == [load] * 5
    assert all(one.has_met for one in search.observations[-5:])


def test_nothing_is_given_where_nothing_passes() -> None:
    scripted = Scripted(capacity=100.0, misses=99)
    search = Search(Goal(50.0, 1.0, 1e4), scripted)
    search.run()
    scripted.is_verifying = True
    assert search.verify(5) is None
    assert search.outcome is Outcome.UNSTABLE


def test_whole_numbers_of_streams() -> None:
    scripted = Scripted(capacity=23.4)
    search = Search(Goal(4.0, 1.0, 512.0, is_whole=True, precision=0.01), scripted)
    search.run()
    assert all(one.load == int(one.load) for one in search.observations)
    assert search.given in (22.0, 23.0)


def test_an_interrupt_leaves_what_was_seen() -> None:
    scripted = Scripted(capacity=100.0, interrupts_after=2)
    search = Search(Goal(50.0, 1.0, 1e4), scripted)
    with pytest.raises(KeyboardInterrupt):
        search.run()
    assert search.outcome is Outcome.INTERRUPTED
    assert len(search.observations) == 2


class Scripted:
    """A system whose share is a smooth curve with little noise; it can miss when verified."""

    def __init__(self, capacity: float, misses: int = 0, interrupts_after: int = 10**6):
        self.capacity, self.misses, self.left = capacity, misses, interrupts_after
        self.is_verifying = False
        self.random = np.random.default_rng(1)

    def __call__(self, load: float) -> Observation:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        utilisation = load / (self.capacity * 1.25)
        share = 100.0 if utilisation >= 1 else 0.2 / (1 - utilisation)
        share *= math.exp(self.random.normal(0, 0.01))
        if self.is_verifying and self.misses:
            self.misses -= 1
            share = max(share, 1.1)
        return Observation(load, share, 0.01, has_met=share <= 1.0, seconds=1.0)
