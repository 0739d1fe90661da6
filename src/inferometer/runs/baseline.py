"""Baseline: a kept run that later ones are held against, and by how much they differ from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inferometer.loadgen import Interval
from inferometer.runs.result import Session, TestResult

__all__ = ["counterparts", "ratio_interval", "weighted_difference"]

OPEN_INTERVAL = Interval(None, None)


def counterparts(
    session: Session, test: TestResult, baseline: Sequence[Session]
) -> list[TestResult]:
    """Give the tests of the baseline of the same workload, scenario and mode.

    Where the workload was run with several backends, those of the same backend count.
    """
    same = [
        kept
        for kept in baseline
        if kept.workload.get("name") == session.workload.get("name")
        and any(_is_alike(test, other) for other in kept.tests)
    ]
    if len(same) > 1:
        same = [kept for kept in same if kept.backend.get("name") == session.backend.get("name")]
    return [other for kept in same for other in kept.tests if _is_alike(test, other)]


def _is_alike(test: TestResult, other: TestResult) -> bool:
    return (test.scenario, test.mode) == (other.scenario, other.mode)


def weighted_difference(
    value: float, interval: Interval, factor: float, base: float, base_interval: Interval
) -> tuple[float, Interval]:
    """Give ``value - factor * base`` with its interval, from those of two independent figures.

    Each end is as far from the difference as the distances of the two figures' own ends,
    added as squares; it is open where one of those is open.

    Source: Zou and Donner (2008), Construction of confidence limits about effect measures.
    """
    difference = value - factor * base
    down = math.hypot(_below(value, interval), factor * _above(base, base_interval))
    up = math.hypot(_above(value, interval), factor * _below(base, base_interval))
    return difference, Interval(_end(difference - down), _end(difference + up))


def ratio_interval(
    value: float, interval: Interval, base: float, base_interval: Interval
) -> Interval:
    """Give the interval of ``value / base``, in the same way on the scale of logarithms."""
    if min(value, base) <= 0:
        return OPEN_INTERVAL
    logs = [_log(one) for one in (interval, base_interval)]
    _, found = weighted_difference(math.log(value), logs[0], 1.0, math.log(base), logs[1])
    low, high = (None if end is None else math.exp(end) for end in (found.low, found.high))
    return Interval(low, high)


def _log(interval: Interval) -> Interval:
    low, high = interval.low, interval.high
    return Interval(
        math.log(low) if low is not None and low > 0 else None,
        math.log(high) if high is not None and high > 0 else None,
    )


def _below(value: float, interval: Interval) -> float:
    return math.inf if interval.low is None else max(0.0, value - interval.low)


def _above(value: float, interval: Interval) -> float:
    return math.inf if interval.high is None else max(0.0, interval.high - value)


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None
