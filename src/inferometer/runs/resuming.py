"""Resuming: what is kept of a session so that it can be gone on with after it was cut off."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, Mode
from inferometer.runs.effort import Pace
from inferometer.runs.folder import (
    CRASH,
    INTERRUPTED,
    RESULT,
    RUNNING,
    RunFolderError,
    load_test,
    recorded_places,
    write_json,
)
from inferometer.runs.kept_request import request_from, request_mapping
from inferometer.runs.plan import EXECUTION_ORDER
from inferometer.runs.recorder import recover_test
from inferometer.runs.request import RunRequest
from inferometer.runs.result import TestResult

__all__ = [
    "Continuation",
    "can_be_resumed",
    "finished_tests",
    "keep_suite",
    "resumed_requests",
    "set_aside",
]

RESUME = "resume.json"
SUITE = "suite.json"
_FORMAT = 1
_WAS_RUNNING = "was-running.json"
"""What `RUNNING` is called once its test is evidence and can't be brought back any more."""


@dataclass
class Continuation:
    """What a session needs to be gone on with; lies beside it as plain JSON.

    identity:
        What has to be the same; empty if the model was never loaded.
    paces:
        How fast the system was found to be, by the scenario for which it was set up: settings
        that are sized by it come out as they would have.
    """

    request: dict[str, Any]
    identity: dict[str, Any] = field(default_factory=dict)
    paces: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: RunRequest) -> Continuation:
        """Begin with what was asked for."""
        return cls(request_mapping(request))

    @classmethod
    def read(cls, folder: Path) -> Continuation:
        """Read what is kept in a session folder; raise `RunFolderError` naming what is wrong."""
        values = _read(folder / RESUME)
        try:
            parts = [dict(values[name]) for name in ("request", "identity", "paces")]
        except (KeyError, TypeError, ValueError) as error:
            raise RunFolderError(f"{folder / RESUME}: damaged ({error!r})") from error
        return cls(*parts)

    def write(self, folder: Path) -> None:
        """Write it into a session folder, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        values = {"format": _FORMAT, "request": self.request, "identity": self.identity}
        write_json(folder / RESUME, {**values, "paces": self.paces})

    def pace(self, scenario: str) -> Pace | None:
        """Give the speed that was found when the system was set up for a scenario."""
        kept = self.paces.get(scenario)
        try:
            return None if kept is None else Pace(**{k: float(v) for k, v in kept.items()})
        except (TypeError, ValueError, AttributeError):
            return None


def can_be_resumed(request: RunRequest) -> bool:
    """Tell whether what a request began lies in its folder and can be gone on with."""
    try:
        kept = Continuation.read(request.output)
    except RunFolderError:
        return False
    return kept.request.get("session_id") == request.session_id


def resumed_requests(folder: Path) -> list[RunRequest]:
    """Give the requests to go on with in a folder: that of a session, or those of a suite.

    Raises `RunFolderError` that names the file and what is wrong.
    """
    if (folder / RESUME).is_file():
        return [_request(folder, Continuation.read(folder).request, resumes=True)]
    if not (folder / SUITE).is_file():
        raise RunFolderError(
            f"{folder} holds no run that can be gone on with: it has no {RESUME}; give the "
            "folder that an interrupted run named"
        )
    rows = _read(folder / SUITE).get("requests")
    if not isinstance(rows, list) or not rows:
        raise RunFolderError(f"{folder / SUITE}: damaged (it names no workloads)")
    return [_of_suite(folder, row) for row in rows]


def keep_suite(folder: Path, requests: Sequence[RunRequest]) -> None:
    """Write what the workloads of a suite are asked to do, for those that aren't begun yet."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"folder": one.output.name, "request": request_mapping(one)} for one in requests]
    write_json(folder / SUITE, {"format": _FORMAT, "requests": rows})


def finished_tests(folder: Path, session_id: str) -> list[TestResult]:
    """Read the tests of a session that came to their end, in the order in which they are run.

    One that was interrupted, that failed, that can't be read or that belongs to another
    session in the same folder isn't among them.
    """
    found = []
    for place in recorded_places(folder):
        if (place / RUNNING).exists() or not (place / RESULT).is_file():
            continue
        try:
            result = load_test(place)
        except (InferometerError, OSError, ValueError, KeyError, TypeError):
            continue
        is_same = result.recording.notes.get("session") == session_id
        if is_same and not (result.was_interrupted or result.has_failed):
            found.append(result)
    return sorted(found, key=_place_in_order)


def set_aside(folder: Path, places: Iterable[Path]) -> Path | None:
    """Move what was cut off below `INTERRUPTED`, so that it is kept and can be run again.

    A test whose process was killed is recovered first, if it can be. Gives the folder of this
    evidence; ``None`` if there is none.
    """
    left = [place for place in places if _holds_something(folder / place)]
    has_crashed = (folder / CRASH).is_file()
    if not left and not has_crashed:
        return None
    number = 1
    while (aside := folder / INTERRUPTED / str(number)).exists():
        number += 1
    try:
        aside.mkdir(parents=True)
        for place in left:
            _move(folder / place, aside / place)
        if has_crashed:
            (folder / CRASH).rename(aside / CRASH)
    except OSError as error:
        raise RunFolderError(
            f"{error.filename or aside}: {error.strerror or error}; what was cut off has to be "
            "moved there before it is run again"
        ) from error
    return aside


def _move(place: Path, target: Path) -> None:
    if (place / RUNNING).exists():
        with contextlib.suppress(InferometerError, OSError):
            recover_test(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    place.rename(target)
    if (target / RUNNING).exists():
        (target / RUNNING).rename(target / _WAS_RUNNING)


def _holds_something(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())


def _place_in_order(result: TestResult) -> tuple[int, bool, str]:
    is_later = result.mode is not Mode.ACCURACY
    return EXECUTION_ORDER.index(result.scenario), is_later, str(result.folder)


def _of_suite(folder: Path, row: Any) -> RunRequest:
    """Give the request of one workload: to go on with, or as it was asked for."""
    try:
        name, values = str(row["folder"]), row["request"]
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{folder / SUITE}: damaged ({error!r})") from error
    if Path(name).name != name or name in ("", ".", ".."):
        raise RunFolderError(f"{folder / SUITE}: {name!r} is no folder of a workload")
    if (folder / name / RESUME).is_file():
        kept = Continuation.read(folder / name)
        return _request(folder / name, kept.request, resumes=True)
    return _request(folder / name, values, resumes=False)


def _request(folder: Path, values: Mapping[str, Any], *, resumes: bool) -> RunRequest:
    try:
        return request_from(values, folder, resumes=resumes)
    except (KeyError, TypeError, ValueError, AttributeError, InferometerError) as error:
        raise RunFolderError(f"{folder}: what was asked for can't be read ({error!r})") from error


def _read(path: Path) -> dict[str, Any]:
    """Read a file of ours; raise `RunFolderError` for another one."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RunFolderError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path}: damaged ({error})") from error
    if not isinstance(values, dict):
        raise RunFolderError(f"{path}: damaged (it holds no names and values)")
    if values.get("format") != _FORMAT:
        raise RunFolderError(
            f"{path}: format {values.get('format')!r} isn't {_FORMAT}; another version of "
            "Inferometer wrote it, so go on with that one"
        )
    return values
