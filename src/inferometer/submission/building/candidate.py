"""Candidates: the recorded tests that would make one result of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, Mode, Scenario
from inferometer.rounds import Benchmark
from inferometer.runs import Session, TestResult, load_sessions
from inferometer.submission.building.request import (
    SubmissionError,
    SubmissionRequest,
    check_name,
)
from inferometer.workloads import get_workload

__all__ = ["Candidate", "RecordedTest", "candidates_of", "load_runs"]

_ANY = "*"


@dataclass(frozen=True)
class RecordedTest:
    """A test with the session that it was recorded in."""

    session: Session
    result: TestResult

    @property
    def where(self) -> str:
        """The folder of the test, for messages."""
        return str(self.result.folder or self.session.folder)

    @property
    def options(self) -> Mapping[str, Any]:
        """What was chosen about the workload, beside the defaults."""
        options = self.session.workload.get("options")
        return options if isinstance(options, Mapping) else {}

    @property
    def is_int8(self) -> bool:
        """Whether the model was asked for in int8."""
        return self.options.get("number_format") == "int8"

    @property
    def backend(self) -> Mapping[str, Any]:
        """What ran the model in this test."""
        noted = self.result.recording.notes.get("backend")
        return noted if isinstance(noted, Mapping) else self.session.backend


@dataclass(frozen=True)
class Candidate:
    """The tests of one benchmark and scenario, accuracy and performance by time.

    name:
        The benchmark's folder in the tree.
    benchmark:
        The round's benchmark that it stands for; ``None`` where the round has none like it.
    settings_name:
        The name that the round's settings were taken by when it was run.
    """

    name: str
    benchmark: Benchmark | None
    settings_name: str
    scenario: Scenario
    accuracy: tuple[RecordedTest, ...]
    performance: tuple[RecordedTest, ...]

    @property
    def tests(self) -> tuple[RecordedTest, ...]:
        """All tests, those of accuracy first."""
        return (*self.accuracy, *self.performance)

    @property
    def title(self) -> str:
        """Benchmark and scenario, for messages."""
        return f"{self.name} {self.scenario.value}"


def load_runs(folders: tuple[Path, ...]) -> list[Session]:
    """Read the sessions of all folders; one that is named twice counts once.

    Raises `RunFolderError` or `SubmissionError` that names the folder and what is wrong.
    """
    found: dict[Path, Session] = {}
    for folder in folders:
        for session in load_sessions(folder):
            found.setdefault(session.folder.resolve(), _checked(session))
    return list(found.values())


def _checked(session: Session) -> Session:
    parts = {"workload": session.workload, "backend": session.backend, "system": session.system}
    for name, value in parts.items():
        if not isinstance(value, Mapping):
            raise SubmissionError(f"{session.folder}: session.json is damaged: no {name} in it")
    if not isinstance(session.workload.get("name"), str):
        raise SubmissionError(f"{session.folder}: session.json names no workload")
    return session


def candidates_of(sessions: list[Session], request: SubmissionRequest) -> list[Candidate]:
    """Put the tests of all sessions together by benchmark and scenario, in the round's order."""
    workloads = list(dict.fromkeys(str(session.workload["name"]) for session in sessions))
    if request.benchmark is not None and len(workloads) > 1:
        raise SubmissionError(
            f"--benchmark {request.benchmark} names one benchmark, and the runs are of "
            f"{', '.join(workloads)}; submit them one after the other"
        )
    found: dict[tuple[str, Scenario], list[RecordedTest]] = {}
    for session in sessions:
        for result in session.tests:
            place = (str(session.workload["name"]), result.scenario)
            found.setdefault(place, []).append(RecordedTest(session, result))
    order = {workload: number for number, workload in enumerate(workloads)}
    scenarios = list(Scenario)
    places = sorted(found, key=lambda place: (order[place[0]], scenarios.index(place[1])))
    return [_candidate(*place, found[place], request) for place in places]


def _candidate(
    workload: str, scenario: Scenario, tests: list[RecordedTest], request: SubmissionRequest
) -> Candidate:
    tests = sorted(tests, key=lambda test: test.result.recording.wall_start_s)
    settings_name = _settings_name(workload)
    benchmark = request.book.benchmark_of(request.benchmark or settings_name)
    if benchmark is None and request.benchmark is not None:
        benchmark = request.book.benchmark_of(settings_name)
    if request.is_closed and benchmark is not None:
        name = benchmark.name
    else:
        name = check_name("the workload", request.benchmark or workload)
    return Candidate(
        name,
        benchmark,
        settings_name,
        scenario,
        tuple(test for test in tests if test.result.mode is Mode.ACCURACY),
        tuple(test for test in tests if test.result.mode is Mode.PERFORMANCE),
    )


def _settings_name(workload: str) -> str:
    """Give the name that `inferometer run --round` looks up the settings of a workload by."""
    try:
        return get_workload(workload).info.round_benchmark
    except InferometerError:
        # One's own models are made with options, and take what holds for all benchmarks.
        return _ANY
