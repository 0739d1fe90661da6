"""Run requests: everything that a session of runs is asked to do, and who is told of it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from inferometer.backends import BackendOptions
from inferometer.loadgen import Mode, Scenario, SeriesProgress
from inferometer.loadgen.cores import usable_cores
from inferometer.logs import ConfigTable
from inferometer.rounds import Round
from inferometer.runs.effort import Effort
from inferometer.runs.result import TestResult
from inferometer.workloads import WorkloadOptions

__all__ = [
    "CLOSED",
    "IN_FLIGHT",
    "NETWORK",
    "NETWORK_SUT",
    "PROCESSES",
    "QUEUE_RUNNER",
    "RAY",
    "SERVING_KINDS",
    "Isolation",
    "Listener",
    "RunRequest",
    "ServingOptions",
    "SystemOptions",
    "threads_of",
]

CLOSED = "closed"
"""The division in which all measure the same model with the same settings."""

NETWORK = "network"
"""The division of systems that the generator reaches over a network; closed rules hold."""

NETWORK_SUT = "Network SUT"
"""What the name of such a system has in it, so that logs show it."""

QUEUE_RUNNER = "queue-runner"
"""Serving in the way of the published v0.5 Python reference."""

IN_FLIGHT = "in-flight"
"""Serving by a server, with many requests on their way at once."""

PROCESSES = "processes"
"""Serving by copies of the model in processes of this machine."""

RAY = "ray"
"""Serving by copies of the model in actors of a Ray cluster."""

SERVING_KINDS = ("inline", "pool", PROCESSES, RAY, QUEUE_RUNNER, IN_FLIGHT)
"""Every kind of serving, by name."""

_WORTH_SHARING_BYTES = 4_000_000


@dataclass(frozen=True)
class ServingOptions:
    """How queries reach the model; ``None`` leaves a choice to the scenario.

    kind:
        ``inline`` answers on the issue thread, ``pool`` on workers that form batches,
        ``queue-runner`` as the published v0.5 Python reference does, to compare with: the
        threads of a model call are left to the framework. ``processes`` and ``ray`` spread
        batches over copies of the whole workload, in processes of this machine or in actors of
        a Ray cluster. ``in-flight`` keeps many requests to a server on their way, for the
        backend ``remote``. The default is inline for SingleStream, which a queue-runner answers
        so as well, and for the others a pool, or in-flight where the model is on a server and
        in one part.
    workers:
        Worker threads, or copies; by default one for each usable core, or each processor of
        the cluster.
    extra:
        Options that only this kind knows, by name.
    """

    kind: str | None = None
    workers: int | None = None
    max_batch_size: int = 32
    max_wait_ms: float = 0.0
    extra: Mapping[str, str] = field(default_factory=dict)

    def filled(self, scenario: Scenario) -> ServingOptions:
        """Give the options with the scenario's choice where none was made."""
        kind = self.kind or "pool"
        if scenario is Scenario.SINGLE_STREAM and self.kind in (None, QUEUE_RUNNER):
            kind = "inline"
        return dataclasses.replace(self, kind=kind, workers=self.workers or usable_cores())


@dataclass(frozen=True)
class Isolation:
    """A model in processes of its own.

    processes:
        How many, each with the whole model.
    memory_limit_bytes:
        Memory that each may have for itself; ``None`` for any.
    """

    processes: int = 1
    memory_limit_bytes: int | None = None


@dataclass(frozen=True)
class SystemOptions:
    """How the system under test is set up: how the model runs, and how queries reach it."""

    backend: BackendOptions = field(default_factory=BackendOptions)
    serving: ServingOptions = field(default_factory=ServingOptions)


def _new_id() -> str:
    return uuid.uuid4().hex


