"""Repeated check: in a quick audit, a difference between two short runs isn't one yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from inferometer.submission.audit.performance_check import PerformanceCheck
from inferometer.submission.audit.scores import Score
from inferometer.tuning.gain import FEWEST_PAIRS, Gain, gain_of

__all__ = ["check_repeatedly"]

Measure = Callable[[], Score]
Judge = Callable[[Score, Score], PerformanceCheck]


def check_repeatedly(
    first: PerformanceCheck,
    reference: Measure,
    tested: Measure,
    judge: Judge,
    *,
    two_sided: bool,
) -> PerformanceCheck:
    """Look again at a check that failed, with interleaved pairs of fresh runs.

    It fails only if the whole 95 % interval of the ratio lies beyond the tolerance, or the
    results are INVALID or can't be compared in most pairs. What is given is the pair in the
    middle.
    """
    pairs = [_pair(reference, tested, number) for number in range(FEWEST_PAIRS)]
    checks = sorted((judge(*pair) for pair in pairs), key=_ratio)
    middle = checks[len(checks) // 2]
    gain = gain_of([_speeds(*pair) for pair in pairs])
    assert gain is not None
    note = (
        f"single runs differ ({_ratio(first):.3f} times); {len(pairs)} interleaved pairs come to "
        f"{gain} times"
    )
    is_beyond = _is_beyond(gain, first.tolerance, two_sided=two_sided)
    is_blocked = sum(one.blocks for one in checks) > len(checks) // 2
    if is_beyond or is_blocked:
        reasons = middle.reasons or (f"the interval lies beyond {first.tolerance:.0%}",)
        return dataclasses.replace(middle, reasons=reasons, notes=(*middle.notes, note))
    return dataclasses.replace(middle, reasons=(), notes=(*middle.notes, note))


def _pair(reference: Measure, tested: Measure, number: int) -> tuple[Score, Score]:
    """Run both, every other time in the other order."""
    if number % 2 == 0:
        base = reference()
        return base, tested()
    other = tested()
    return reference(), other


def _speeds(reference: Score, tested: Score) -> tuple[float, float]:
    if reference.is_latency:
        return 1 / max(reference.value, 1.0), 1 / max(tested.value, 1.0)
    return max(reference.value, 1e-9), max(tested.value, 1e-9)


def _ratio(check: PerformanceCheck) -> float:
    return check.test.times_as_good_as(check.reference)


def _is_beyond(gain: Gain, tolerance: float, *, two_sided: bool) -> bool:
    return gain.low > 1 + tolerance or (two_sided and gain.high < 1 - tolerance)
