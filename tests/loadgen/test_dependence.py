"""Dependence of series: known processes, and what a series can't tell."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import Interval, percentile_interval, series_interval
from inferometer.loadgen.dependence import INDEPENDENT, dependence_of


def runs_of(length: int, count: int, seed: int = 3) -> NDArray[np.bool_]:
    """Flags that come in runs of one length, each of them set or not."""
    return np.repeat(np.random.default_rng(seed).random(count // length) < 0.3, length)


def test_independent_flags_are_worth_themselves() -> None:
    source = np.random.default_rng(3)
    found = [dependence_of(source.random(count) < 0.1) for count in [2000, 50_000] * 50]
    unclear = [one for one in found if one.is_too_long or one.is_rare]
    # One or two in a hundred look as if they were not.
    assert len(unclear) <= 4
    assert np.median([one.inflation for one in found]) < 1.05


@pytest.mark.parametrize("length", [4, 20])
@pytest.mark.parametrize("count", [8_000, 200_000])
def test_runs_count_once(length: int, count: int) -> None:
    assert dependence_of(runs_of(length, count)).inflation == pytest.approx(length, rel=0.2)


def test_few_clusters_leave_few_degrees_of_freedom() -> None:
    flags = np.zeros(20_000, bool)
    flags[2000:2020] = flags[9000:9020] = flags[17_000:17_020] = True
    assert dependence_of(flags).freedom < 3


def test_times_met_once_or_twice_leave_the_upper_end_open() -> None:
    source = np.random.default_rng(6)
    values = source.exponential(1e6, 4000).astype(np.int64)
    for place in (500, 3100):
        values[place : place + 40] *= 6
    interval = series_interval(values, np.sort(values), 0.9)
    assert interval.low is not None
    assert interval.high is None
    for place in range(200, 3800, 300):
        values[place : place + 40] = source.exponential(6e6, 40)
    assert series_interval(values, np.sort(values), 0.9).high is not None


def test_a_slow_weak_drift_is_seen() -> None:
    source, keep = np.random.default_rng(2), np.exp(-1 / 50)
    drift = np.zeros(20_000)
    steps = source.normal(0.0, np.sqrt(0.1 * (1 - keep**2)), 20_000)
    for number in range(1, 20_000):
        drift[number] = keep * drift[number - 1] + steps[number]
    values = drift + source.normal(0.0, np.sqrt(0.9), 20_000)
    # Summed over all lags, flags whose correlation is (2 / pi) asin(0.1 keep**lag): 7.4.
    assert 6.0 < dependence_of(values > 0.0).inflation < 11.0


def test_a_series_that_changes_once_is_too_short() -> None:
    assert dependence_of(np.arange(2000) > 1400).is_too_long
    rising = np.arange(2000) * 1000
    interval = series_interval(rising, rising, 0.5)
    assert (interval.low, interval.high) == (None, None)


@pytest.mark.parametrize("flags", [np.zeros(100, bool), np.ones(100, bool), np.arange(9) > 4])
def test_nothing_to_learn_from(flags: NDArray[np.bool_]) -> None:
    assert dependence_of(flags) == INDEPENDENT


def test_clustered_latencies_have_wider_intervals() -> None:
    source = np.random.default_rng(8)
    values = np.repeat(source.exponential(1e6, 2000), 10).astype(np.int64)
    ordered = np.sort(values)
    alone, clustered = percentile_interval(ordered, 0.9), series_interval(values, ordered, 0.9)
    ratio = clustered.relative_half_width(1.0) / alone.relative_half_width(1.0)
    assert ratio == pytest.approx(10**0.5, rel=0.25)


@pytest.mark.parametrize(("load", "fraction"), [(0.5, 0.9), (0.7, 0.5)])
def test_intervals_of_a_queue_cover_as_often_as_they_say(load: float, fraction: float) -> None:
    source, trials, count = np.random.default_rng(4), 400, 4000
    truth = -np.log(1.0 - fraction) / (1.0 - load) * 1e6
    covered = alone_covered = 0
    for _ in range(trials):
        service = source.exponential(1.0, count)
        walk = np.cumsum(np.append(0.0, service[:-1] - source.exponential(1 / load, count - 1)))
        latencies = walk - np.minimum.accumulate(np.minimum(walk, 0.0)) + service
        values = (latencies * 1e6).astype(np.int64)
        ordered = np.sort(values)
        covered += holds(series_interval(values, ordered, fraction), truth)
        alone_covered += holds(percentile_interval(ordered, fraction), truth)
    # 400 trials of 95 %: fewer than 363 or more than 394 in one case of 10,000.
    assert 363 <= covered <= 394
    assert alone_covered < 320


def holds(interval: Interval, truth: float) -> bool:
    low, high = interval.low, interval.high
    return (low is None or low <= truth) and (high is None or truth <= high)
