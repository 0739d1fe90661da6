"""Statistics and early stopping against tables, SciPy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from inferometer.loadgen import (
    percentile,
    percentile_interval,
    proportion_interval,
    rate_interval,
    required_samples,
    total_needed,
)
from inferometer.loadgen.early_stopping import discardable, estimate
from inferometer.loadgen.statistics import binomial_cdf


@pytest.mark.parametrize(
    ("fraction", "totals"),
    [
        (0.90, [44, 64, 81, 97, 113, 127, 197, 1246]),
        (0.95, [90, 130, 165, 198, 229, 259, 398, 2504]),
        (0.97, [152, 219, 277, 332, 383, 433, 667, 4182]),
        (0.99, [459, 662, 838, 1001, 1157, 1307, 2010, 12571]),
        (0.999, [4603, 6636, 8403, 10042, 11601, 13105, 20140, 125826]),
    ],
)
def test_early_stopping_totals(fraction: float, totals: list[int]) -> None:
    assert [total_needed(t, fraction) for t in (0, 1, 2, 3, 4, 5, 10, 100)] == totals


@given(st.integers(64, 20_000), st.sampled_from([0.9, 0.97, 0.99]))
@settings(max_examples=80, deadline=None)
def test_discardable_is_the_largest_that_still_suffices(total: int, fraction: float) -> None:
    if total < total_needed(1, fraction):
        return
    out = discardable(total, fraction)
    assert total_needed(out, fraction) <= total < total_needed(out + 1, fraction)


def test_estimate_of_the_published_example() -> None:
    found = estimate(np.arange(100), 100, 0.9)
    assert (found.least, found.discarded, found.value) == (64, 2, 97)
    assert not estimate(np.arange(63), 63, 0.9).is_met


@given(st.integers(1, 5_000_000), st.floats(0.001, 0.999), st.floats(0.0, 1.0))
@settings(max_examples=150, deadline=None)
def test_binomial_cdf_equals_scipy(count: int, chance: float, place: float) -> None:
    spread = 6 * (count * chance * (1 - chance)) ** 0.5
    k = int(count * chance - spread + 2 * spread * place)
    expected = float(stats.binom.cdf(k, count, chance))
    assert binomial_cdf(k, count, chance) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("count", "fraction", "index"), [(100, 0.9, 90), (100, 0.99, 99), (1, 0.999, 0), (7, 0.5, 3)]
)
def test_percentile_takes_the_published_entry(count: int, fraction: float, index: int) -> None:
    assert percentile(np.arange(count) * 10, fraction) == index * 10


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.99])
def test_percentile_interval_covers_as_often_as_it_says(fraction: float) -> None:
    generator = np.random.default_rng(5)
    truth = -np.log(1 - fraction)
    covered = 0
    for _ in range(600):
        ordered = np.sort(generator.exponential(1.0, 1000) * 1e6).astype(np.int64)
        interval = percentile_interval(ordered, fraction)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= truth * 1e6 <= interval.high
    assert 0.93 <= covered / 600 <= 0.99


def test_percentile_interval_is_open_where_samples_are_missing() -> None:
    interval = percentile_interval(np.arange(100), 0.99)
    assert interval.high is None
    assert interval.low is not None
    assert interval.relative_half_width(99) == float("inf")


def test_rate_interval_covers_the_true_rate() -> None:
    generator = np.random.default_rng(11)
    covered = 0
    for _ in range(300):
        stamps = np.cumsum(generator.exponential(1e6, 5000)).astype(np.int64)
        interval = rate_interval(stamps)
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 1000 <= interval.high
    assert 0.9 <= covered / 300 <= 0.99


def test_rate_interval_says_nothing_about_one_lump() -> None:
    assert rate_interval(np.full(1000, 5_000_000)) is None
    assert rate_interval(np.empty(0, np.int64)) is None


@pytest.mark.parametrize(("good", "count"), [(0, 10), (10, 10), (9304, 10_000)])
def test_proportion_interval_equals_scipy(good: int, count: int) -> None:
    expected = stats.binomtest(good, count).proportion_ci(0.95, "wilson")
    found = proportion_interval(good, count)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


def test_required_samples_of_the_v05_rules() -> None:
    assert [required_samples(p) for p in (0.90, 0.95, 0.97, 0.99)] == [
        23_886,
        50_425,
        85_811,
        262_742,
    ]
