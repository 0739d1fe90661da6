"""Tally: how often a statement was right, beside how often it says that it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from numpy.random import Generator

from inferometer.loadgen import Interval

__all__ = ["Check", "Outcome", "Tally", "outcome_of"]

_ALLOWED = 0.01
_ERRORS = 2.0


@dataclass(frozen=True)
class Outcome:
    """One trial: whether it was right, and whether an end of the interval was open."""

    is_right: bool
    is_open: bool = False


@dataclass(frozen=True)
class Check:
    """Something that is stated, and trials of it.

    stated:
        How often it is right.
    why_more:
        Why it may be right more often than that; empty where it may not.
    trial:
        Gives one outcome, or several of the same kind, from a random source.
    """

    group: str
    name: str
    stated: float
    runs: int
    trial: Callable[[Generator], Iterator[Outcome]]
    why_more: str = ""


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
        """Tell whether it is right as often as stated, within a point and two standard errors."""
        margin = _ALLOWED + _ERRORS * self.simulation_error(check.stated)
        if self.measured < check.stated - margin:
            return False
        may_be_more = bool(check.why_more or self.open)
        return may_be_more or self.measured <= check.stated + margin


def outcome_of(interval: Interval, truth: float) -> Outcome:
    """Say whether an interval holds the truth; an open end holds everything beyond it."""
    low, high = interval.low, interval.high
    is_right = (low is None or low <= truth) and (high is None or truth <= high)
    return Outcome(is_right, low is None or high is None)
