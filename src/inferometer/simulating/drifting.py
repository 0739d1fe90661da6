"""Drifting: how the speed of recorded calls wanders."""

from __future__ import annotations

import math

import numpy as np

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Reals
from inferometer.simulating.groups import Groups, deviation_of
from inferometer.simulating.service import Drift

__all__ = ["drift_of"]

_TURNS = 4
_BLOCK_NS = 250e6
_FEWEST_BLOCKS = 20
_FEWEST_IN_A_BLOCK = 5
_LEAST_DRIFT = 0.03
_MOST_DEVIATIONS = 3.0


def drift_of(calls: Calls) -> tuple[Drift | None, Reals]:
    """Find how the speed wanders, and the factor of it that each call shares with others.

    The median call of a quarter second, against the median of its size, is what wanders; as much
    as chance alone gives it is taken off. Sizes and quarter seconds are told apart in turns,
    because batches are large when all is slow.
    """
    block = (calls.at_ns // _BLOCK_NS).astype(np.int64) + calls.series * 1_000_000
    names, place, counts = np.unique(block, return_inverse=True, return_counts=True)
    full = np.flatnonzero(counts >= _FEWEST_IN_A_BLOCK)
    none = np.ones(len(calls.size))
    if len(full) < _FEWEST_BLOCKS:
        return None, none
    logs = np.log(np.maximum(1.0, calls.work_ns))
    by_size, by_block = calls.by_size(), Groups(place)
    shared = np.zeros(len(names))
    for _ in range(_TURNS):
        left = logs - by_size.spread_medians(logs - shared[place])
        middle = by_block.medians(left)
        chance = by_block.median_variances(left)
        by_chance = float(np.mean(chance[full]))
        variance = deviation_of(middle[full]) ** 2 - by_chance
        if variance < max(_LEAST_DRIFT**2, by_chance):
            return None, none
        # Far ones are stalls: they don't tell how the rest wanders.
        most = _MOST_DEVIATIONS * math.sqrt(variance)
        centred = np.clip(middle - float(np.median(middle[full])), -most, most)
        shared = np.zeros(len(names))
        shared[full] = (centred * variance / (variance + chance))[full]
    pairs = full[:-1][np.diff(names[full]) == 1]
    kept = float(np.mean(centred[pairs] * centred[pairs + 1]) / variance) if len(pairs) else 0.0
    kept = min(max(kept, 0.05), 0.98)
    period_s = -_BLOCK_NS / 1e9 / math.log(kept)
    return Drift(round(math.sqrt(variance), 4), round(period_s, 3)), np.exp(shared)[place]
