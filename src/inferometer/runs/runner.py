"""Runner: takes a request through its tests and leaves a session folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from inferometer.loadgen import Mode, RunOptions, Scenario
from inferometer.logs import LogSettings, timestamp_lines
from inferometer.runs.by_the_book import (
    breaches,
    checked_words,
    for_division_and_area,
    format_breaches,
    round_notes,
)
from inferometer.runs.chooser import Chooser
from inferometer.runs.described import described_session
from inferometer.runs.folder import SESSION, RunFolderError, load_header, write_json
from inferometer.runs.folder_lock import folder_lock
from inferometer.runs.identity import changes, identity_of
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.outlook import Outlook
from inferometer.runs.plan import EXECUTION_ORDER, PlannedTest, planned_tests
from inferometer.runs.recorder import record_test
from inferometer.runs.request import Listener, RunRequest
from inferometer.runs.result import Session, TestResult
from inferometer.runs.resuming import Continuation, finished_tests, set_aside
from inferometer.workloads import WorkloadError

__all__ = ["Runner"]


class Runner:
    """Runs the tests of one request, accuracy before performance in each scenario.

    A request that resumes goes on with what lies in its folder: finished tests stay as they
    are, and what was cut off is run again.
    """

    def __init__(self, request: RunRequest, listener: Listener):
        checked_words(request.round, request.division, request.area)
        if not request.scenarios:
            # Where some are named, whoever asked has compared them with the area's.
            request = for_division_and_area(request)
        self._request = request
        self._listener = listener
        self._first = min(request.chosen_scenarios, key=EXECUTION_ORDER.index)
        self._set_up = request.for_scenario(self._first)
        self._notes: list[str] = list(request.remarks)
        self._loaded = LoadedWorkload(self._set_up, self._note)
        info = self._loaded.workload.info
        self._chooser = Chooser(request, info)
        self._breaches = [
            *breaches(request, info),
            *format_breaches(request, self._loaded.backend_description),
        ]
        self._outlook = Outlook(request, self._chooser, self._note, listener.note)
        self._kept = Continuation.of(request)
        self._tests: list[TestResult] = []
        self._started_at = _now()
        self._resumed_at: tuple[str, ...] = ()

    def run(self) -> Session:
        """Run everything; stop early only when interrupted, or when the system failed.

        The model is let go at the end, so that a runner runs once.

        Raises `RunFolderError` if another run is writing into the folder, and if it resumes
        and something isn't as it was; nothing in the folder is changed then.
        """
        try:
            with folder_lock(self._request.output):
                return self._run()
        finally:
            self._loaded.close()

    def _run(self) -> Session:
        identity = identity_of(self._request, self._loaded)
        planned = planned_tests(self._request, self._modes())
        if self._request.resumes:
            planned = self._take_up(identity, planned)
        self._kept.identity = identity
        self._write_session()
        if planned:
            self._write_kept()
            self._warm_up(self._first)
            self._learn()
            self._run_all(planned)
        return self._session()

    def _run_all(self, planned: list[PlannedTest]) -> None:
        self._say_what_speaks_against_it()
        self._outlook.say_at_start(planned, self._loaded.pace)
        for number, test in enumerate(planned):
            self._set_up_for(test.scenario)
            result, error = self._run_one(test)
            self._tests.append(result)
            self._listener.end(result)
            self._write_session()
            if result.was_interrupted or error is not None:
                break
            self._outlook.say_what_is_left(result, planned[number + 1 :], self._loaded.pace)

    def _take_up(self, identity: dict[str, Any], planned: list[PlannedTest]) -> list[PlannedTest]:
        """Take up the session that lies in the folder; give the tests that are left to run."""
        output = self._request.output
        self._kept = Continuation.read(output)
        changed = list(changes(self._kept.identity, identity)) if self._kept.identity else []
        if changed:
            raise RunFolderError(
                f"{output} can't be gone on with, because what it measures isn't as it was: "
                f"{'; '.join(changed)}. Put it back, or start anew with another --output"
            )
        earlier = self._earlier_session()
        self._tests = finished_tests(output, self._request.session_id)
        places = {test.folder for test in self._tests}
        left = [test for test in planned if output / test.place not in places]
        self._notes = list(earlier.notes) if earlier else self._notes
        if earlier:
            self._started_at, self._resumed_at = earlier.started_at, earlier.resumed_at
        if not left:
            self._listener.note("every test is finished; nothing is left to run")
            return []
        aside = set_aside(output, [test.place for test in left])
        self._resumed_at = (*self._resumed_at, _now())
        self._note(
            f"resumed at {self._resumed_at[-1]}, for the {_ordinal(len(self._resumed_at))} time, "
            f"with {len(self._tests)} of {len(planned)} tests finished"
            + (f"; what was cut off is kept in {aside.relative_to(output)}" if aside else "")
            + "".join(f"; {found.rule.title}: {found.seen}" for found in _findings_of(earlier))
        )
        return left

    def _earlier_session(self) -> Session | None:
        """Read the header of the session to go on with; it may not have come to have one."""
        try:
            return load_header(self._request.output)
        except RunFolderError:
            return None

    def _warm_up(self, scenario: Scenario) -> None:
        """Warm up, and find out how fast the system is, unless that was found before."""
        self._loaded.follow_loading(self._listener.note)
        self._loaded.warm_up()
        pace = self._kept.pace(scenario.value)
        if pace is not None:
            self._loaded.pace = pace
            return
        self._kept.paces[scenario.value] = dataclasses.asdict(self._loaded.pace)
        self._write_kept()

    def _learn(self) -> None:
        for result in self._tests:
            self._loaded.learn_pace(result)

    def _set_up_for(self, scenario: Scenario) -> None:
        """Load the model anew where a scenario wants it set up differently."""
        wanted = self._request.for_scenario(scenario, self._loaded.model_bytes)
        if wanted.system_options == self._set_up.system_options:
            return
        self._loaded.close()
        self._loaded = LoadedWorkload(wanted, self._note, self._loaded.library)
        self._set_up = wanted
        self._warm_up(scenario)
        self._learn()

    def _modes(self) -> tuple[Mode, ...]:
        """Give the modes to run: accuracy is left out where it can't be measured."""
        reason = self._loaded.workload.info.not_scored
        if not reason:
            return self._request.modes
        kept = tuple(mode for mode in self._request.modes if mode is not Mode.ACCURACY)
        if not kept:
            raise WorkloadError(f"accuracy can't be measured with {reason}")
        return kept

    def _say_what_speaks_against_it(self) -> None:
        """Say before anything is measured what keeps the results from counting."""
        for remark in self._request.remarks:
            self._listener.note(remark)
        for found in self._breaches:
            self._note_once(f"the {self._request.division} division doesn't take: {found.seen}")
        seen = round_notes(self._request, self._loaded.workload.info).get("other_data_set")
        if seen:
            self._note_once(f"not the benchmark's data set: {seen}")

    def _run_one(self, test: PlannedTest) -> tuple[TestResult, BaseException | None]:
        settings, rule = self._chooser.choose(test.scenario, test.mode, self._loaded.pace)
        self._listener.begin(test.name, self._chooser.expected_s(settings, self._loaded.pace))
        info = self._loaded.workload.info
        serving, description = self._loaded.serve(test.scenario)
        options = RunOptions(
            rule=rule,
            progress=self._listener.progress,
            notes={
                "serving": description,
                "backend": dict(self._loaded.backend_description),
                "session": self._request.session_id,
                **round_notes(self._request, info),
                **self._shortcomings(),
            },
            notes_at_end=self._loaded.watch().notes,
        )
        try:
            result, outcome = record_test(
                serving,
                self._loaded.library,
                settings,
                self._request.output / test.place,
                self._request.label,
                options,
                None if info.not_scored else self._loaded.workload.score,
                LogSettings(enable_trace=self._request.enable_trace),
            )
        finally:
            serving.close()
        self._loaded.learn_pace(result)
        for line in timestamp_lines(result.recording):
            self._listener.note(line)
        return result, outcome.error

    def _shortcomings(self) -> dict[str, Any]:
        """Give what a round would not accept of the workload, for the findings."""
        found: dict[str, Any] = {}
        if self._loaded.workload.info.not_scored:
            found["not_scored"] = self._loaded.workload.info.not_scored
        if self._request.workload_options.count is not None:
            found["preview"] = f"the first {self._request.workload_options.count:,} samples"
        if found and self._request.round is not None:
            found["round"] = self._request.round.name
        if self._breaches:
            found["breaches"] = [breach.to_mapping() for breach in self._breaches]
        return found

    def _write_kept(self) -> None:
        """Write what the session needs to be gone on with; without room it just can't be."""
        try:
            self._kept.write(self._request.output)
        except OSError as error:
            self._note(f"it can't be resumed if it is cut off: {error.strerror or error}")

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

    def _note_once(self, text: str) -> None:
        """Note what a session that is gone on with may have noted before."""
        if text in self._notes:
            self._listener.note(text)
        else:
            self._note(text)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._listener.note(text)

    def _session(self) -> Session:
        return dataclasses.replace(
            described_session(self._request, self._loaded),
            started_at=self._started_at,
            resumed_at=self._resumed_at,
            tests=tuple(self._tests),
            notes=tuple(self._notes),
        )


def _findings_of(session: Session | None) -> Sequence[Any]:
    return () if session is None else session.findings


def _ordinal(number: int) -> str:
    """Write a number as a place: 1st, 2nd."""
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
