"""Episodes: times of high values stand out, by chance as seldom as is said."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.loadgen.episodes import met_rarely, rarity_scores


def scores_of(values: np.ndarray) -> np.ndarray:
    return rarity_scores(values, np.sort(values))


@pytest.mark.parametrize("count", [200, 1000, 2000])
def test_independent_values_rarely_look_like_episodes(count: int) -> None:
    source = np.random.default_rng(count)
    drawn = source.pareto(1.5, (1500, count))
    share = np.mean([met_rarely(scores_of(values)) for values in drawn])
    # Stated are 2 to 5 in a hundred; 1,500 trials know it to half a point.
    assert 0.01 < share < 0.06


def test_scores_are_exponential_and_equal_values_share_one() -> None:
    values = np.random.default_rng(1).permutation(10_000)
    scores = scores_of(values)
    assert scores.mean() == pytest.approx(1.0, abs=0.01)
    assert np.quantile(scores, 0.9) == pytest.approx(-np.log(0.1), rel=0.01)
    assert list(scores_of(np.array([7, 7, 7, 7]))) == [-np.log1p(-4 / 9)] * 4
    assert scores_of(np.array([2, 9]))[1] > scores_of(np.array([2, 9]))[0]


@pytest.mark.parametrize("bursts", [1, 3, 8])
def test_a_few_bursts_are_few_and_many_are_many(bursts: int) -> None:
    source = np.random.default_rng(bursts)
    values = source.exponential(1.0, 2000)
    for place in np.linspace(100, 1800, bursts).astype(int):
        values[place : place + 25] *= 6.0
    assert met_rarely(scores_of(values)) == (bursts < 6)


@pytest.mark.parametrize("count", [0, 1, 5, 31, 32])
def test_a_few_values_tell_nothing(count: int) -> None:
    assert not met_rarely(np.ones(count))