def threads_of(
    options: SystemOptions, scenario: Scenario | None = None, model_bytes: int = 0
) -> int | None:
    """Give the threads of a call: those asked for, or what suits the scenario.

    Where calls run side by side each has one; SingleStream, whose calls come one after the
    other, shares one among all cores, unless the model is so small that waking them takes
    longer than it gains. ``None`` leaves it to the framework, as the queue-runner does.
    """
    if options.backend.threads is not None:
        return options.backend.threads
    if options.serving.kind == QUEUE_RUNNER:
        return None
    is_alone = scenario is Scenario.SINGLE_STREAM and options.serving.kind in (None, "inline")
    return usable_cores() if is_alone and model_bytes >= _WORTH_SHARING_BYTES else 1


def no_overrides(_: Scenario) -> Mapping[str, Any]:
    """Give settings that override nothing."""
    return {}


@dataclass(frozen=True)
class RunRequest:
    """Everything that a session of runs is asked to do.

    settings:
        Gives the settings that override the others, for each scenario. A supervised run
        needs one that can be pickled.
    isolation:
        Runs the model in processes of its own; ``None`` in the process of the run.
    tuned:
        Scenarios with a setup of their own, in place of ``backend_options`` and ``serving``.
    round:
        Run by the book of this round; ``None`` for a quick run.
    division:
        ``closed``, ``open`` or ``network``, where the run is for a division of the round; empty
        for none.
    area:
        What the system is for; where no scenarios are named, `in_area` gives those of the area.
    remarks:
        What the session notes of how it was asked for.
    session_id:
        Tells the tests of this session from others that lie in the same folder.
    resumes:
        Go on with the session of this id that lies in ``output``.
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
    tuned: Mapping[Scenario, SystemOptions] = field(default_factory=dict)
    isolation: Isolation | None = None
    scenarios: tuple[Scenario, ...] = ()
    modes: tuple[Mode, ...] = (Mode.ACCURACY, Mode.PERFORMANCE)
    accuracy_scenarios: tuple[Scenario, ...] | None = None
    effort: Effort = field(default_factory=Effort)
    round: Round | None = None
    division: str = ""
    area: str = ""
    remarks: tuple[str, ...] = ()
    session_id: str = field(default_factory=_new_id, compare=False)
    resumes: bool = False
    user_conf: ConfigTable | None = None
    enable_trace: bool = False
    settings: Callable[[Scenario], Mapping[str, Any]] = no_overrides
    command: str = ""

    @property
    def label(self) -> str:
        """How the runs are labelled: quick, or the round, division and area.

        It also says whether the round's settings were changed.
        """
        if self.round is None:
            return "quick"
        changed = any(self.settings(scenario) for scenario in self.chosen_scenarios)
        parts = [f"round {self.round.name}", self.division, self.area]
        return ", ".join(filter(None, [*parts, "changed settings" if changed else ""]))

    @property
    def is_closed(self) -> bool:
        """Whether the rules of the closed division have to hold."""
        return self.division in (CLOSED, NETWORK)

    @property
    def is_network(self) -> bool:
        """Whether the system has to be on the other side of a network."""
        return self.division == NETWORK

    @property
    def chosen_scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios asked for; by default those of the round, or all current ones."""
        if self.scenarios:
            return self.scenarios
        if self.round is not None:
            return self.round.scenarios
        return tuple(s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE)

    @property
    def system_options(self) -> SystemOptions:
        """How the system is set up where no scenario has a setup of its own."""
        return SystemOptions(self.backend_options, self.serving)

    def set_up(self, options: SystemOptions) -> RunRequest:
        """Give the request with this one setup for every scenario."""
        return dataclasses.replace(
            self, backend_options=options.backend, serving=options.serving, tuned={}
        )

    def for_scenario(self, scenario: Scenario, model_bytes: int = 0) -> RunRequest:
        """Give the request as it holds for one scenario and a model of a size."""
        options = self.tuned.get(scenario, self.system_options)
        threads = threads_of(options, scenario, model_bytes)
        backend = dataclasses.replace(options.backend, threads=threads)
        return self.set_up(dataclasses.replace(options, backend=backend))

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
