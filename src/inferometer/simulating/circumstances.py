"""Circumstances: what recorded calls take longer by, for what was going on when they began."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.batches import Batches
from inferometer.simulating.distribution import Reals

__all__ = ["contention_of", "wake_ns_of"]

_MOST_CONTENTION = 4.0
_HALVINGS = 12
_FEWEST_COMPARED = 20


def contention_of(batches: Sequence[Batches], workers: int) -> float:
    """Give how much longer a call takes for each other one that runs beside it.

    It is such that a call takes as much work whether or not others ran when it began. How much
    runs beside a call while it lasts can't be compared: what lasts longer has more beside it.
    """
    if workers == 1:
        return 0.0
    low, high = 0.0, _MOST_CONTENTION
    if _excess_beside(batches, low) <= 0.0:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _excess_beside(batches, middle) > 0.0 else (low, middle)
    return (low + high) / 2


def _excess_beside(batches: Sequence[Batches], contention: float) -> float:
    """Give the logarithm of the work of calls that began beside others over that of the rest.

    Both had idle workers, as those that begin alone always have.
    """
    return _excess(
        batches,
        lambda one: np.log(np.maximum(1.0, one.work_ns(contention))),
        lambda one: one.is_woken & (one.others_at_start() > 0),
        lambda one: one.is_woken & (one.others_at_start() == 0),
    )


def wake_ns_of(batches: Sequence[Batches], contention: float) -> float:
    """Give how much longer a call takes whose worker was idle."""
    found = _excess(
        batches,
        lambda one: one.work_ns(contention),
        lambda one: one.is_woken,
        lambda one: ~one.is_woken,
    )
    return max(0.0, found)


def _excess(
    batches: Sequence[Batches],
    values: Callable[[Batches], Reals],
    these: Callable[[Batches], NDArray[np.bool_]],
    those: Callable[[Batches], NDArray[np.bool_]],
) -> float:
    """Give by how much the median of these calls lies above that of those.

    Calls of one size in one run are compared, so that runs in which all was slower don't count.
    """
    total = weights = 0.0
    for one in batches:
        all_values, are_these, are_those = values(one), these(one), those(one)
        for size in np.unique(one.size):
            here = one.size == size
            some, others = all_values[here & are_these], all_values[here & are_those]
            weight = min(len(some), len(others))
            if weight >= _FEWEST_COMPARED:
                total += weight * float(np.median(some) - np.median(others))
                weights += weight
    return total / weights if weights else 0.0
