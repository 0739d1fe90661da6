"""Stability: warm-up within a run, drift from run to run, and runs that stand apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Drift", "WarmUp", "drift_of", "outliers_of", "warm_up_of"]

_WINDOWS = 120
_FEWEST_IN_A_WINDOW = 3
_FIRST_PART = 0.4
_LEAST_CHANGE = 0.05
_SURE = 0.01
_FEWEST_FIRST = 4
_FEWEST_RUNS = 8
_LEAST_DRIFT = 0.03
_SURE_OF_DRIFT = 0.01
_MAD_TO_DEVIATION = 1.4826
_DEVIATIONS_APART = 5.0
_LEAST_APART = 0.05


@dataclass(frozen=True)
class WarmUp:
    """A first part of a run that differs from the rest of it.

    share:
        Of the run's queries that belong to it.
    change:
        How much longer they took than the rest: 0.2 is 20 % longer.
    """

    share: float
    change: float


@dataclass(frozen=True)
class Drift:
    """A trend over the runs of a comparison.

    change:
        Of the speed from the first run to the last: -0.1 is 10 % slower.
    """

    change: float
    p_value: float


def warm_up_of(durations: NDArray[np.int64]) -> WarmUp | None:
    """Find a first part that differs, in durations [n] in the order in which they came.

    The run is cut into windows; the medians of the first few are tested against the others
    (Mann and Whitney), for every number of first ones. It is a warm-up if the clearest of
    these lies within two fifths, is far from chance, for so many tests, and at least 5 %.
    """
    count = min(_WINDOWS, len(durations) // _FEWEST_IN_A_WINDOW)
    if count < 2 * _FEWEST_RUNS:
        return None
    parts = np.array_split(np.asarray(durations, np.float64), count)
    medians = np.array([float(np.median(part)) for part in parts])
    place, p_value = _clearest_beginning(medians)
    if p_value > _SURE or place > count * _FIRST_PART:
        return None
    first, rest = float(np.median(medians[:place])), float(np.median(medians[place:]))
    change = first / rest - 1 if rest > 0 else 0.0
    return WarmUp(place / count, change) if abs(change) >= _LEAST_CHANGE else None


def _clearest_beginning(values: NDArray[np.float64]) -> tuple[int, float]:
    """Give how many first values differ most clearly from the others, and the p-value."""
    count = len(values)
    places = np.arange(_FEWEST_FIRST, count - _FEWEST_FIRST + 1)
    signs = np.sign(values[:, None] - values[None, :])
    sums = np.array([signs[:place, place:].sum() for place in places])
    scores = np.abs(sums) / np.sqrt(places * (count - places) * (count + 1) / 3)
    best = int(scores.argmax())
    p_value = math.erfc(float(scores[best]) / math.sqrt(2)) * len(places)
    return int(places[best]), min(1.0, p_value)


def drift_of(speeds: Sequence[float]) -> Drift | None:
    """Find a trend of at least 3 % over runs, in their order, that is far from chance.

    The test is that of Mann and Kendall, the size Theil and Sen's slope of the logarithms.
    """
    count = len(speeds)
    if count < _FEWEST_RUNS:
        return None
    logs = np.log(np.asarray(speeds, np.float64))
    rows, columns = np.triu_indices(count, 1)
    rises = logs[columns] - logs[rows]
    score = float(np.sign(rises).sum())
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    p_value = math.erfc(max(0.0, abs(score) - 1) / deviation / math.sqrt(2))
    change = math.expm1(float(np.median(rises / (columns - rows))) * (count - 1))
    if p_value > _SURE_OF_DRIFT or abs(change) < _LEAST_DRIFT:
        return None
    return Drift(change, p_value)


def outliers_of(speeds: Sequence[float]) -> list[int]:
    """Give the places of runs that are far from the middle of all.

    Far is five standard deviations, which the median deviation estimates, and at least 5 %.
    """
    if len(speeds) < _FEWEST_RUNS:
        return []
    logs = np.log(np.asarray(speeds, np.float64))
    apart = np.abs(logs - np.median(logs))
    limit = max(_DEVIATIONS_APART * _MAD_TO_DEVIATION * float(np.median(apart)), _LEAST_APART)
    return [int(place) for place in np.flatnonzero(apart > limit)]
