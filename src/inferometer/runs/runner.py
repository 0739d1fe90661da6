"""Runner: takes a request through its tests and leaves a session folder."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

from inferometer.loadgen import Mode, RunOptions, Scenario
from inferometer.logs import LogSettings, timestamp_lines
from inferometer.runs.chooser import Chooser
from inferometer.runs.folder import SESSION, RunFolderError, write_json
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.recorder import record_test
from inferometer.runs.request import Listener, RunRequest
from inferometer.runs.result import MODE_WORDS, Session, TestResult
from inferometer.runs.system import describe_system
from inferometer.workloads import WorkloadError, WorkloadOptions

__all__ = ["Runner"]

# Offline first: its throughput sizes what comes after it.
_EXECUTION_ORDER = (
    Scenario.OFFLINE,
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.MULTI_STREAM_FREE,
    Scenario.SERVER,
)

Planned = tuple[Scenario, Mode, int]


class Runner:
    """Runs the tests of one request, accuracy before performance in each scenario."""

    def __init__(self, request: RunRequest, listener: Listener):
        self._request = request
        self._listener = listener
        self._notes: list[str] = []
        first = min(request.chosen_scenarios, key=_EXECUTION_ORDER.index)
        self._set_up = request.for_scenario(first)
        self._loaded = LoadedWorkload(self._set_up, self._note)
        self._chooser = Chooser(request, self._loaded.workload.info)
        self._tests: list[TestResult] = []
        self._started_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")

    def run(self) -> Session:
        """Run everything; stop early only when interrupted, or when the system failed.

        The model is let go at the end, so that a runner runs once.
        """
        try:
            return self._run()
        finally:
            self._loaded.close()

    def _run(self) -> Session:
        self._write_session()
        self._warm_up()
        planned = self._planned()
        self._say_expected(planned)
        for scenario, mode, number in planned:
            self._set_up_for(scenario)
            result, error = self._run_one(scenario, mode, number)
            self._tests.append(result)
            self._listener.end(result)
            self._write_session()
            if result.was_interrupted or error is not None:
                break
        return self._session()

    def _warm_up(self) -> None:
        self._loaded.follow_loading(self._listener.note)
        self._loaded.warm_up()

    def _set_up_for(self, scenario: Scenario) -> None:
        """Load the model anew where a scenario wants it set up differently."""
        wanted = self._request.for_scenario(scenario, self._loaded.model_bytes)
        if wanted.system_options == self._set_up.system_options:
            return
        self._loaded.close()
        self._loaded = LoadedWorkload(wanted, self._note, self._loaded.library)
        self._set_up = wanted
        self._warm_up()
        for result in self._tests:
            self._loaded.learn_pace(result)

    def _planned(self) -> list[Planned]:
        planned: list[Planned] = []
        for scenario in sorted(self._request.chosen_scenarios, key=_EXECUTION_ORDER.index):
            for mode in self._modes():
                runs = self._request.runs_of(scenario, mode)
                planned.extend((scenario, mode, number + 1) for number in range(runs))
        return planned

    def _modes(self) -> tuple[Mode, ...]:
        """Give the modes to run: accuracy is left out where it can't be measured."""
        reason = self._loaded.workload.info.not_scored
        if not reason:
            return self._request.modes
        kept = tuple(mode for mode in self._request.modes if mode is not Mode.ACCURACY)
        if not kept:
            raise WorkloadError(f"accuracy can't be measured with {reason}")
        return kept

    def _say_expected(self, planned: list[Planned]) -> None:
        """Say at the start how long running by the book will take."""
        if self._request.round is None:
            return
        total_s = 0.0
        for scenario, mode, _ in planned:
            settings, _ = self._chooser.choose(scenario, mode, self._loaded.pace)
            total_s += self._chooser.expected_s(settings, self._loaded.pace)
        self._note(f"by the book of round {self._request.round.name}: {_duration(total_s)}")

    def _run_one(
        self, scenario: Scenario, mode: Mode, number: int
    ) -> tuple[TestResult, BaseException | None]:
        settings, rule = self._chooser.choose(scenario, mode, self._loaded.pace)
        name = f"{scenario.value} {MODE_WORDS[mode]}"
        if self._request.runs_of(scenario, mode) > 1:
            name += f" {number}"
        self._listener.begin(name, self._chooser.expected_s(settings, self._loaded.pace))
        folder = self._request.output / scenario.value / MODE_WORDS[mode]
        if mode is Mode.PERFORMANCE:
            folder = folder / f"run_{number}"
        serving, description = self._loaded.serve(scenario)
        backend = dict(self._loaded.backend_description)
        options = RunOptions(
            rule=rule,
            progress=self._listener.progress,
            notes={"serving": description, "backend": backend, **self._shortcomings()},
        )
        try:
            result, outcome = record_test(
                serving,
                self._loaded.library,
                settings,
                folder,
                self._request.label,
                options,
                None if self._loaded.workload.info.not_scored else self._loaded.workload.score,
                LogSettings(enable_trace=self._request.enable_trace),
            )
        finally:
            serving.close()
        self._loaded.learn_pace(result)
        for line in timestamp_lines(result.recording):
            self._listener.note(line)
        return result, outcome.error

    def _shortcomings(self) -> dict[str, str]:
        """Give what a round would not accept of the workload, for the findings."""
        found = {}
        if self._loaded.workload.info.not_scored:
            found["not_scored"] = self._loaded.workload.info.not_scored
        if self._request.workload_options.count is not None:
            found["preview"] = f"the first {self._request.workload_options.count:,} samples"
        if found and self._request.round is not None:
            found["round"] = self._request.round.name
        return found

    def _write_session(self) -> None:
        """Write what the tests have in common; they lie in folders of their own."""
        try:
            write_json(self._request.output / SESSION, self._session().to_mapping())
        except OSError as error:
            if self._tests:
                self._note(f"{SESSION} could not be written: {error.strerror or error}")
                return
            raise RunFolderError(
                f"{self._request.output} can't be written: {error.strerror or error}; choose "
                "another --output"
            ) from error

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._listener.note(text)

    def _session(self) -> Session:
        info = self._loaded.workload.info
        return Session(
            folder=self._request.output,
            workload={
                "name": info.name,
                "title": info.title,
                "task": info.task,
                "metric": info.metric,
                "unit": info.unit,
                "data_set": info.data_set,
                "samples": info.sample_count,
                "reference_accuracy": info.reference_accuracy,
                "target_accuracy": info.target_accuracy,
                "not_scored": info.not_scored,
                "options": _plain_options(self._request.workload_options),
                **info.notes,
            },
            backend=self._loaded.backend_description,
            label=self._request.label,
            system=describe_system(),
            command=self._request.command,
            started_at=self._started_at,
            tests=tuple(self._tests),
            notes=tuple(self._notes),
        )


def _plain_options(options: WorkloadOptions) -> dict[str, Any]:
    """Give what the user chose about the workload, as JSON takes it; defaults are left out."""
    default = WorkloadOptions()
    return {
        field.name: str(value) if isinstance(value, Path) else value
        for field in dataclasses.fields(options)
        if (value := getattr(options, field.name)) != getattr(default, field.name)
    }


def _duration(seconds: float) -> str:
    """Write a duration as people say it."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
