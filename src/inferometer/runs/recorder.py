"""Recorder: runs one test, saves its recording before anything else, then judges it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from inferometer.loadgen import (
    Finding,
    Journal,
    Message,
    Mode,
    Recording,
    ResponseReader,
    ResponseWriter,
    RunOptions,
    RunOutcome,
    SampleLibrary,
    Settings,
    SystemUnderTest,
    is_alive,
    judge,
    name_of,
    recover,
    run_test,
)
from inferometer.logs import ACCURACY_TEXT, LogSettings, write_logs
from inferometer.logs.accuracy import SampleLookup
from inferometer.runs.context import ContextWatch
from inferometer.runs.energy import EnergyMeter
from inferometer.runs.findings import findings_of_test
from inferometer.runs.folder import (
    RECORDING,
    RESPONSES,
    RESULT,
    RUNNING,
    RunFolderError,
    write_json,
)
from inferometer.runs.memory import MemoryWatch
from inferometer.runs.result import TestResult
from inferometer.runs.rules import FILES_MISSING, SAVED_ELSEWHERE
from inferometer.runs.scores_file import write_scores
from inferometer.workloads import AccuracyResult, ScoredAnswer

__all__ = [
    "Scorer",
    "keep_test",
    "record_test",
    "recover_journal",
    "recover_test",
    "scored_answers",
]

Scorer = Callable[[Iterator[ScoredAnswer]], AccuracyResult]


def record_test(
    sut: SystemUnderTest,
    library: SampleLibrary,
    settings: Settings,
    folder: Path,
    label: str,
    options: RunOptions | None = None,
    scorer: Scorer | None = None,
    logs: LogSettings | None = None,
) -> tuple[TestResult, RunOutcome]:
    """Run one test into a folder; give its result, and what happened.

    While the test runs, the folder names the journal that `recover_test` reads if the
    process dies. Raises `RunFolderError` before anything runs if the folder can't be
    written.
    """
    name = name_of(sut)
    journal = Journal.of_test(settings, name, library)
    try:
        _announce(folder, journal, label)
        options = options or RunOptions()
        memory, energy, context = MemoryWatch(), EnergyMeter(), ContextWatch()
        full = dataclasses.replace(
            options,
            journal=journal,
            response_path=folder / RESPONSES,
            progress=memory.following(energy.following(options.progress)),
        )
        outcome = run_test(sut, library, settings, full)
        # The context first: it looks at shares of the time up to now.
        noted = context.noted_in(outcome.recording)
        noted = memory.noted_in(energy.noted_in(noted))
        outcome = dataclasses.replace(outcome, recording=noted)
        result = keep_test(outcome, folder, label, scorer, logs)
        if not (folder / RESPONSES).exists():
            # The file was empty and has been dropped; the reader goes on being usable.
            outcome = dataclasses.replace(outcome, responses=ResponseWriter().reader())
    finally:
        journal.close()
        with contextlib.suppress(OSError):
            (folder / RUNNING).unlink(missing_ok=True)
    return result, outcome


def _announce(folder: Path, journal: Journal, label: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = None if journal.folder is None else str(journal.folder)
        write_json(folder / RUNNING, {"process_id": os.getpid(), "journal": place, "label": label})
    except OSError as error:
        raise RunFolderError(
            f"{folder} can't be written: {error.strerror or error}; choose another --output"
        ) from error


def keep_test(
    outcome: RunOutcome,
    folder: Path,
    label: str,
    scorer: Scorer | None = None,
    logs: LogSettings | None = None,
) -> TestResult:
    """Save the recording of a test, then judge it and write everything that follows."""
    recording = outcome.recording
    saved = recording.save(folder / RECORDING)
    verdict = judge(recording)
    accuracy = _score(recording, outcome.responses, scorer)
    findings = list(findings_of_test(recording, verdict, accuracy))
    if saved.parent != folder:
        findings.append(Finding(SAVED_ELSEWHERE, f"it lies at {saved}"))
    result = TestResult(folder, label, recording, verdict, accuracy, tuple(findings))
    try:
        write_logs(folder, recording, verdict, outcome.responses, logs)
        _write_accuracy_line(folder, accuracy)
        write_scores(folder, accuracy)
        write_json(folder / RESULT, result.to_mapping())
        _drop_if_empty(folder / RESPONSES)
    except OSError as error:
        missing = Finding(FILES_MISSING, f"{folder}: {error.strerror or error}")
        result = dataclasses.replace(result, findings=(*result.findings, missing))
    return result


def _score(
    recording: Recording, responses: ResponseReader, scorer: Scorer | None
) -> AccuracyResult | None:
    is_scored = recording.settings.mode in (Mode.ACCURACY, Mode.SUBMISSION)
    if scorer is None or not is_scored:
        return None
    return scorer(scored_answers(recording, responses))


def scored_answers(recording: Recording, responses: ResponseReader) -> Iterator[ScoredAnswer]:
    """Give the answers of the accuracy series with the library index of each."""
    lookup = SampleLookup(recording)
    performance = recording.performance
    end = None if performance is None else performance.first_sample_id
    for response in responses:
        if end is None or response.sample_id < end:
            yield ScoredAnswer(lookup.index_of(response.sample_id), response)


def _write_accuracy_line(folder: Path, accuracy: AccuracyResult | None) -> None:
    if accuracy is not None:
        (folder / ACCURACY_TEXT).write_text(f"{accuracy.line}\n", "utf-8")


def _drop_if_empty(path: Path) -> None:
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()


def recover_test(folder: Path, scorer: Scorer | None = None) -> TestResult:
    """Bring back what a test had recorded when its process died.

    Raises `RunFolderError` if the test is still running, or left nothing.
    """
    try:
        running = json.loads((folder / RUNNING).read_text("utf-8"))
        process, place = int(running["process_id"]), running["journal"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{folder} holds no test that was cut off ({error})") from error
    if _still_runs(process):
        raise RunFolderError(f"{folder}: the test still runs, as process {process}")
    if place is None:
        raise RunFolderError(f"{folder}: the test kept no journal, so its times are lost")
    result = _bring_back(Path(place), folder, str(running.get("label", "unknown")), scorer)
    (folder / RUNNING).unlink(missing_ok=True)
    return result


def _still_runs(process: int) -> bool:
    """Tell whether a process runs; one that is dead and that nobody waited for doesn't."""
    try:
        return is_alive(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def recover_journal(journal: Path, folder: Path) -> TestResult:
    """Bring back a test that had no run folder, from the journal that its process left.

    Its responses are lost. Raises `RunFolderError` if the test is still running, and
    `RecordingError` if the journal can't be read.
    """
    process = recover(journal).notes.get("process_id")
    if process is not None and _still_runs(int(process)):
        raise RunFolderError(f"{journal}: the test still runs, as process {process}")
    folder.mkdir(parents=True, exist_ok=True)
    return _bring_back(journal, folder, "script", None)


def _bring_back(journal: Path, folder: Path, label: str, scorer: Scorer | None) -> TestResult:
    recording = recover(journal)
    said = [Message("note", "recovered after a crash")]
    if not recording.series:
        said.append(Message("interrupted", "the process died before the first query"))
    recording = dataclasses.replace(recording, messages=(*recording.messages, *said))
    responses = ResponseReader(folder / RESPONSES)
    if not (folder / RESPONSES).is_file():
        (folder / RESPONSES).touch()
    result = keep_test(RunOutcome(recording, responses, None), folder, label, scorer)
    Journal.discard(journal)
    return result
