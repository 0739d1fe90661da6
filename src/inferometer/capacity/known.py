"""Known: what the runs of a search come to, as they are made or as they were recorded."""

from __future__ import annotations

import itertools
from pathlib import Path

from inferometer.capacity.asked import SEARCH, Asked
from inferometer.capacity.found import Found
from inferometer.capacity.recorded import SEARCHING, attempt_of, verification_folder
from inferometer.capacity.search import Measure, Outcome, Search
from inferometer.capacity.trial import Trial
from inferometer.capacity.verifying import Verifying, least_pass_share
from inferometer.runs.folder import write_json

__all__ = ["Known"]


class Known:
    """A search with its verification, and what is said of them; ``trials`` are all runs."""

    def __init__(self, asked: Asked, measure: Measure):
        self.asked = asked
        self.search = Search(asked.goal, measure)
        self.verifying = Verifying(self.search, asked.wishes.verify)
        self.trials: tuple[Trial, ...] = ()

    def count(self, trials: tuple[Trial, ...]) -> None:
        """Count runs that were made before, as if they were made now."""
        self.trials = trials
        for trial in trials:
            if trial.stage == SEARCHING:
                self.search.take(trial.observation)
        has_ended = self.search.has_ended()
        later = [trial for trial in trials if trial.stage != SEARCHING]
        for number, group in itertools.groupby(later, lambda trial: attempt_of(trial.folder)):
            self.verifying.count(number, [trial.observation for trial in group])
        if has_ended and self.asked.wishes.verify and self.search.outcome is not Outcome.NEVER:
            self.verifying.conclude()

    @property
    def found(self) -> Found:
        """What is known by now: the verified load, or with none asked for the given one."""
        search = self.search
        best, verified, place = self.verifying.best, 0, None
        load: float | None = None
        if best is not None:
            load, verified, place = best.load, best.runs, verification_folder(best.attempt)
        elif not self.asked.wishes.verify and search.belief is not None:
            load = search.given if search.outcome not in _NOTHING else None
        belief, share, sure = search.belief, None, None
        if load is not None and belief is not None:
            share = belief.pass_share(load)
            sure = least_pass_share(search, load, is_verified=verified > 0)
        return Found(
            asked=self.asked,
            outcome=search.outcome,
            load=load,
            estimate=search.estimate if belief is not None else None,
            pass_share=share,
            sure_pass_share=sure,
            verified=verified,
            trials=self.trials,
            folder=Path(self.asked.request.output),
            verified_folder=place,
        )

    def write(self) -> None:
        """Write it into the folder of the search."""
        found = self.found
        write_json(found.folder / SEARCH, found.to_mapping())


_NOTHING = (Outcome.NEVER, Outcome.INTERRUPTED)
