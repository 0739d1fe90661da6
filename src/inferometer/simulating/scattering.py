"""Scattering: how much more recorded calls scatter about their mean on an idle machine."""

from __future__ import annotations

import numpy as np

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import tells_idleness

__all__ = ["evened_out", "scatter_of"]

_FEWEST = 30
_LEAST = 0.1
_MOST_DEVIATION = 1.0
_TURNS = 50


def scatter_of(calls: Calls, use: Reals) -> float:
    """Give by how much of its scatter a call scatters more where nothing was busy.

    ``use`` is the busy share of each series. What calls of each size deviate by from their mean
    is a number of that size times 1 + scatter * idle share; 0 where series are too alike to tell.
    """
    if not tells_idleness(use):
        return 0.0
    groups = calls.by_size()
    means = groups.spread_means(calls.work_ns)
    deviations = np.minimum(np.abs(calls.work_ns / means - 1.0), _MOST_DEVIATION)
    idle = (1.0 - use)[calls.series]
    counts = calls.of_sizes_seen(_FEWEST) & (deviations > 0.0)
    if not counts.any():
        return 0.0
    scatter = 0.0
    for _ in range(_TURNS):
        more = 1.0 + scatter * idle
        own = groups.spread(groups.means(deviations) / groups.means(more))
        excess = (deviations / np.maximum(own, 1e-12) - 1.0)[counts]
        scatter = max(0.0, float(idle[counts] @ excess) / float(idle[counts] @ idle[counts]))
    return round(scatter, 3) if scatter >= _LEAST else 0.0


def evened_out(calls: Calls, use: Reals, scatter: float) -> Calls:
    """Give the calls as they would scatter on a busy machine; their means stay."""
    if not scatter:
        return calls
    means = calls.by_size().spread_means(calls.work_ns)
    more = 1.0 + scatter * (1.0 - use)[calls.series]
    return calls.with_work(means + (calls.work_ns - means) / more)
