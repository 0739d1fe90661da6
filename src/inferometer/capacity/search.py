"""Search: the highest load that keeps the bound, found with as few runs as it takes."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from inferometer.capacity.belief import Belief, believe
from inferometer.capacity.observation import Observation

__all__ = ["Estimate", "Goal", "Outcome", "Search"]

Measure = Callable[[float, float], Observation]

_SHORT = 1 / 4
_SHORT_ABOVE = 0.3
_MOST_STEP = 8.0
_LEAST_STEP = 1.25
_BELOW = 0.97
_FEWEST_WHOLE = 2


@dataclass(frozen=True)
class Goal:
    """What is looked for, and how well it is to be known.

    pass_share:
        How many reruns of full length have to pass at the load that is given.
    confidence:
        That at least so many do, and that the capacity lies in the interval's one-sided ends.
    precision:
        The interval is at most twice this wide, as a share of the load.
    least, most:
        Loads beyond which nothing is tried.
    is_whole:
        Whether loads are whole numbers, as samples per query are.
    most_runs, budget_s:
        The search ends after so many runs, or so many seconds of load, precise or not.
    """

    start: float
    least: float
    most: float
    pass_share: float = 0.9
    confidence: float = 0.95
    precision: float = 0.02
    is_whole: bool = False
    most_runs: int = 10
    budget_s: float = math.inf


class Outcome(enum.Enum):
    """How a search ended."""

    FOUND = "found"
    NOT_PRECISE = "not precise"
    NEVER = "no load meets the bound"
    UNBOUNDED = "every load meets the bound"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Estimate:
    """The highest load at which enough reruns pass: what is sure, likely and possible.

    low, high:
        One-sided ends, each at the goal's confidence.
    """

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, belief: Belief, goal: Goal) -> Estimate:
        """Read it from what is believed."""
        loads = belief.highest_loads(goal.pass_share)
        low, middle, high = np.quantile(loads, [1 - goal.confidence, 0.5, goal.confidence])
        return cls(float(low), float(middle), float(high))

    @property
    def half_width(self) -> float:
        """Half the interval's width on the logarithmic scale."""
        return math.log(self.high / self.low) / 2


@dataclass
class Search:
    """Looks for the highest load, a run at a time; what was seen stays if it is interrupted.

    ``measure`` runs at a load for a part of a whole run's length.
    """

    goal: Goal
    measure: Measure
    observations: list[Observation] = field(default_factory=list)
    outcome: Outcome = Outcome.INTERRUPTED
    belief: Belief | None = None

    def run(self) -> Outcome:
        """Run until the goal is reached, or what it allows is used up."""
        load, length = self._fitting(self.goal.start), _SHORT
        while True:
            self.take(self.measure(load, length))
            outcome = self._ended()
            if outcome is not None:
                self.outcome = outcome
                return outcome
            estimate = self.estimate
            load = self._next(estimate)
            length = 1.0

    def take(self, one: Observation) -> None:
        """Learn from a run."""
        self.observations.append(one)
        self.belief = believe(self.observations)

    @property
    def estimate(self) -> Estimate:
        """What is known of the capacity now."""
        assert self.belief is not None
        return Estimate.of(self.belief, self.goal)

    def _ended(self) -> Outcome | None:
        last, goal = self.observations[-1], self.goal
        if not last.has_met and last.load <= goal.least:
            return Outcome.NEVER
        if last.has_met and last.load >= goal.most and last.is_whole:
            return Outcome.UNBOUNDED
        if self._is_precise(self.estimate):
            return Outcome.FOUND
        used_s = sum(one.seconds for one in self.observations)
        if len(self.observations) >= goal.most_runs or used_s >= goal.budget_s:
            return Outcome.NOT_PRECISE
        return None

    def _is_precise(self, estimate: Estimate) -> bool:
        whole = [one for one in self.observations if one.is_whole and not one.was_stopped]
        if len(whole) < _FEWEST_WHOLE:
            return False
        if self.goal.is_whole and math.floor(estimate.low) == math.floor(estimate.high):
            return True
        return estimate.half_width <= self.goal.precision

    def _next(self, estimate: Estimate) -> float:
        """Choose where to run next: where the capacity is thought to be, a step at a time."""
        met = [one.load for one in self.observations if one.has_met]
        missed = [one.load for one in self.observations if not one.has_met]
        load = estimate.middle
        if not met:
            lowest = min(missed)
            load = min(max(load, lowest / _MOST_STEP), lowest / _LEAST_STEP)
        elif not missed:
            highest = max(met)
            load = min(max(load, highest * 1.02), highest * _MOST_STEP)
        return self._fitting(load)

    def _fitting(self, load: float) -> float:
        load = min(max(load, self.goal.least), self.goal.most)
        return float(max(1, round(load))) if self.goal.is_whole else _rounded(load)


def _rounded(load: float) -> float:
    """Give a load with four digits: more say nothing."""
    digits = 3 - math.floor(math.log10(load))
    return round(load, digits)


def whole_runs(observations: Iterable[Observation]) -> list[Observation]:
    """Give the runs that count as reruns."""
    return [one for one in observations if one.is_whole]
