"""Verifying: runs in a row at the load that is given, lower if one misses, higher if all pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from inferometer.capacity.observation import Observation
from inferometer.capacity.search import Outcome, Search

__all__ = ["Verified", "Verifying", "least_pass_share"]

_MOST_TRIES = 8
_DEEPEST = 0.6
_UNVERIFIED = 0.2


def least_pass_share(search: Search, load: float, *, is_verified: bool) -> float:
    """Give how often a rerun at a load passes at least, with the goal's confidence.

    No more than the goal's pass share is claimed. The load was chosen by the runs that are to
    tell of it, which may have been lucky: unless others verified it, a fifth of the doubt is
    allowed.
    """
    assert search.belief is not None
    goal = search.goal
    doubt = (1.0 - goal.confidence) * (1.0 if is_verified else _UNVERIFIED)
    return min(goal.pass_share, search.belief.sure_pass_share(load, 1.0 - doubt))


@dataclass(frozen=True)
class Verified:
    """A load at which so many runs in a row passed, and in which try."""

    load: float
    runs: int
    attempt: int


@dataclass
class Verifying:
    """Looks for the highest load at which ``runs`` runs in a row pass; at most eight tries.

    A try begins at the load that the search gives. After a miss it goes lower, by twice the
    step each time; after a pass it climbs to what is believed by then, and after a miss there to
    between the two, as long as that is more than the search's precision above what passed and
    the goal's budget lasts. Every run counts for what is believed.
    """

    search: Search
    runs: int
    passed: list[Verified] = field(default_factory=list)
    _attempts: int = 0
    _begun: tuple[float, int] | None = None
    _missed: float = math.inf
    _misses: int = 0
    _used_s: float = 0.0

    def attempts(self) -> Iterator[tuple[int, float]]:
        """Give the number and the load of a try at a time, for `attempt`.

        The first is one that was begun before, if there is one.
        """
        load = self._begun[0] if self._begun else self._following()
        while load is not None and self._attempts < _MOST_TRIES:
            self._attempts += 1
            yield self._attempts, load
            load = self._following()
        if not self.passed:
            self.search.outcome = Outcome.UNSTABLE

    def conclude(self) -> None:
        """Set the outcome of a search whose tries were all made before."""
        is_over = self._begun is None and (self._attempts >= _MOST_TRIES or not self._following())
        if not is_over:
            self.search.outcome = Outcome.INTERRUPTED
        elif not self.passed:
            self.search.outcome = Outcome.UNSTABLE

    def attempt(self, load: float) -> None:
        """Run at a load until one misses, or all passed."""
        passed = self._begun[1] if self._begun else 0
        self._begun = None
        while passed < self.runs:
            if not self._take(self.search.measure(load)):
                return
            passed += 1
        self._pass(load)

    def count(self, number: int, observations: Sequence[Observation]) -> None:
        """Count the runs of a try that was made before; one that was cut off is gone on with."""
        load = observations[0].load
        met = [self._take(one) for one in observations]
        if not all(met):
            self._attempts = number
        elif len(observations) < self.runs:
            self._begun, self._attempts = (load, len(observations)), number - 1
        else:
            self._attempts = number
            self._pass(load)

    def run(self) -> Verified | None:
        """Try until nothing higher is worth a try; give the best."""
        for _, load in self.attempts():
            self.attempt(load)
        return self.best

    def _take(self, one: Observation) -> bool:
        self.search.take(one)
        self._used_s += one.seconds
        if not one.has_met:
            self._missed = min(self._missed, one.load)
            self._misses += 1
        return one.has_met

    def _pass(self, load: float) -> None:
        self.passed.append(Verified(load, self.runs, self._attempts))
        # What missed before may have been bad luck: what is believed by now weighs it.
        self._missed = math.inf

    def _following(self) -> float | None:
        if self._attempts:
            return self._next()
        # A system too noisy for any load to be given may still pass somewhere.
        least = self.search.estimate.middle * (1.0 - _DEEPEST)
        return max(self.search.given, self.search.fitting(least))

    @property
    def best(self) -> Verified | None:
        """The highest load that passed and passes as often as asked for; else the surest."""
        if not self.passed:
            return None
        sure = {one: self._sure(one) for one in self.passed}
        good = [one for one in self.passed if sure[one] >= self.search.goal.pass_share]
        if good:
            return max(good, key=lambda one: one.load)
        return max(self.passed, key=lambda one: sure[one])

    def _next(self) -> float | None:
        """Give the next load, or ``None`` if no other one is worth a try."""
        search, goal, best = self.search, self.search.goal, self.best
        if best is None:
            return self._after_a_miss()
        # With nothing verified yet each step is lower; from here on it may be higher again.
        upper = min(search.given, self._missed * (1.0 - goal.precision / 2))
        if self._sure(best) < goal.pass_share:
            lower = search.fitting(max(upper, best.load * (1.0 - _DEEPEST)))
            return lower if lower < min(one.load for one in self.passed) else None
        load = search.fitting(math.floor(upper) if goal.is_whole else upper)
        least = best.load + 1.0 if goal.is_whole else 0.0
        is_higher = load >= max(least, best.load * (1.0 + goal.precision))
        return load if is_higher and self._used_s < goal.budget_s else None

    def _after_a_miss(self) -> float | None:
        """Go lower, to what is believed; but a single miss says far too much of the noise."""
        goal = self.search.goal
        if self._missed <= goal.least:
            return None
        step = min(_DEEPEST, goal.precision * 2**self._misses)
        low, high = self._missed * (1.0 - step), self._missed * (1.0 - goal.precision)
        load = self.search.fitting(min(max(self.search.given, low), high))
        return max(goal.least, self._missed - 1.0) if load >= self._missed else load

    def _sure(self, one: Verified) -> float:
        return least_pass_share(self.search, one.load, is_verified=True)
