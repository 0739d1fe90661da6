"""Accuracy asked: what a round asks of the accuracy of one result, and how it is computed anew."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds import Benchmark, Round
from inferometer.submission.checking.truth import Truth

__all__ = ["JUDGED_TASKS", "AccuracyAsked"]

JUDGED_TASKS = ("classification", "detection", "translation")
"""Tasks whose accuracy can be judged."""


@dataclass(frozen=True)
class AccuracyAsked:
    """What is asked of an accuracy run.

    benchmark, scenario:
        ``None`` for one that the round doesn't know.
    is_closed:
        Whether targets are judged, or only noted.
    is_demo:
        Whether a smaller data set than the benchmark's is let pass.
    """

    round: Round
    benchmark: Benchmark | None
    scenario: Scenario | None
    truth: Truth
    is_closed: bool
    is_demo: bool

    @property
    def task(self) -> str:
        """The task of the benchmark; empty if that isn't known."""
        return self.benchmark.task if self.benchmark else ""

    @property
    def dataset_size(self) -> int | None:
        """Samples of the data set; ``None`` where nobody knows, or a demonstration may choose."""
        return self.benchmark.dataset_size if self.benchmark and not self.is_demo else None

    @property
    def is_padded(self) -> bool:
        """Whether queries are filled up with samples that come again."""
        return self.scenario is Scenario.MULTI_STREAM

    @property
    def sample_count(self) -> int | None:
        """Samples that LoadGen has to be set to; ``None`` where the round doesn't ask."""
        if self.benchmark is None or self.is_demo or self.round.era.is_v05:
            return None
        name = self.scenario.value if self.scenario else ""
        return self.benchmark.accuracy_sample_count.get(name, self.benchmark.dataset_size)
