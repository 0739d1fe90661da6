"""Reading runs: the latency that decides is the one that the verdict looks at."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.capacity import Bound, Observation, observation_of
from inferometer.loadgen import Era, percentile, total_needed


@given(st.integers(1, 5_000), st.sampled_from([0.5, 0.9, 0.97, 0.99]), st.integers(0, 1_000))
def test_v05_allows_what_its_percentile_does(count: int, fraction: float, slow: int) -> None:
    slow = min(slow, count)
    latency = np.sort(np.where(np.arange(count) < slow, 20, 5))
    bound = Bound.of(Era.V05, 10, fraction)
    assert (slow <= bound.allowed(count)) == (percentile(latency, fraction) <= 10)


@given(st.integers(1, 3_000), st.sampled_from([0.9, 0.99]))
def test_later_rounds_allow_what_early_stopping_does(count: int, fraction: float) -> None:
    allowed = Bound.of(Era.CURRENT, 10, fraction).allowed(count)
    assert allowed == -1 or total_needed(allowed, fraction) <= count
    by_percentile = count - 1 - min(int(count * fraction), count - 1)
    assert allowed == by_percentile or total_needed(allowed + 1, fraction) > count


@given(st.lists(st.integers(1, 100), min_size=1, max_size=300), st.sampled_from([0.5, 0.9]))
def test_the_share_says_whether_the_bound_is_met(latencies: list[int], fraction: float) -> None:
    values, bound = np.array(latencies), Bound.of(Era.V05, 50, fraction)
    one = read(values, bound)
    assert one.has_met == (int((values > 50).sum()) <= bound.allowed(len(values)))
    assert one.has_met == (one.share <= 1.0)


def test_the_verdict_decides_where_it_says_otherwise() -> None:
    values, bound = np.full(100, 40), Bound.of(Era.V05, 50, 0.9)
    assert read(values, bound).share == pytest.approx(0.8)
    assert read(values, bound, has_met=False).share > 1.0


def test_nothing_answered_is_infinitely_slow() -> None:
    one = read(np.empty(0, np.int64), Bound.of(Era.V05, 50, 0.9))
    assert not one.has_met
    assert one.share == math.inf


def test_noise_is_that_of_repeated_runs() -> None:
    random, bound = np.random.default_rng(1), Bound.of(Era.V05, 5_000, 0.99)
    runs = [read(random.exponential(1_000, 8_000).astype(np.int64), bound) for _ in range(60)]
    true = float(np.std([one.log_share for one in runs]))
    told = float(np.median([one.noise or 0.0 for one in runs]))
    assert 0.6 * true < told < 1.6 * true


def test_noise_of_slow_queries_that_come_together_is_larger() -> None:
    random, bound = np.random.default_rng(2), Bound.of(Era.V05, 5_000, 0.99)
    apart = random.exponential(1_000, 8_000).astype(np.int64)
    together = apart.copy()
    together[3_000:3_200] += 8_000
    alone, burst = read(apart, bound).noise, read(together, bound).noise
    assert alone is not None
    assert burst is not None
    assert burst > 2 * alone


def test_observations_survive_json() -> None:
    one = Observation(5.0, math.inf, None, has_met=False, length=0.5, was_stopped=True, served=3.0)
    assert Observation.from_mapping(one.to_mapping()) == one


def read(values, bound: Bound, has_met: bool | None = None) -> Observation:  # type: ignore[no-untyped-def]
    return observation_of(
        1.0, values, bound, whole_queries=len(values), length=1.0, seconds=1.0, has_met=has_met
    )
