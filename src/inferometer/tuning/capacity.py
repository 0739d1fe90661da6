"""Capacity: the highest rate that keeps the Server bound, by a few short runs."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["find_capacity"]

_STEP = 1.25
_NARROW = 1.12
_MOST_RUNS = 9


def find_capacity(
    run: Callable[[float], float], start_qps: float, give_up_below_qps: float = 0.0
) -> float:
    """Give the rate at which the latency reaches its bound.

    run:
        Runs at a rate for a while and gives the latency at the percentile as a share of the
        bound: up to 1 keeps it; infinite where the system was overwhelmed.
    start_qps:
        Where to begin. Steps away from it grow until the bound lies between two rates; the
        rates between are halved, and within the last two the latency is interpolated, both on
        logarithmic scales.
    give_up_below_qps:
        Stop once the capacity is known to be lower; what is given then is an upper limit.
    """
    met: tuple[float, float] | None = None
    missed: tuple[float, float] | None = None
    rate, step = start_qps, _STEP
    for _ in range(_MOST_RUNS):
        share = run(rate)
        if share <= 1.0:
            met = (rate, share)
        else:
            missed = (rate, share)
        if missed is not None and missed[0] <= give_up_below_qps:
            break
        if met is not None and missed is not None:
            if missed[0] / met[0] <= _NARROW:
                break
            rate = math.sqrt(met[0] * missed[0])
        else:
            rate = rate * step if missed is None else rate / step
            step *= _STEP
    if met is None:
        return missed[0] if missed is not None else start_qps
    return met[0] if missed is None else _between(met, missed)


def _between(met: tuple[float, float], missed: tuple[float, float]) -> float:
    """Give the rate at which the share is 1, between one below and one above."""
    (low, low_share), (high, high_share) = met, missed
    if not math.isfinite(high_share) or low_share <= 0:
        return math.sqrt(low * high)
    part = -math.log(low_share) / (math.log(high_share) - math.log(low_share))
    return low * math.exp(part * math.log(high / low))
