"""Dependence: how much less a series says than as many independent values would."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.deviates import student_deviate
from inferometer.loadgen.episodes import met_rarely_in_bins
from inferometer.loadgen.spectrum import bin_sums, flat_part, mean_powers, scales_of

__all__ = ["INDEPENDENT", "Dependence", "dependence_of"]

_MOST_BINS = 1024
_FEWEST_BINS = 16
_FEWEST_COSINES = 10
_LEAST_COSINES = 4
_SLOWER = 4
_CLUSTERS = 0.2


@dataclass(frozen=True)
class Dependence:
    """What neighbours in a series have in common.

    inflation:
        How many times as much a count over the series varies as it would if its values were
        independent; at least 1.
    freedom:
        Degrees of freedom with which that is known.
    is_too_long:
        Whether neighbours resemble each other over so much of the series that it is too short
        to tell how much.
    is_rare:
        Whether times in which values were high were met, but so few that it is not known how
        often they come.
    """

    inflation: float
    freedom: float
    is_too_long: bool = False
    is_rare: bool = False


INDEPENDENT = Dependence(1.0, math.inf)
"""Values that have nothing to do with each other."""


def dependence_of(
    flags: NDArray[np.bool_],
    scores: NDArray[np.int8] | None = None,
    rarity: float = 0.5,
    *,
    is_rare: bool = False,
) -> Dependence:
    """Estimate the dependence of a series of flags, bool [n], in the order of time.

    The spectrum of the series, over at most 1,024 bins of neighbours so that it takes O(n),
    is flat below some frequency; the power there is the inflation. ``scores``, int8 [n], say
    more of each value than its flag and so see a rise that flags hide. Where there is one,
    the widest of the estimates from fewer and fewer of the slowest cosines is taken: a short
    series shows less of slow changes than there is. Flags that come in clusters are as few
    as these, which limits the degrees of freedom; ``rarity`` is the share of those that
    matter, where that is less than the flags'. ``is_rare`` if it is known already that times in
    which values were high are few; else the scores tell.
    """
    count = len(flags)
    share = np.count_nonzero(flags) / max(count, 1)
    variance = share * (1.0 - share)
    size = -(-count // _MOST_BINS)
    if not variance or count // size < _FEWEST_BINS:
        return INDEPENDENT
    scores = flags.view(np.int8) if scores is None else scores
    sums, score_sums = bin_sums(flags, size), bin_sums(scores, size)
    score_variance = max(float(scores.var()), 1e-9) * size
    powers = mean_powers(sums, variance * size)
    flat = flat_part(len(sums), powers, mean_powers(score_sums, score_variance))
    is_rare = is_rare or met_rarely_in_bins(score_sums, score_variance, size)
    scales = scales_of(len(sums))
    clusters = _CLUSTERS * count * min(share, 1.0 - share, rarity)
    if flat == len(scales) - 1:
        # Only bins of several values can hide that these resemble each other.
        level = max(1.0, float(powers[-1])) if size > 1 else 1.0
        return Dependence(*_estimate(level, int(scales[-1]), clusters), is_rare=is_rare)
    least = max(_LEAST_COSINES, float(scales[flat]) / _SLOWER)
    estimates = [
        _estimate(max(1.0, float(powers[number])), int(scales[number]), clusters)
        for number in range(flat + 1)
        if scales[number] >= least or number == flat
    ]
    inflation, freedom = max(estimates, key=lambda one: one[0] * student_deviate(one[1]) ** 2)
    return Dependence(inflation, freedom, bool(scales[flat] < _FEWEST_COSINES), is_rare)


def _estimate(inflation: float, cosines: int, values: float) -> tuple[float, float]:
    """Give an inflation and its degrees of freedom, from cosines and clusters of values."""
    beyond_chance = 1.0 - 1.0 / inflation
    return inflation, 1.0 / (1.0 / cosines + beyond_chance**2 * inflation / values)
