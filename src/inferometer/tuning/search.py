"""Search: races of alternatives against what is best so far, one axis after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Generic, TypeVar

__all__ = ["Axis", "Found", "Limits", "Measure", "Search"]

T = TypeVar("T")

Measure = Callable[[T, float, int], float | None]
"""Measures a candidate for so many seconds: how good it is (more is better), ``None`` if it
can't run. The last argument numbers the lap: candidates of one lap are to be treated alike."""

_SWEEP_SHARE = 0.7
_FINAL_SHARE = 0.2
_ERROR_OF_ONE = 0.2
_ERROR_PER_DEVIATION = 1.86  # of a normal distribution: 1.2533 × 1.4826
_MOST_REPEATS = 8
_OVERHEADS_LOOKED_AT = 20
_HOPELESS = {False: math.log(0.4), True: math.log(0.7)}
"""Log ratio below which a candidate is given up: after one lap, and after the way back."""


@dataclass(frozen=True)
class Axis(Generic[T]):
    """One thing that can be changed; gives the alternatives to a candidate, likely ones first."""

    name: str
    alternatives: Callable[[T], list[T]]


@dataclass(frozen=True)
class Limits:
    """What a search may spend.

    seconds:
        Time for the whole search; it ends with the trial during which they are used up.
    least_s, usual_s:
        Shortest that a trial is asked to last, and how long where there is time: it is then
        repeated, since many short trials in turns bear a machine that changes its speed
        better than a few long ones.
    margin:
        How much better than the best so far an alternative has to be: 0.02 is 2 %.
    """

    seconds: float
    least_s: float = 0.1
    usual_s: float = 0.25
    margin: float = 0.02


@dataclass(frozen=True)
class Found(Generic[T]):
    """What a search came to.

    advantage:
        How many times as good as the start the best appeared to be. It is the best of many
        tries and therefore too high: only fresh measurements tell the gain.
    tried, left_out:
        Alternatives that were measured, and those for which there was no time.
    """

    best: T
    advantage: float
    tried: int
    left_out: int
    failed: tuple[T, ...] = ()


@dataclass
class _Entrant(Generic[T]):
    """A candidate in a race, with its log ratios to the best so far, one a lap."""

    candidate: T
    ratios: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median ratio: laps that were disturbed don't count for more."""
        return median(self.ratios)

    @property
    def cautious(self) -> float:
        """The median less its standard error; less a good deal where there is but one ratio."""
        if len(self.ratios) < 2:
            return self.middle - _ERROR_OF_ONE
        deviation = median(abs(ratio - self.middle) for ratio in self.ratios)
        return self.middle - _ERROR_PER_DEVIATION * deviation / math.sqrt(len(self.ratios))


