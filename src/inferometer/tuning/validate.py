"""Validation: default and winner side by side on fresh runs, which nothing was chosen by."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.tuning.gain import FEWEST_PAIRS

__all__ = ["MOST_PAIRS", "measured_pairs"]

MOST_PAIRS = 20
_WANTED_PAIRS = 12
_KEPT_FREE = 0.97

Run = Callable[[float, int], float | None]
"""Runs for so many seconds, as number so and so; gives how good it was."""


def measured_pairs(
    default: Run,
    winner: Run,
    seconds: float,
    least_s: float,
    most_s: float,
    clock: Callable[[], float],
) -> list[tuple[float, float]]:
    """Run both in turns, ABBA, and give the pairs (default, winner).

    How many pairs there are depends on the time alone, never on what they show. The first
    pair tells what loading costs; the others are sized so that about twelve fit, at least
    six as long as runs of ``least_s`` allow it. A pair that would end too late isn't begun.
    """
    end_s = clock() + seconds
    each_s = max(least_s, min(most_s, seconds / (2 * _WANTED_PAIRS)))
    pairs: list[tuple[float, float]] = []
    expected_s = 0.0
    while len(pairs) < MOST_PAIRS:
        begun = clock()
        if pairs and begun + expected_s > end_s:
            break
        values = _pair(default, winner, each_s, len(pairs))
        if values is None:
            return []
        pairs.append(values)
        took_s = clock() - begun
        expected_s = max(expected_s, took_s)
        if len(pairs) == 1:
            overhead_s = max(0.0, took_s - 2 * each_s)
            each_s = _fitting(each_s, overhead_s, end_s - clock(), least_s)
            expected_s = overhead_s + 2 * each_s
    return pairs


def _pair(default: Run, winner: Run, each_s: float, number: int) -> tuple[float, float] | None:
    order = (default, winner) if number % 2 == 0 else (winner, default)
    first = order[0](each_s, number)
    second = order[1](each_s, number)
    if first is None or second is None:
        return None
    return (first, second) if number % 2 == 0 else (second, first)


def _fitting(each_s: float, overhead_s: float, left_s: float, least_s: float) -> float:
    """Give how long a run may last so that enough pairs fit, each with what loading costs."""
    left_s *= _KEPT_FREE
    room_s = left_s / (_WANTED_PAIRS - 1) - overhead_s
    if room_s < 2 * least_s:
        room_s = left_s / (FEWEST_PAIRS - 1) - overhead_s
    return min(each_s, max(least_s, room_s / 2))
