"""Found: what a search came to, and every run that it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.capacity.asked import Asked
from inferometer.capacity.question import Question
from inferometer.capacity.search import Estimate, Goal, Outcome
from inferometer.capacity.trial import Trial

__all__ = ["Found"]


@dataclass(frozen=True)
class Found:
    """The highest load within the bound, as far as it was found.

    load:
        The one that is given: at the goal's confidence, its pass share or more of reruns
        pass; ``None`` if there is none.
    estimate:
        Of the highest such load; ``None`` if nothing was run.
    pass_share, sure_pass_share:
        How often a rerun of full length at ``load`` passes: over all that is plausible, and at
        least, with the goal's confidence. No more than the goal's pass share is claimed.
    verified:
        How many runs in a row passed at ``load``.
    """

    asked: Asked
    outcome: Outcome
    load: float | None = None
    estimate: Estimate | None = None
    pass_share: float | None = None
    sure_pass_share: float | None = None
    verified: int = 0
    trials: tuple[Trial, ...] = ()
    folder: Path = Path()
    verified_folder: Path | None = None

    @property
    def question(self) -> Question:
        """What was searched."""
        return self.asked.question

    @property
    def goal(self) -> Goal:
        """How well it was to be known."""
        return self.asked.goal

    @property
    def is_good(self) -> bool:
        """Whether a load was found."""
        return self.load is not None

    @property
    def seconds(self) -> float:
        """How long load was put on the system."""
        return sum(trial.observation.seconds for trial in self.trials)

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        estimate = self.estimate
        return {
            **self.asked.to_mapping(),
            "workload": self.asked.request.workload,
            "backend": self.asked.request.backend,
            "scenario": self.question.scenario.value,
            "era": self.question.settings.era.value,
            "unit": self.question.unit,
            "outcome": self.outcome.value,
            "load": self.load,
            "estimate": None if estimate is None else vars(estimate),
            "pass_share": self.pass_share,
            "sure_pass_share": self.sure_pass_share,
            "verified": self.verified,
            "verified_folder": self.verified_folder and str(self.verified_folder),
            "runs": len(self.trials),
            "seconds": round(self.seconds, 3),
            "trials": [trial.to_mapping() for trial in self.trials],
        }