class Search(Generic[T]):
    """Goes along the axes, again and again, until nothing is better or the time is used up.

    Along an axis the alternatives race against the best so far by successive halving: in
    each round all that are left are measured in some order and then backwards, so that a
    machine that becomes slower or faster treats them alike, as often as there is time for; the
    better half stays and is measured more often. Candidates are only compared within a lap.
    At the end those that were the best for a while race against the start, in a fifth of the
    time kept for that: small steps that were but noise don't add up.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification, 2016.
    """

    def __init__(
        self,
        measure: Measure[T],
        limits: Limits,
        clock: Callable[[], float],
        tell: Callable[[str], None] = lambda _: None,
        describe: Callable[[T], str] = str,
    ):
        self._measure = measure
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._describe = describe
        self._deadline = clock() + limits.seconds
        self._lap_number = 0
        self._tried: list[T] = []
        self._failed: list[T] = []
        self._left_out = 0
        self._overheads_s: list[float] = []

    def run(self, start: T, axes: Sequence[Axis[T]]) -> Found[T]:
        """Search from a candidate; it stays the best unless another shows to be better."""
        path = [start]
        raced_with: dict[str, T] = {}
        final_s = self._limits.seconds * _FINAL_SHARE
        while self._left_s() > final_s:
            waiting = [axis for axis in axes if raced_with.get(axis.name) != path[-1]]
            if not waiting:
                break
            sweep_s = (self._left_s() - final_s) * _SWEEP_SHARE
            weights = [1 + len(self._open(axis, path[-1])) for axis in waiting]
            for axis, weight in zip(waiting, weights, strict=True):
                if self._left_s() <= final_s:
                    break
                share_s = sweep_s * weight / sum(weights)
                winner, _ = self._race(axis.name, path[-1], self._open(axis, path[-1]), share_s)
                raced_with[axis.name] = winner
                if winner != path[-1]:
                    path.append(winner)
        best, advantage = self._final(start, path)
        return Found(
            best, math.exp(advantage), len(self._tried), self._left_out, tuple(self._failed)
        )

    def _final(self, start: T, path: list[T]) -> tuple[T, float]:
        """Race those that were the best, the last ones first, against the start."""
        rivals: list[T] = []
        for candidate in reversed(path):
            if candidate != start and candidate not in rivals:
                rivals.append(candidate)
        if not rivals:
            return start, 0.0
        left_out = self._left_out
        found = self._race("final", start, rivals, self._left_s())
        self._left_out = left_out
        return found

    def _left_s(self) -> float:
        return self._deadline - self._clock()

    def _cost_s(self) -> float:
        """Give what the shortest trial takes: loading and starting come on top."""
        seen = self._overheads_s[-_OVERHEADS_LOOKED_AT:]
        return self._limits.least_s + (sum(seen) / len(seen) if seen else 0.0)

    def _open(self, axis: Axis[T], best: T) -> list[T]:
        return [other for other in axis.alternatives(best) if other not in self._failed]

    def _race(self, name: str, best: T, alternatives: list[T], seconds: float) -> tuple[T, float]:
        """Race alternatives; give the best, and its log ratio to the best so far."""
        fitting = max(1, int(seconds / (2 * self._cost_s())) - 1)
        self._left_out += len(alternatives[fitting:])
        entrants = [_Entrant(candidate) for candidate in alternatives[:fitting]]
        if not entrants or self._left_s() <= 0:
            return best, 0.0
        for entrant in entrants:
            if entrant.candidate not in self._tried:
                self._tried.append(entrant.candidate)
        finalists = self._rounds(best, entrants, self._clock() + seconds)
        winner = max(finalists, key=lambda one: one.cautious, default=None)
        if winner is None or winner.cautious <= math.log1p(self._limits.margin):
            self._tell(f"{name}: nothing better among {len(alternatives[:fitting])}")
            return best, 0.0
        better = f"seems {math.exp(winner.middle):.2f} times as good"
        self._tell(f"{name}: {self._describe(winner.candidate)} {better}")
        return winner.candidate, winner.middle

    def _rounds(self, best: T, entrants: list[_Entrant[T]], end_s: float) -> list[_Entrant[T]]:
        """Halve the field until one is left or the time is over; give who is left."""
        rounds = 1 + math.ceil(math.log2(len(entrants)))
        for number in range(rounds):
            left_s = end_s - self._clock()
            if number and left_s <= 0:
                break
            once_s = left_s / (rounds - number) / (2 * (len(entrants) + 1))
            each_s = min(max(once_s, self._limits.least_s), self._limits.usual_s)
            for _ in range(min(max(1, int(once_s / each_s)), _MOST_REPEATS)):
                entrants = self._there_and_back(best, entrants, each_s, end_s)
                if not entrants or self._left_s() <= 0:
                    return entrants
                if self._clock() >= end_s:
                    break
            if number < rounds - 1:
                entrants.sort(key=lambda one: -one.middle)
                entrants = entrants[: math.ceil(len(entrants) / 2)]
        return entrants

    def _there_and_back(
        self, best: T, entrants: list[_Entrant[T]], each_s: float, end_s: float
    ) -> list[_Entrant[T]]:
        """Measure all twice, or once if the time is over; give those that aren't hopeless."""
        for is_backwards in (False, True):
            self._lap(best, entrants, each_s, is_backwards=is_backwards)
            least = _HOPELESS[is_backwards]
            entrants = [one for one in entrants if one.ratios and one.middle > least]
            if not entrants or self._clock() >= end_s:
                break
        return entrants

    def _lap(
        self, best: T, entrants: list[_Entrant[T]], each_s: float, *, is_backwards: bool
    ) -> None:
        """Measure the best so far and every entrant once, as long as there is time."""
        self._lap_number += 1
        reference: float | None = None
        values: list[tuple[_Entrant[T], float]] = []
        field_of_lap: list[_Entrant[T] | None] = [None, *entrants]
        # A new order each time, lest the machine's own rhythm always meets the same ones.
        Random(self._lap_number - is_backwards).shuffle(field_of_lap)  # noqa: S311
        for entrant in reversed(field_of_lap) if is_backwards else field_of_lap:
            if self._left_s() <= 0:
                break
            candidate = best if entrant is None else entrant.candidate
            begun = self._clock()
            value = self._measure(candidate, each_s, self._lap_number)
            self._overheads_s.append(max(0.0, self._clock() - begun - each_s))
            if entrant is None:
                reference = value
            elif value is None or value <= 0:
                self._drop(entrant, entrants)
            else:
                values.append((entrant, value))
        if reference is not None and reference > 0:
            for entrant, value in values:
                entrant.ratios.append(math.log(value / reference))

    def _drop(self, entrant: _Entrant[T], entrants: list[_Entrant[T]]) -> None:
        self._failed.append(entrant.candidate)
        entrants.remove(entrant)
