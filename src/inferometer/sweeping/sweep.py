"""Sweep: every option of a matrix measured in a process of its own, what is done being kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from inferometer.loadgen import InferometerError, Scenario, Severity, write_atomically
from inferometer.quantization import quantize_workload, workload_for_tool
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
from inferometer.sweeping.option import Option, SweepError
from inferometer.workloads.places import quantized_folder

__all__ = ["MATRIX", "load_sweep", "run_sweep"]

MATRIX = "matrix.toml"
"""The matrix as it was given, in the folder of the sweep."""

_FAILURE = "failure.json"
_OPTIONS = "options"
_SHOWN = 300
_INT8_TOOL = "onnxruntime"

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
        listener.note(f"{number} of {len(order)}: {option.name}")
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
    return folder / _OPTIONS / option.place


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
        if request.workload_options.number_format == "int8":
            _see_to_int8(request, listener)
        kept = resumed_requests(place) if (place / "resume.json").is_file() else []
        session = run(kept[0] if kept and can_be_resumed(kept[0]) else request, listener)
    except InferometerError as error:
        place.mkdir(parents=True, exist_ok=True)
        write_json(failure, {"error": str(error)})
        listener.note(f"{option.name}: {str(error)[:_SHOWN]}")
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
        command=f"inferometer sweep: {option.name}",
    )
    return option.applied(request)


@dataclasses.dataclass(frozen=True)
class _Settings:
    """The rate of Server, the same for all options."""

    server_qps: float

    def __call__(self, scenario: Scenario) -> dict[str, Any]:
        """Give what overrides the settings of a scenario."""
        return {"server_target_qps": self.server_qps} if scenario is Scenario.SERVER else {}


def _see_to_int8(request: RunRequest, listener: Listener) -> None:
    """Make the int8 model where there is none at all; one that doesn't fit, the run refuses."""
    if quantized_folder(request.workload).is_dir():
        return
    listener.note(f"making the int8 model of {request.workload}")
    fp32 = dataclasses.replace(request.workload_options, number_format="fp32")
    quantize_workload(workload_for_tool(request.workload, fp32, _INT8_TOOL))


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
