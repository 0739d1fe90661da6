"""Dependence: how much less a series says than as many independent values would."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["INDEPENDENT", "Dependence", "dependence_of"]

_MOST_BINS = 1024
_FEWEST_BINS = 16
_NOISE = 3.0  # what chance alone adds to a sum of independent values, times sqrt(bins)
_LEAST_LEFT = 0.2
_CLUSTERS = 1.0 / 3.0
_LONGEST_REACH = 0.03
_CERTAIN = 2.5


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
    """

    inflation: float
    freedom: float
    is_too_long: bool = False


INDEPENDENT = Dependence(1.0, math.inf)
"""Values that have nothing to do with each other."""


def dependence_of(flags: NDArray[np.bool_], rarity: float = 0.5) -> Dependence:
    """Estimate the dependence of a series of flags, bool [n], in the order of time.

    Autocovariances are summed in pairs up to the first pair that isn't above zero, over at
    most 1,024 bins of neighbours, so that it takes O(n). What is left out because the mean
    is estimated as well is made up for. Flags that come in clusters are as few as their
    clusters, which limits the degrees of freedom; ``rarity`` is the share of those that
    matter, where that is less than the flags'.

    Source: Geyer, Practical Markov chain Monte Carlo, 1992 (initial positive sequence).
    """
    count = len(flags)
    share = np.count_nonzero(flags) / max(count, 1)
    variance = share * (1.0 - share)
    size = -(-count // _MOST_BINS)
    if not variance or count // size < _FEWEST_BINS:
        return INDEPENDENT
    bins = count // size
    sums = flags[: bins * size].reshape(bins, size).sum(axis=1, dtype=np.float64)
    total, reach = _summed(sums)
    left = max(_LEAST_LEFT, 1.0 - (2 * reach - 1) / bins)
    found = total / size / variance / left - _NOISE / math.sqrt(bins)
    inflation = max(1.0, found)
    clusters = _CLUSTERS * count * min(share, 1.0 - share, rarity) / inflation
    beyond_chance = 1.0 - 1.0 / inflation
    is_too_long = reach > _LONGEST_REACH * bins and inflation > 1.0 + _CERTAIN * math.sqrt(
        4.0 * reach / bins
    )
    return Dependence(inflation, 1.0 / (reach / bins + beyond_chance**2 / clusters), is_too_long)


def _summed(values: NDArray[np.float64]) -> tuple[float, int]:
    """Sum the autocovariances of a series on both sides; give how many lags they reach."""
    count = len(values)
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(values - values.mean(), size)
    power = spectrum.real**2 + spectrum.imag**2
    covariances = np.fft.irfft(power, size)[:count] / count
    half = count // 2
    pairs = covariances[0 : 2 * half : 2] + covariances[1 : 2 * half : 2]
    ends = np.flatnonzero(pairs[1:] <= 0)
    kept = int(ends[0]) + 1 if len(ends) else half
    return 2.0 * float(pairs[:kept].sum()) - float(covariances[0]), 2 * kept
