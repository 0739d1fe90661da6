"""Run requests: everything that a session of runs is asked to do, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from inferometer.backends import BackendOptions
from inferometer.loadgen import Mode, Scenario, SeriesProgress
from inferometer.logs import ConfigTable
from inferometer.rounds import Round
from inferometer.runs.effort import Effort
from inferometer.runs.result import TestResult
from inferometer.workloads import WorkloadOptions

__all__ = ["Listener", "RunRequest", "ServingOptions"]


@dataclass(frozen=True)
class ServingOptions:
    """How queries reach the model; ``None`` leaves a choice to the scenario.

    kind:
        ``inline`` answers on the issue thread, ``pool`` on workers that form batches. The
        default is inline for SingleStream and a pool for the others.
    workers:
        Worker threads of the pool; by default one for each usable core.
    """

    kind: str | None = None
    workers: int | None = None
    max_batch_size: int = 32
    max_wait_ms: float = 0.0


@dataclass(frozen=True)
class RunRequest:
    """Everything that a session of runs is asked to do.

    settings:
        Gives the settings that override the others, for each scenario.
    round:
        Run by the book of this round; ``None`` for a quick run.
    accuracy_scenarios:
        Scenarios in which accuracy is measured; ``None`` for all that are run.
    user_conf:
        A ``user.conf`` in the published format; comes before ``settings``.
    enable_trace:
        Write a trace for Perfetto beside the other log files.
    """

    workload: str
    output: Path
    workload_options: WorkloadOptions = field(default_factory=WorkloadOptions)
    backend: str = "onnxruntime"
    backend_options: BackendOptions = field(default_factory=BackendOptions)
    serving: ServingOptions = field(default_factory=ServingOptions)
    scenarios: tuple[Scenario, ...] = ()
    modes: tuple[Mode, ...] = (Mode.ACCURACY, Mode.PERFORMANCE)
    accuracy_scenarios: tuple[Scenario, ...] | None = None
    effort: Effort = field(default_factory=Effort)
    round: Round | None = None
    user_conf: ConfigTable | None = None
    enable_trace: bool = False
    settings: Callable[[Scenario], Mapping[str, Any]] = lambda _: {}
    command: str = ""

    @property
    def label(self) -> str:
        """How the runs are labelled: quick, or the round, and whether its settings changed."""
        if self.round is None:
            return "quick"
        changed = any(self.settings(scenario) for scenario in self.chosen_scenarios)
        return f"round {self.round.name}" + (", changed settings" if changed else "")

    @property
    def chosen_scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios asked for; by default those of the round, or all current ones."""
        if self.scenarios:
            return self.scenarios
        if self.round is not None:
            return self.round.scenarios
        return tuple(s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE)

    def runs_of(self, scenario: Scenario, mode: Mode) -> int:
        """Give how often a test is run: once, unless a round asks for more, or nobody for it."""
        if mode is Mode.ACCURACY and self.accuracy_scenarios is not None:
            return int(scenario in self.accuracy_scenarios)
        if self.round is None or mode is not Mode.PERFORMANCE:
            return 1
        return self.round.runs.get(scenario, 1)


class Listener(Protocol):
    """Is told how a session goes."""

    def note(self, text: str) -> None:
        """Take a remark for the user."""
        ...

    def begin(self, name: str, expected_s: float) -> None:
        """Take the start of a test and about how long it will take."""
        ...

    def progress(self, progress: SeriesProgress) -> None:
        """Take how far the test has come."""
        ...

    def end(self, result: TestResult) -> None:
        """Take a finished test."""
        ...
