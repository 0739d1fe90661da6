"""Sweep: every option of a matrix measured in a process of its own, what is done being kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from inferometer.comparing import Option, make_int8, with_option
from inferometer.loadgen import InferometerError, Scenario, Severity, write_atomically
from inferometer.runs import (
    Listener,
    RunRequest,
    Session,
    load_session,
    run_supervised,
)
from inferometer.runs.folder import write_json
from inferometer.runs.resuming import can_be_resumed, resumed_requests
from inferometer.sweeping.choice import Choice, Row, choose
from inferometer.sweeping.figure import figures_of
from inferometer.sweeping.matrix import Matrix, parse_matrix
from inferometer.sweeping.option import SweepError, place_of

__all__ = ["MATRIX", "load_sweep", "run_sweep"]

MATRIX = "matrix.toml"
"""The matrix as it was given, in the folder of the sweep."""

_FAILURE = "failure.json"
_OPTIONS = "options"
_SHOWN = 300

Run = Callable[[RunRequest, Listener], Session]


def run_sweep(
    matrix: Matrix, folder: Path, listener: Listener, run: Run = run_supervised
) -> Choice:
    """Measure what isn't measured yet; give the choice among all options.

    Options are run in a random order that the matrix' seed decides, so that what changes in
    the course of a sweep favours no kind of option. One that fails leaves its reason, and the
    others go on. An interrupted sweep goes on where it was when it is run again in its folder.

    Raises `SweepError` if the folder holds another sweep, and `KeyboardInterrupt`.
    """
    _begin(matrix, folder)
    order = list(matrix.options)
    Random(matrix.seed).shuffle(order)  # noqa: S311 - an order, no secret
    for number, option in enumerate(order, start=1):
        place = _place(folder, option)
        if _is_finished(place, matrix):
            continue
        listener.note(f"{number} of {len(order)}: {option.label}")
        _measure(matrix, option, place, listener, run)
    return load_sweep(folder)


def load_sweep(folder: Path) -> Choice:
    """Give the choice among the options of a sweep's folder, judged anew from the recordings.

    What isn't measured yet stands there as such. Raises `SweepError` for another folder.
    """
    matrix = _matrix_of(folder)
    rows = [_row(matrix, option, _place(folder, option)) for option in matrix.options]
    return choose(rows, matrix.needs)


def _begin(matrix: Matrix, folder: Path) -> None:
    """Keep the matrix in the folder, or see that it is the one that lies there."""
    path = folder / MATRIX
    if path.is_file():
        if path.read_text("utf-8") != matrix.text:
            raise SweepError(
                f"{path} differs from the matrix that is to be swept; go on with the sweep that "
                "lies there by --resume, or choose another --output"
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, matrix.text.encode("utf-8"))
    except OSError as error:
        raise SweepError(
            f"{folder} can't be written: {error.strerror or error}; choose another --output"
        ) from error


def _matrix_of(folder: Path) -> Matrix:
    try:
        text = (folder / MATRIX).read_text("utf-8")
    except OSError as error:
        raise SweepError(
            f"{folder} holds no sweep: it has no {MATRIX} ({error.strerror or error}); give a "
            "folder that `inferometer sweep` wrote"
        ) from error
    return parse_matrix(text, str(folder / MATRIX))


def _place(folder: Path, option: Option) -> Path:
    return folder / _OPTIONS / place_of(option)


def _is_finished(place: Path, matrix: Matrix) -> bool:
    """Tell whether an option has all its tests; one that failed is tried again."""
    try:
        session = load_session(place)
    except InferometerError:
        return False
    return not _missing(session, matrix)


def _missing(session: Session, matrix: Matrix) -> list[Scenario]:
    return [
        scenario
        for scenario in matrix.scenarios
        if not any(
            test.verdict is not None and not test.was_interrupted
            for test in session.tests_of(scenario)
        )
    ]


def _measure(matrix: Matrix, option: Option, place: Path, listener: Listener, run: Run) -> None:
    """Measure one option, going on with what is there of it; a failure is written down."""
    failure = place / _FAILURE
    try:
        request = _request(matrix, option, place)
        make_int8(request, listener.note)
        kept = resumed_requests(place) if (place / "resume.json").is_file() else []
        session = run(kept[0] if kept and can_be_resumed(kept[0]) else request, listener)
    except InferometerError as error:
        place.mkdir(parents=True, exist_ok=True)
        write_json(failure, {"error": str(error)})
        listener.note(f"{option.label}: {str(error)[:_SHOWN]}")
        return
    failure.unlink(missing_ok=True)
    if any(test.was_interrupted for test in session.tests):
        raise KeyboardInterrupt


def _request(matrix: Matrix, option: Option, place: Path) -> RunRequest:
    scenarios = matrix.scenarios
    request = RunRequest(
        workload=matrix.workload,
        output=place,
        scenarios=scenarios,
        accuracy_scenarios=(scenarios[0],),
        effort=matrix.effort,
        settings=_Settings(matrix.server_qps),
        command=f"inferometer sweep: {option.label}",
    )
    return with_option(request, option)


@dataclasses.dataclass(frozen=True)
class _Settings:
    """The rate of Server, the same for all options."""

    server_qps: float

    def __call__(self, scenario: Scenario) -> dict[str, Any]:
        """Give what overrides the settings of a scenario."""
        return {"server_target_qps": self.server_qps} if scenario is Scenario.SERVER else {}


def _row(matrix: Matrix, option: Option, place: Path) -> Row:
    failure = _failure(place)
    try:
        session = load_session(place)
    except InferometerError as error:
        is_begun = place.is_dir()
        return Row(option, {}, failure or (str(error) if is_begun else "not measured yet"))
    missing = _missing(session, matrix)
    if missing:
        words = ", ".join(scenario.value for scenario in missing)
        return Row(option, {}, failure or _reason(session) or f"not measured yet: {words}")
    return Row(option, figures_of(session, matrix.price), "", tuple(_warnings(session)))


def _failure(place: Path) -> str:
    try:
        return str(json.loads((place / _FAILURE).read_text("utf-8"))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _reason(session: Session) -> str:
    errors = [found for found in session.findings if found.rule.severity is Severity.ERROR]
    return "; ".join(f"{found.rule.title}: {found.seen}" for found in errors)


def _warnings(session: Session) -> Sequence[str]:
    """Say what speaks against the figures: tests that aren't good, each once."""
    said: list[str] = []
    for test in session.tests:
        errors = (found for found in test.findings if found.rule.severity is Severity.ERROR)
        said += [f"{test.title}: {found.rule.title}" for found in errors]
        if test.is_valid is False:
            said.append(f"{test.title}: INVALID")
    return tuple(dict.fromkeys(said))
