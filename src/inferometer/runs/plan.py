"""Plan of a session: its tests in the order in which they are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen import Mode, Scenario
from inferometer.runs.request import RunRequest
from inferometer.runs.result import MODE_WORDS

__all__ = ["EXECUTION_ORDER", "PlannedTest", "planned_tests"]

# Offline first: its throughput sizes what comes after it.
EXECUTION_ORDER = (
    Scenario.OFFLINE,
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.MULTI_STREAM_FREE,
    Scenario.SERVER,
)


@dataclass(frozen=True)
class PlannedTest:
    """A test that is to be run.

    number, runs:
        Which of how many runs of the same kind it is, from 1.
    """

    scenario: Scenario
    mode: Mode
    number: int
    runs: int

    @property
    def kind(self) -> str:
        """What it is called together with the others of its kind."""
        return f"{self.scenario.value} {MODE_WORDS[self.mode]}"

    @property
    def name(self) -> str:
        """What it is called by itself."""
        return f"{self.kind} {self.number}" if self.runs > 1 else self.kind

    @property
    def place(self) -> Path:
        """Its folder within the session's."""
        folder = Path(self.scenario.value) / MODE_WORDS[self.mode]
        return folder / f"run_{self.number}" if self.mode is Mode.PERFORMANCE else folder


def planned_tests(request: RunRequest, modes: Sequence[Mode]) -> list[PlannedTest]:
    """Give the tests of a request in these modes, each scenario by itself, accuracy first."""
    planned: list[PlannedTest] = []
    for scenario in sorted(request.chosen_scenarios, key=EXECUTION_ORDER.index):
        for mode in modes:
            runs = request.runs_of(scenario, mode)
            planned.extend(PlannedTest(scenario, mode, number + 1, runs) for number in range(runs))
    return planned
