"""Run folders: where a session lies on disk, written and read back.

A session folder holds ``session.json`` and one folder a test, such as
``Server/performance/run_1``, with the recording, the responses, the log files and
``result.json``. The recording is what counts: reading a folder judges it anew, and
``result.json`` is there for other programs. Tests that were cut off, and then run again, lie
below ``interrupted``; they don't count.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferometer.loadgen import (
    InferometerError,
    Interval,
    Recording,
    judge,
    write_atomically,
)
from inferometer.runs.findings import finding_from, findings_of_test
from inferometer.runs.result import Session, TestResult
from inferometer.runs.scores_file import with_scores
from inferometer.workloads import AccuracyResult

__all__ = [
    "CRASH",
    "INTERRUPTED",
    "RECORDING",
    "RESPONSES",
    "RESULT",
    "RUNNING",
    "SESSION",
    "RunFolderError",
    "load_header",
    "load_session",
    "load_sessions",
    "load_test",
    "recorded_places",
    "write_json",
]

RECORDING = "recording.npz"
RESPONSES = "responses.bin"
RESULT = "result.json"
SESSION = "session.json"
CRASH = "crash.txt"
"""Where the process that measured died, and its last words."""
INTERRUPTED = "interrupted"
"""Folder of tests that were cut off and run again when the session was gone on with."""
RUNNING = "running.json"
"""Present while a test runs: process id and journal, for `inferometer recover`."""


class RunFolderError(InferometerError):
    """A run folder is missing something, or isn't one."""


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
    write_atomically(path, text.encode("utf-8"))


def load_header(folder: Path) -> Session:
    """Read what the tests of a session folder have in common, without the tests.

    Raises `RunFolderError` that names the file and what is wrong.
    """
    path = folder / SESSION
    if not path.is_file():
        raise RunFolderError(
            f"{folder} is not a run folder: it has no {SESSION}; give a folder that "
            "`inferometer run` wrote"
        )
    try:
        header = json.loads(path.read_text("utf-8"))
        return Session(
            folder=folder,
            workload=header["workload"],
            backend=header["backend"],
            label=header["label"],
            system=header["system"],
            command=header["command"],
            round=str(header.get("round", "")),
            division=str(header.get("division", "")),
            area=str(header.get("area", "")),
            started_at=header["started_at"],
            resumed_at=tuple(header.get("resumed_at", ())),
            notes=tuple(header["notes"]),
            context=header.get("context", {}),
            findings=tuple(finding_from(values) for values in header.get("findings", ())),
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunFolderError(f"{path}: damaged ({error!r})") from error


def load_session(folder: Path) -> Session:
    """Read a session folder, or one that lies above a test, judging each recording anew.

    Raises `RunFolderError` or `RecordingError` that names the file and what is wrong.
    """
    header = load_header(folder)
    try:
        tests = tuple(load_test(place) for place in recorded_places(folder))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunFolderError(f"{folder}: damaged ({error!r})") from error
    if not tests and not header.findings:
        unfinished = next(_outside_evidence(folder, RUNNING), None)
        advice = f"; try `inferometer recover {folder}`" if unfinished else ""
        raise RunFolderError(f"{folder} holds no finished test{advice}")
    return dataclasses.replace(header, tests=tests)


def load_sessions(folder: Path) -> list[Session]:
    """Read the sessions of a folder: the one that it is, or those of a suite that it holds."""
    if (folder / SESSION).is_file():
        return [load_session(folder)]
    found = sorted(folder.glob(f"*/{SESSION}"), key=_started_at)
    return [load_session(path.parent) for path in found] or [load_session(folder)]


def _started_at(path: Path) -> str:
    """Give when a session began, to order those of a suite; a damaged one is read later."""
    try:
        return str(json.loads(path.read_text("utf-8"))["started_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def recorded_places(folder: Path) -> list[Path]:
    """Give the folders below a session's that hold a recording, but for interrupted evidence."""
    return sorted(found.parent for found in _outside_evidence(folder, RECORDING))


def _outside_evidence(folder: Path, name: str) -> Iterator[Path]:
    """Find files of a name below a session folder that belong to what counts."""
    for found in folder.rglob(name):
        if INTERRUPTED not in found.relative_to(folder).parts:
            yield found


def load_test(folder: Path) -> TestResult:
    """Read a test from its folder, judging the recording anew."""
    recording = Recording.load(folder / RECORDING)
    verdict = judge(recording)
    values: dict[str, Any] = {}
    if (folder / RESULT).is_file():
        values = json.loads((folder / RESULT).read_text("utf-8"))
    accuracy = _accuracy_of(values.get("accuracy"), folder)
    return TestResult(
        folder=folder,
        label=values.get("label", "unknown"),
        recording=recording,
        verdict=verdict,
        accuracy=accuracy,
        findings=findings_of_test(recording, verdict, accuracy),
    )


def _accuracy_of(values: dict[str, Any] | None, folder: Path) -> AccuracyResult | None:
    if values is None:
        return None
    found = AccuracyResult(**{**values, "interval": Interval(**values["interval"])})
    return with_scores(found, folder)
