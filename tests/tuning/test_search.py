"""The search on simulated machines: its budget, what it finds, and what it leaves alone."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.tuning import Found, Limits, Search
from tests.tuning.machines import Machine, Setup, grid_axes

START: Setup = (0, 0)


def search_on(
    machine: Machine, seconds: float = 60.0, sizes: tuple[int, ...] = (5, 4)
) -> Found[Setup]:
    limits = Limits(seconds=seconds, least_s=0.1)
    return Search(machine.measure, limits, machine.clock).run((0,) * len(sizes), grid_axes(*sizes))


def additive(values: list[float], others: list[float]) -> Callable[[Setup], float]:
    return lambda setup: 100.0 * (1 + values[setup[0]]) * (1 + others[setup[1]])


@given(
    seconds=st.floats(0.0, 30.0),
    overhead_s=st.floats(0.0, 3.0),
    noise=st.floats(0.0, 0.5),
    seed=st.integers(0, 1000),
)
def test_the_budget_is_never_exceeded_by_more_than_one_trial(
    seconds: float, overhead_s: float, noise: float, seed: int
) -> None:
    machine = Machine(lambda setup: 1.0 + sum(setup), noise, seed=seed, overhead_s=overhead_s)
    begun = machine.clock()
    search_on(machine, seconds)
    assert machine.clock() - begun <= seconds + machine.longest_trial_s + 1e-9


@given(
    order=st.permutations([0.0, 0.1, 0.25, 0.4, 0.6]),
    others=st.permutations([0.0, 0.1, 0.25, 0.4]),
    seed=st.integers(0, 1000),
)
def test_the_best_is_found_where_noise_is_small(
    order: list[float], others: list[float], seed: int
) -> None:
    found = search_on(Machine(additive(order, others), noise=0.005, seed=seed))
    assert found.best == (order.index(0.6), others.index(0.4))


def flipping(flips: list[float]) -> Callable[[float], float]:
    return lambda now_s: 1.8 if bisect(flips, now_s) % 2 else 1.0


def test_a_machine_that_changes_its_speed_seldom_misleads_it() -> None:
    """Speed flips by 1.8 at odd times; the best is 1.5 times as good as all others."""
    found = []
    for seed in range(40):
        generator = random.Random(seed)
        flips = sorted(generator.uniform(100, 200) for _ in range(generator.choice([10, 50, 200])))
        machine = Machine(
            lambda setup: 1.5 if setup == (3, 0) else 1.0,
            noise=0.01,
            drift=flipping(flips),
            seed=seed,
        )
        found.append(search_on(machine, seconds=60.0).best)
    assert found.count((3, 0)) >= 36


@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_where_all_are_equal_the_start_stays(noise: float) -> None:
    found = search_on(Machine(lambda _: 5.0, noise))
    assert found.best == START
    assert found.advantage == 1.0
    assert found.tried == 7


def test_what_fails_is_left_out_and_not_tried_again() -> None:
    machine = Machine(lambda setup: None if setup[0] in (1, 2) else 1.0 + setup[0])
    found = search_on(machine)
    assert found.best == (4, 0)
    assert set(found.failed) == {(1, 0), (2, 0)}
    assert sum(setup == (1, 0) for setup, _ in machine.measured) == 1


def test_only_what_fits_is_tried_and_the_rest_counted() -> None:
    found = search_on(Machine(lambda setup: 1.0 + setup[0], overhead_s=0.0), 3.0, (40, 1))
    assert 0 < found.tried < 39
    assert found.tried + found.left_out >= 39


def test_a_candidate_is_measured_beside_the_best_in_every_lap() -> None:
    machine = Machine(lambda setup: 1.0)
    search_on(machine, 5.0)
    laps = {lap for _, lap in machine.measured}
    with_start = {lap for setup, lap in machine.measured if setup == START}
    assert len(laps - with_start) <= 1  # the last one may be cut off by the deadline


def test_coordinates_that_only_pay_together_are_found_on_the_way_back() -> None:
    def goodness(setup: Setup) -> float:
        known: dict[Setup, float] = {(0, 0): 1.0, (0, 1): 1.1, (1, 1): 1.5}
        return known.get(setup, 0.8)

    assert search_on(Machine(goodness), sizes=(2, 2)).best == (1, 1)
