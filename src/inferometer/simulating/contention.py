"""Contention: how much recorded calls slowed each other down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inferometer.simulating.batches import Batches

__all__ = ["contention_of"]

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

    Both had idle workers, as those that begin alone always have. Medians of calls of one size in
    one run are compared, so that runs in which all was slower don't count.
    """
    total = weights = 0.0
    for one in batches:
        logs = np.log(np.maximum(1.0, one.work_ns(contention)))
        others = one.others_at_start()
        for size in np.unique(one.size):
            here = one.is_woken & (one.size == size)
            beside, alone = logs[here & (others > 0)], logs[here & (others == 0)]
            weight = min(len(beside), len(alone))
            if weight >= _FEWEST_COMPARED:
                total += weight * float(np.median(beside) - np.median(alone))
                weights += weight
    return total / weights if weights else 0.0
