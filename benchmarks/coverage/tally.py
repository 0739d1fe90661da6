"""Tally: how often a statement was right, beside how often it says that it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from numpy.random import Generator

from inferometer.loadgen import Interval

__all__ = ["Check", "Experiment", "Outcome", "Tally", "outcome_of", "single"]

_ALLOWED = 0.01


@dataclass(frozen=True)
class Outcome:
    """One trial: whether it was right, and whether an end of the interval was open."""

    is_right: bool
    is_open: bool = False


@dataclass(frozen=True)
class Check:
    """Something that is stated.

    stated:
        How often it is right.
    why_more:
        Why it may be right more often than that; empty where it may not.
    """

    group: str
    name: str
    stated: float = 0.95
    why_more: str = ""


@dataclass(frozen=True)
class Experiment:
    """Trials of one or several checks on the same data.

    trials:
        Gives outcomes, each with the number of its check, of so many runs from a random
        source.
    """

    checks: tuple[Check, ...]
    runs: int
    trials: Callable[[Generator, int], Iterator[tuple[int, Outcome]]]


@dataclass(frozen=True)
class Tally:
    """How the trials of a check came out."""

    right: int
    total: int
    open: int

    @property
    def measured(self) -> float:
        """How often it was right."""
        return self.right / self.total

    def simulation_error(self, stated: float) -> float:
        """Give the standard error of that, if the statement is true."""
        return math.sqrt(stated * (1.0 - stated) / self.total)

    def is_met(self, check: Check) -> bool:
        """Tell whether it is right as often as stated, within a point and a standard error."""
        margin = _ALLOWED + self.simulation_error(check.stated)
        if self.measured < check.stated - margin:
            return False
        # Beyond a point's worth of them, open ends are a reason to be right more often.
        may_be_more = bool(check.why_more) or self.open > _ALLOWED * self.total
        return may_be_more or self.measured <= check.stated + margin


def outcome_of(interval: Interval, truth: float) -> Outcome:
    """Say whether an interval holds the truth; an open end holds everything beyond it."""
    low, high = interval.low, interval.high
    is_right = (low is None or low <= truth) and (high is None or truth <= high)
    return Outcome(is_right, low is None or high is None)


def single(
    group: str, name: str, runs: int, trial: Callable[[Generator], Outcome], why_more: str = ""
) -> Experiment:
    """Give the experiment of one check, each trial of which is drawn by itself."""

    def trials(source: Generator, count: int) -> Iterator[tuple[int, Outcome]]:
        for _ in range(count):
            yield 0, trial(source)

    return Experiment((Check(group, name, 0.95, why_more),), runs, trials)
