"""Episodes: times in which values were high, and whether they are too few to tell their share."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHORT_SERIES", "met_rarely", "met_rarely_in_bins", "rarity_scores"]

SHORT_SERIES = 4096
"""Values up to which a series is looked at one by one."""

Floats = NDArray[np.float64]

_EPISODE = 2.5

# One by one: of independent values 2 to 5 series in a hundred reach the limit by chance.
_SHORTEST, _GROWTH = 4, 1.5
_LIMIT_AT_1000, _LIMIT_PER_E = 3.75, 0.334
_FEWEST_IN_SHORT = 6

# In bins, whose sums are nearly normal: one series in a hundred.
_SHORTEST_IN_BINS = 16
_LIMIT_IN_BINS = 4.5
_FEWEST_IN_BINS = 4


def rarity_scores(values: NDArray[np.int64], ordered: NDArray[np.int64]) -> Floats:
    """Give for each value minus the logarithm of the share that lies above it, float64 [n].

    ``ordered`` are the values, ascending; equal ones get the same score. Scores of independent
    values are exponentially distributed with mean 1, whatever the values' own distribution.
    """
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    scores: Floats = -np.log1p(-below / (2.0 * len(values) + 1.0))
    return scores


def met_rarely(scores: Floats) -> bool:
    """Tell whether stretches of high scores stand out that are fewer than six.

    ``scores`` is float64 [n], exponential where nothing stands out, in the order of time.
    Stretches may last from four values to an eighth of the series. The sum over one has a
    gamma distribution, whose deviate is that of Wilson and Hilferty.

    Source: Wilson and Hilferty, The distribution of chi-square, 1931.
    """
    totals = np.concatenate([[0.0], np.cumsum(scores)])
    limit = _LIMIT_AT_1000 + _LIMIT_PER_E * math.log(max(len(scores), 1) / 1000.0)

    def stretches() -> Iterator[tuple[Floats, int]]:
        length = _SHORTEST
        while length <= len(scores) // 8:
            means = (totals[length:] - totals[:-length]) / length
            yield (np.cbrt(means) - 1.0 + 1.0 / (9 * length)) * (3.0 * math.sqrt(length)), length
            length = math.ceil(length * _GROWTH)

    return _stand_out_rarely(stretches(), limit, _FEWEST_IN_SHORT)


def met_rarely_in_bins(sums: Floats, variance: float, size: int) -> bool:
    """Tell whether stretches of high values stand out in a long series that are fewer than four.

    ``sums``, float64 [bins], are those of bins of ``size`` values about their mean, and
    ``variance`` is theirs if the values are independent. Stretches may last from 16 values to
    an eighth of the series.
    """
    bins = len(sums)
    totals = np.concatenate([[0.0], np.cumsum(sums)])

    def stretches() -> Iterator[tuple[Floats, int]]:
        length = -(-_SHORTEST_IN_BINS // size)
        while length <= bins // 8:
            deviation = math.sqrt(length * variance * (1.0 - length / bins))
            yield (totals[length:] - totals[:-length]) / deviation, 1
            length *= 2

    return _stand_out_rarely(stretches(), _LIMIT_IN_BINS, _FEWEST_IN_BINS)


def _stand_out_rarely(stretches: Iterator[tuple[Floats, int]], limit: float, fewest: int) -> bool:
    """Tell whether deviates go beyond a limit, in fewer than so many times.

    Each comes with the gap up to which two times are one; those that stand out most count.
    """
    found, most, near = None, limit, 1
    for deviates, gap in stretches:
        if (highest := float(deviates.max())) > most:
            found, most, near = deviates, highest, gap
    return found is not None and _episodes(found, near) < fewest


def _episodes(deviates: Floats, gap: int) -> int:
    """Count the times in which stretches were high; those no more than a gap apart are one."""
    places = np.flatnonzero(deviates > _EPISODE)
    return 1 + int(np.count_nonzero(np.diff(places) > gap))
