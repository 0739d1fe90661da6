"""Score: how many runs the searches of one method take, and how far off they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.search_peers import Answer
from benchmarks.search_truth import Truth
from benchmarks.simulated_systems import SimulatedSystem

__all__ = ["Score"]


@dataclass
class Score:
    """Errors of one search method over all systems, by the truth of each."""

    name: str
    answers: list[tuple[Answer, Truth, SimulatedSystem]]

    @property
    def runs(self) -> float:
        """Mean runs of a search."""
        return float(np.mean([answer.runs for answer, _, _ in self.answers]))

    @property
    def errors(self) -> np.ndarray:
        """Logarithmic errors of the best guesses, against the nearer of two capacities.

        A method may aim at the rate at which nine of ten reruns pass, or at that of half.
        """
        by_aim = [
            np.array([abs(math.log(a.guess / truth.capacity(aim))) for a, truth, _ in self.answers])
            for aim in (0.9, 0.5)
        ]
        return min(by_aim, key=lambda errors: float(errors.mean()))

    @property
    def wrong(self) -> float:
        """Give the share of answers whose reruns fail more often than said."""
        return float(np.mean([truth.pass_share(a.rate) < a.says for a, truth, _ in self.answers]))

    def of(self, system: SimulatedSystem) -> Score:
        """Give the part of one system."""
        return Score(self.name, [row for row in self.answers if row[2] is system])

    @property
    def line(self) -> str:
        """Say all of it."""
        passed = np.mean([truth.pass_share(a.rate) for a, truth, _ in self.answers])
        load = np.mean([a.seconds / system.whole_s for a, _, system in self.answers])
        below = np.median([math.log(a.rate / truth.capacity(0.9)) for a, truth, _ in self.answers])
        middle, most = np.quantile(self.errors, [0.5, 0.9])
        return (
            f"{self.name:44s} {self.runs:5.2f} runs, load of {load:5.2f} whole runs; error "
            f"{middle:.1%} median, {self.errors.mean():.1%} mean, {most:.1%} p90; given rate "
            f"{below:+.1%}, reruns pass {passed:.1%}, wrong {self.wrong:.1%}"
        )
