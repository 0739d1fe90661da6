"""Belief: runs near the bound narrow it, and what it says of reruns never rises with load."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inferometer.capacity import Observation, believe


def observed(load: float, share: float, **more) -> Observation:  # type: ignore[no-untyped-def]
    return Observation(load, share, 0.02, has_met=share <= 1.0, **more)


RUNS = [observed(60, 0.3), observed(90, 0.7), observed(105, 1.3), observed(98, 0.95)]


def test_the_capacity_lies_where_the_share_is_one() -> None:
    belief = believe(RUNS)
    centre = math.exp(float(np.median(belief.centre)))
    assert 96 < centre < 103


def test_reruns_pass_less_often_at_more_load() -> None:
    shares = believe(RUNS).pass_shares(np.linspace(50, 130, 40))
    assert (np.diff(shares, axis=1) <= 1e-9).all()
    assert shares.min() >= 0
    assert shares.max() <= 1


def test_the_highest_loads_are_where_the_pass_share_falls_below() -> None:
    belief = believe(RUNS)
    loads = belief.highest_loads(0.9)
    for place in range(0, len(loads), 97):
        around = belief.pass_shares(loads[place] * np.array([0.999, 1.001]))[place]
        assert around[0] >= 0.9 > around[1]


def test_more_runs_narrow_it() -> None:
    few, many = believe(RUNS), believe([*RUNS, *(observed(98, 0.95) for _ in range(5))])
    assert np.std(many.centre) < np.std(few.centre)


def test_what_is_sure_is_less_than_what_is_likely() -> None:
    belief = believe(RUNS)
    assert belief.sure_pass_share(95, 0.95) < belief.pass_share(95) <= 1.0


def test_a_run_that_surely_missed_keeps_the_capacity_below_it() -> None:
    stopped = observed(200, 1.2, length=0.01, was_stopped=True)
    belief = believe([observed(20, 0.2), stopped])
    assert float(np.quantile(belief.centre, 0.95)) < math.log(210)


def test_the_same_runs_are_believed_the_same() -> None:
    first, second = believe(RUNS), believe(list(RUNS))
    assert (first.centre == second.centre).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_the_unit_of_load_does_not_matter(scale: float) -> None:
    scaled = [observed(one.load * scale, one.share) for one in RUNS]
    assert believe(scaled).centre - math.log(scale) == pytest.approx(believe(RUNS).centre)
