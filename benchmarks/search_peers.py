"""Peers of the search: doubling and bisection as textbooks have it, and the published find-peak."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from inferometer.capacity import Observation
from inferometer.loadgen import Scenario, Settings, derive
from inferometer.loadgen.find_peak import FindPeak, PeakSeries

__all__ = ["TOLERANCES", "Answer", "Measure", "bisection", "find_peak"]

TOLERANCES = (0.3, 0.2, 0.1, 0.05, 0.02)
"""Widths of the interval at which bisection ends, as shares of the rate."""

Measure = Callable[[float], Observation]


@dataclass(frozen=True)
class Answer:
    """What a search came to: its runs, the s of load, its best guess, and the rate it gives.

    says:
        Share of reruns that it says pass at the rate, at least.
    """

    runs: int
    seconds: float
    guess: float
    rate: float
    says: float = 0.9


def bisection(measure: Measure, start: float, in_a_row: int = 1) -> list[Answer]:
    """Double or halve until the bound is between two rates, then halve; an answer a tolerance.

    The answer is the highest rate that was met; the best guess the middle of the interval. A
    rate counts as met once so many runs in a row have met it.
    """
    runs: list[Observation] = []

    def met(rate: float) -> bool:
        for _ in range(in_a_row):
            runs.append(measure(rate))
            if not runs[-1].has_met:
                return False
        return True

    low, high = (start, start * 2) if met(start) else (start / 2, start)
    while high > start and met(high):
        low, high = high, high * 2
    while low < start and not met(low):
        low, high = low / 2, low
    answers = []
    for tolerance in TOLERANCES:
        while high / low > 1 + tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if met(middle) else (low, middle)
        seconds = sum(one.seconds for one in runs)
        answers.append(Answer(len(runs), seconds, math.sqrt(low * high), low))
    return answers


def find_peak(measure: Measure, start: float) -> Answer:
    """Search by the published algorithm, from a rate that is met, as it demands."""
    while not measure(start).has_met:
        start /= 2
    runs: list[Observation] = []

    def run(rate: float) -> bool:
        runs.append(measure(rate))
        return runs[-1].has_met

    settings = Settings(scenario=Scenario.SERVER, server_target_qps=start)
    series = PeakSeries(
        lambda _: None, run, lambda: None, lambda: len(runs), lambda _step, _values: None
    )
    best = FindPeak(settings, derive(settings, 1, 1), series).search()
    rate = runs[best or 0].load
    return Answer(len(runs), sum(one.seconds for one in runs), rate, rate)
