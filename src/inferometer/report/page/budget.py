"""Page budget: how many numbers each test may bring into a page, so that it stays small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.runs import TestResult

__all__ = ["Budget", "budgets"]

_RAW_ROWS = 120_000
_WINDOWS = 160_000
_MOST_WINDOWS = 40_000
_RUNGS = 120_000
_MOST_RUNGS = 8192


@dataclass(frozen=True)
class Budget:
    """What one test may bring: its rows themselves or not, windows a level, and rungs."""

    has_raw: bool = True
    windows: int = _MOST_WINDOWS
    rungs: int = _MOST_RUNGS


def budgets(tests: Sequence[TestResult]) -> list[Budget]:
    """Share the page among its tests; short ones are the first to have their rows in it."""
    sizes = [_rows(test) for test in tests]
    measured = sum(size > 0 for size in sizes) or 1
    windows = min(_MOST_WINDOWS, _WINDOWS // measured)
    rungs = min(_MOST_RUNGS, _RUNGS // measured)
    left, has_raw = _RAW_ROWS, set()
    for number in sorted(range(len(tests)), key=sizes.__getitem__):
        if sizes[number] <= left:
            left -= sizes[number]
            has_raw.add(number)
    return [Budget(number in has_raw, windows, rungs) for number in range(len(tests))]


def _rows(test: TestResult) -> int:
    series = test.recording.performance
    if series is None:
        return 0
    return series.sample_count if series.query_count == 1 else series.query_count
