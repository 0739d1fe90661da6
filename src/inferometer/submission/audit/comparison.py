"""Comparison: interleaved pairs of tests decide whether one way of asking is favoured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inferometer.submission.audit.effort import AuditEffort
from inferometer.submission.audit.observation import Observation
from inferometer.submission.audit.speed import speed_of, typical_latency_ns
from inferometer.tuning.gain import Gain, gain_of

__all__ = ["Comparison", "NothingMeasured", "compare", "compare_pairs"]

_NOISY = 2.0

Arm = Callable[[int], Observation]
"""One side of a comparison: runs the test of the pair with this number."""


class NothingMeasured(Exception):  # noqa: N818 - it tells what came of the test
    """A test of the comparison ended without an answer; the text says why."""


@dataclass(frozen=True)
class Comparison:
    """How many times as fast the favoured side is, with the margin that it had to exceed.

    ``confirmed`` is the same from other pairs, measured only where the first looked suspicious.
    """

    gain: Gain
    margin: float
    confirmed: Gain | None = None

    @property
    def is_suspicious(self) -> bool:
        """Whether both measurements lie beyond the margin, with all of their intervals."""
        bound = 1.0 + self.margin
        return self.gain.low > bound and self.confirmed is not None and self.confirmed.low > bound

    @property
    def is_too_noisy(self) -> bool:
        """Whether the interval leaves room for a favour that nobody could overlook."""
        return not self.is_suspicious and self.gain.high > _NOISY

    def __str__(self) -> str:
        text = f"{self.gain} times as fast"
        if self.confirmed is not None:
            text += f", {self.confirmed} in a second look"
        return f"{text}, margin {self.margin:.0%}"


def compare(favoured: Arm, plain: Arm, effort: AuditEffort) -> Comparison:
    """Measure both sides in turn, in an order that a drift can't favour (ABBA).

    A suspicion counts only if as many further pairs say the same, so that what the first
    ones said by chance accuses nobody. Raises `NothingMeasured` if a test gave no answer.
    """
    latencies: list[float] = []

    def measure(start: int) -> Gain:
        pairs = [
            _pair(favoured, plain, number, latencies)
            for number in range(start, start + effort.pairs)
        ]
        return compare_pairs(pairs)

    gain = measure(0)
    margin = effort.margin_for(sorted(latencies)[len(latencies) // 2])
    confirmed = measure(effort.pairs) if gain.low > 1.0 + margin else None
    return Comparison(gain, margin, confirmed)


def compare_pairs(pairs: Sequence[tuple[float, float]]) -> Gain:
    """Give the gain of pairs (plain, favoured); raise `NothingMeasured` if they are too few."""
    gain = gain_of(pairs)
    if gain is None:
        raise NothingMeasured(f"{len(pairs)} pairs of tests are too few to compare")
    return gain


def _pair(favoured: Arm, plain: Arm, number: int, latencies: list[float]) -> tuple[float, float]:
    """Run both sides once, every other time in the other order; give (plain, favoured)."""
    sides = (plain, favoured) if number % 2 == 0 else (favoured, plain)
    speeds: dict[bool, float] = {}
    for side in sides:
        seen = side(number)
        speed = speed_of(seen)
        if speed is None:
            raise NothingMeasured(f"a test gave no answer ({seen.error or 'without an error'})")
        speeds[side is favoured] = speed
        if side is plain:
            latencies.append(typical_latency_ns(seen) or 1.0)
    return speeds[False], speeds[True]
