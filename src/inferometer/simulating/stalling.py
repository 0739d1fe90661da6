"""Stalling: which recorded calls were held up by something else, how often and for how long."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import deviation_of
from inferometer.simulating.rows import quantiles_of
from inferometer.simulating.service import Stalls

__all__ = ["stalls_of"]

_LEAST = 1.7
_DEVIATIONS = 6.0
_FEWEST = 20


def stalls_of(calls: Calls) -> tuple[Stalls | None, NDArray[np.bool_]]:
    """Tell how calls stall, and which did.

    Those that took far longer than the median of their size, by how the others scatter, are taken
    for such, bool [calls]; what they took besides the mean of the others is how long they stalled.
    ``None`` where too few did to tell: these are a part of how calls scatter.
    """
    groups = calls.by_size()
    logs = np.log(calls.work_ns)
    logs -= groups.spread_medians(logs)
    is_stalled: NDArray[np.bool_] = logs > max(math.log(_LEAST), _DEVIATIONS * deviation_of(logs))
    if is_stalled.sum() < _FEWEST:
        return None, np.zeros(len(is_stalled), np.bool_)
    counted: Reals = np.where(is_stalled, 0.0, 1.0)
    usual = groups.means(calls.work_ns * counted) / groups.means(counted)
    lasted = (calls.work_ns - groups.spread(usual))[is_stalled]
    worked_s = float(groups.spread(usual).sum()) / 1e9
    return Stalls(len(lasted) / worked_s, quantiles_of(lasted)), is_stalled
