"""Search: the highest load that keeps the bound, found with as few runs as it takes."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from inferometer.capacity.belief import Belief, believe
from inferometer.capacity.observation import Observation

__all__ = ["Estimate", "Goal", "Outcome", "Search"]

Measure = Callable[[float], Observation]

_MOST_STEP = 6.0
_STEP = 1.5
_MET_STEP = 2.5
_SMALL_STEP = 1.02
_ROUGH = 0.1
_NARROW = 1.1
_SKEWED = 3.0
_ASIDE = 0.88
_MARGIN = 0.3
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
    saturation:
        About the load that the system answers when it has all at once, where that is known.
    most_runs, budget_s:
        The search ends after so many runs, or so many seconds of load, precise or not.
    """

    start: float
    least: float
    most: float
    pass_share: float = 0.9
    confidence: float = 0.95
    precision: float = 0.1
    is_whole: bool = False
    saturation: float | None = None
    most_runs: int = 15
    budget_s: float = math.inf


class Outcome(enum.Enum):
    """How a search ended."""

    FOUND = "found"
    NOT_PRECISE = "not as precise as asked for"
    NEVER = "no load meets the bound"
    UNBOUNDED = "every load meets the bound"
    UNSTABLE = "no load passed as often as asked for"
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
        low = np.quantile(loads, 1 - goal.confidence, method="lower")
        middle, high = np.quantile(loads, [0.5, goal.confidence])
        return cls(float(low), float(middle), float(high))

    @property
    def half_width(self) -> float:
        """Half the interval's width on the logarithmic scale."""
        return math.log(self.high / self.low) / 2


@dataclass
class Search:
    """Looks for the highest load, a run at a time; what was seen stays if it is interrupted.

    ``measure`` runs in full length at a load, or until it has surely missed its bound.
    """

    goal: Goal
    measure: Measure
    observations: list[Observation] = field(default_factory=list)
    outcome: Outcome = Outcome.INTERRUPTED
    belief: Belief | None = None

    def run(self) -> Outcome:
        """Run until the goal is reached, or what it allows is used up; go on if some was run."""
        while not self.has_ended():
            is_first = not self.observations
            load = self.fitting(self.goal.start) if is_first else self._next(self.estimate)
            self.take(self.measure(load))
        return self.outcome

    def has_ended(self) -> bool:
        """Whether what was run suffices; the outcome then says how it ended."""
        outcome = self._ended() if self.observations else None
        if outcome is not None:
            self.outcome = outcome
        return outcome is not None

    @property
    def given(self) -> float:
        """The load at which, with the goal's confidence, enough reruns pass."""
        low = self.estimate.low
        if self.outcome is Outcome.UNBOUNDED:
            low = self.goal.most
        low = min(max(low, self.goal.least), self.goal.most)
        return float(math.floor(low)) if self.goal.is_whole else _rounded(low, up=False)

    def take(self, one: Observation) -> None:
        """Learn from a run."""
        self.observations.append(one)
        self.belief = believe(self.observations, self.goal.saturation)

    @property
    def estimate(self) -> Estimate:
        """What is known of the capacity now."""
        assert self.belief is not None
        return Estimate.of(self.belief, self.goal)

    def _ended(self) -> Outcome | None:
        last, goal = self.observations[-1], self.goal
        if not last.has_met and last.load <= goal.least:
            has_met = any(one.has_met for one in self.observations)
            return Outcome.NOT_PRECISE if has_met else Outcome.NEVER
        if last.has_met and last.load >= goal.most:
            return Outcome.UNBOUNDED
        if self._is_precise(self.estimate):
            return Outcome.FOUND
        used_s = sum(one.seconds for one in self.observations)
        if len(self.observations) >= goal.most_runs or used_s >= goal.budget_s:
            return Outcome.NOT_PRECISE
        return None

    def _is_precise(self, estimate: Estimate) -> bool:
        whole = [one for one in self.observations if one.length >= 1.0]
        if len(whole) < _FEWEST_WHOLE:
            return False
        if self.goal.is_whole and math.floor(estimate.low) == math.floor(estimate.high):
            return True
        return estimate.half_width <= self.goal.precision

    def _next(self, estimate: Estimate) -> float:
        """Choose where to run next: where the capacity is thought to be, a step at a time.

        While little is known, each run is kept well within the loads between which the bound
        is missed for the first time, so that a wrong idea of the curve costs one run at most.
        """
        met = max((one.load for one in self.observations if one.has_met), default=0.0)
        missed = min(
            (_most_of(one) for one in self.observations if not one.has_met), default=math.inf
        )
        load = estimate.middle
        if not met:
            load = min(max(load, missed / _MOST_STEP), missed / _STEP)
        elif missed == math.inf:
            step = _MET_STEP if estimate.half_width > _ROUGH else _SMALL_STEP
            load = min(max(load, met * step), met * _MOST_STEP)
        elif missed > met * _NARROW and estimate.half_width > _ROUGH:
            inside = math.log(missed / met) * _MARGIN
            load = min(max(load, met * math.exp(inside)), missed / math.exp(inside))
        elif math.log(load / estimate.low) > _SKEWED * math.log(estimate.high / load):
            # Runs near the capacity don't tell a steep curve from a flat and noisy one.
            load = max(math.sqrt(load * estimate.low), load * _ASIDE)
        return self.fitting(load)

    def fitting(self, load: float) -> float:
        """Give the nearest load that may be tried."""
        load = min(max(load, self.goal.least), self.goal.most)
        return float(max(1, round(load))) if self.goal.is_whole else _rounded(load)


def _most_of(one: Observation) -> float:
    """Give the load that a run which missed shows to be too much."""
    return one.load if one.served is None else min(one.load, one.served)


def _rounded(load: float, *, up: bool = True) -> float:
    """Give a load with four digits, the nearest or the one below: more say nothing."""
    digits = 3 - math.floor(math.log10(load))
    nearest = round(load, digits)
    is_above = not up and nearest > load
    return round(nearest - 10.0**-digits, digits) if is_above else nearest
