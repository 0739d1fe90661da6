"""Spectrum: how much of what varies in a series varies slowly."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["bin_sums", "flat_part", "mean_powers", "scales_of"]

_LEAST_SCALE = 3
_GROWTH = 1.5
_CHANCE = 2.6
_NEAR_CHANCE = 1.3
_FEW = 30

Floats = NDArray[np.float64]


def bin_sums(series: NDArray[np.generic], size: int) -> Floats:
    """Sum a series, [n], over bins of neighbours, float64 [n // size], about their mean."""
    bins = len(series) // size
    sums = series[: bins * size].reshape(bins, size).sum(axis=1, dtype=np.float64)
    centred: Floats = sums - sums.mean()
    return centred


@functools.lru_cache(maxsize=64)
def scales_of(bins: int) -> NDArray[np.int64]:
    """Give how many of the slowest cosines are looked at together, int64, the most last."""
    scales = [_LEAST_SCALE]
    while scales[-1] * _GROWTH < 0.75 * (bins - 1):
        scales.append(math.ceil(scales[-1] * _GROWTH))
    return np.array([*scales, bins - 1])


def mean_powers(sums: Floats, variance: float) -> Floats:
    """Give the mean power of the slowest cosines at each scale, float64.

    ``sums`` is what `bin_sums` gives; a power is 1 where bins are independent and their
    variance is ``variance``. The means of independent bins vary as those of so many squared
    normal variables, whatever the distribution, and are independent of the series' mean.

    Source: Müller, HAC corrections for strongly autocorrelated time series, 2014.
    """
    scales = scales_of(len(sums))
    totals: Floats = np.cumsum(_cosines(sums)[1:] ** 2)[scales - 1]
    return totals / (scales * variance)


def flat_part(bins: int, *means: Floats) -> int:
    """Give the number of the largest scale below which no spectrum rises towards slow changes.

    0 where they rise all the way.
    """
    limits, scales = _limits(bins), scales_of(bins)
    rising = np.zeros(len(scales), np.bool_)
    for mean in means:
        totals = mean * scales
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = (totals[:, None] - totals) / (scales[:, None] - scales)
            rising |= (mean > limits * rest).any(axis=1)
    flat = np.flatnonzero(~rising)
    return int(flat[-1]) if len(flat) else 0


@functools.lru_cache(maxsize=64)
def _limits(bins: int) -> Floats:
    """Give what the ratio of slower to faster cosines reaches by chance, [scales, slower scales].

    It is the quantile of a ratio of mean squares; where a rise was seen and only a few
    cosines are left, less of it is enough, since a rise that goes on is the likely case.

    Source: Wilson and Hilferty, The distribution of chi-square, 1931.
    """
    scales = scales_of(bins)
    found = np.full((len(scales), len(scales)), np.inf)
    for row, scale in enumerate(scales):
        is_near = scale <= _FEW and row < len(scales) - 1
        deviate = _NEAR_CHANCE if is_near else _CHANCE
        for column, slower in enumerate(scales[:row]):
            if 2 * slower <= scale:
                above, below = 2 / (9 * slower), 2 / (9 * (scale - slower))
                root = (1 - above + deviate * math.sqrt(above + below)) / (1 - below)
                found[row, column] = root**3
    return found


def _cosines(sums: Floats) -> Floats:
    """Give the orthonormal cosine transform of type II.

    Source: Makhoul, A fast cosine transform in one and two dimensions, 1980.
    """
    mixed = np.concatenate([sums[::2], sums[1::2][::-1]])
    found: Floats = (np.fft.fft(mixed) * _turns(len(sums))).real
    return found


@functools.lru_cache(maxsize=64)
def _turns(count: int) -> NDArray[np.complex128]:
    turns: NDArray[np.complex128] = np.exp(-0.5j * np.pi * np.arange(count) / count)
    return turns * math.sqrt(2.0 / count)
