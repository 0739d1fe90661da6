"""The search on simulated systems with a known capacity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.search import measure_of
from benchmarks.search_truth import passes
from benchmarks.simulated_systems import ALWAYS, NEVER, SYSTEMS, SimulatedSystem

from inferometer.capacity import Goal, Outcome, Search
from tests.capacity.scripted import Scripted

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
