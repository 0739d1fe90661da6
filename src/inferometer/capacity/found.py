"""Found: what a search came to, and every run that it was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.capacity.observation import Observation
from inferometer.capacity.question import Question
from inferometer.capacity.search import Estimate, Goal, Outcome

__all__ = ["Found", "Trial"]


@dataclass(frozen=True)
class Trial:
    """A run: what it showed, where its recording lies, and for which stage it was."""

    observation: Observation
    folder: Path
    whole_queries: int
    stage: str

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "stage": self.stage,
            "folder": str(self.folder),
            "whole_queries": self.whole_queries,
            **self.observation.to_mapping(),
        }


@dataclass(frozen=True)
class Found:
    """The highest load within the bound, as far as it was found.

    load:
        The one that is given: at the goal's confidence, its pass share or more of reruns
        pass; ``None`` if there is none.
    estimate:
        Of the highest such load; ``None`` if nothing was run.
    pass_share, sure_pass_share:
        How often a rerun of full length at ``load`` passes: over all that is plausible, and
        at least, with the goal's confidence.
    verified:
        How many runs in a row passed at ``load``.
    """

    workload: str
    backend: str
    question: Question
    goal: Goal
    outcome: Outcome
    load: float | None = None
    estimate: Estimate | None = None
    pass_share: float | None = None
    sure_pass_share: float | None = None
    verified: int = 0
    trials: tuple[Trial, ...] = ()
    folder: Path = Path()
    verified_folder: Path | None = None
    notes: tuple[str, ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)

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
            **self.head,
            "workload": self.workload,
            "backend": self.backend,
            "scenario": self.question.scenario.value,
            "era": self.question.settings.era.value,
            "unit": self.question.unit,
            "bound": vars(self.question.bound),
            "whole_run": {**vars(self.question.length), "by_the_book": self.question.by_the_book},
            "goal": _finite(vars(self.goal)),
            "outcome": self.outcome.value,
            "load": self.load,
            "estimate": None if estimate is None else vars(estimate),
            "pass_share": self.pass_share,
            "sure_pass_share": self.sure_pass_share,
            "verified": self.verified,
            "verified_folder": self.verified_folder and str(self.verified_folder),
            "runs": len(self.trials),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "trials": [trial.to_mapping() for trial in self.trials],
        }


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values with an infinite one as ``None``, as JSON has none."""
    return {name: None if value == float("inf") else value for name, value in values.items()}
