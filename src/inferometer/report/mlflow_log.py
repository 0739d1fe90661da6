"""MLflow: sessions logged as runs of an experiment. The only part that needs MLflow."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError
from inferometer.report.markup import xml_text
from inferometer.report.result_table import COLUMNS, result_rows, test_name
from inferometer.runs import Session
from inferometer.runs.folder import RECORDING, RESULT, SESSION
from inferometer.runs.result import MODE_WORDS

__all__ = ["MlflowError", "log_sessions", "session_id"]

_INSTALL = "pip install 'inferometer[mlflow]'"
_SESSION_TAG = "inferometer.session"
_DATABASE = "mlflow.db"
_ARTIFACTS = "artifacts"
_MOST_CHARACTERS = 500
_AT_ONCE = 100
_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]", re.ASCII)
_TEXTS = [column.name for column in COLUMNS if column.kind == "text"]
_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]+://|databricks", re.IGNORECASE)


class MlflowError(InferometerError):
    """MLflow isn't installed, or refuses what it is given."""


def log_sessions(
    sessions: Sequence[Session], place: str, experiment: str, page: Path | None = None
) -> Iterator[str]:
    """Log each session as a run, unless it is there already; say of each what was done.

    place:
        A folder, in which a database and artifacts are made, or the address of a server or
        database, as MLflow takes it.
    page:
        The report, kept with every run.

    Raises `MlflowError` if MLflow isn't installed or fails.
    """
    client, errors, entities = _mlflow(place)
    try:
        number = _experiment(client, experiment, place)
        for session in sessions:
            name = f"{session.workload.get('name', '')} {session.started_at}".strip()
            known = _known_run(client, number, session_id(session))
            if known:
                yield f"mlflow: {name} is already in {experiment}, run {known}"
                continue
            run = _log(client, entities, number, session, page)
            yield f"mlflow: {name} logged to {experiment}, run {run}"
    except errors.MlflowException as error:
        told = " ".join(str(error).split())
        raise MlflowError(f"MLflow at {place} refuses: {told}") from error


def session_id(session: Session) -> str:
    """Give a session's identity: when and where it was run, and what was recorded in it."""
    recorded = [
        (test.title, test.recording.wall_start_s, test.recording.sut_name) for test in session.tests
    ]
    names = [session.workload.get("name"), session.backend.get("name"), session.system.get("host")]
    text = json.dumps([session.started_at, names, sorted(recorded)], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _mlflow(place: str) -> tuple[Any, Any, Any]:
    """Give a client for the place, and MLflow's errors and entities."""
    # Measuring tells nobody anything, unless the user wants MLflow to.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        tracking = importlib.import_module("mlflow.tracking")
        errors = importlib.import_module("mlflow.exceptions")
        entities = importlib.import_module("mlflow.entities")
    except ImportError as error:
        raise MlflowError(f"MLflow isn't installed: {_INSTALL}") from error
    address = place
    if not _ADDRESS.match(place):
        folder = Path(place).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        address = f"sqlite:///{folder / _DATABASE}"
    try:
        return tracking.MlflowClient(tracking_uri=address), errors, entities
    except errors.MlflowException as error:
        told = " ".join(str(error).split())
        raise MlflowError(f"MLflow can't use {place}: {told}") from error


def _experiment(client: Any, name: str, place: str) -> str:
    """Give the experiment's id, making it if it isn't there."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    location = None
    if not _ADDRESS.match(place):
        # Without it a database keeps artifacts below the working folder.
        location = (Path(place).absolute() / _ARTIFACTS).as_uri()
    return str(client.create_experiment(name, artifact_location=location))


def _known_run(client: Any, experiment: str, identity: str) -> str:
    """Give the run that a session was logged as, if it was logged to the end."""
    found = client.search_runs(
        [experiment],
        filter_string=f"tags.`{_SESSION_TAG}` = '{identity}' AND attributes.status = 'FINISHED'",
        max_results=1,
    )
    return str(found[0].info.run_id) if found else ""


def _log(client: Any, entities: Any, experiment: str, session: Session, page: Path | None) -> str:
    """Log a session; a run that couldn't be logged to its end is marked as failed."""
    tags = {
        _SESSION_TAG: session_id(session),
        "inferometer.command": _short(session.command),
        "inferometer.label": _short(session.label),
        "inferometer.good": str(session.is_good).lower(),
        "mlflow.source.name": "inferometer",
    }
    name = _short(f"{session.workload.get('name', '')} {session.backend.get('name', '')}")
    run = str(client.create_run(experiment, tags=tags, run_name=name).info.run_id)
    status = "FAILED"
    try:
        params = [entities.Param(key, value) for key, value in _params(session).items()]
        metrics = [
            entities.Metric(key, value, round(started_s * 1000), step)
            for key, value, started_s, step in _metrics(session)
        ]
        for start in range(0, max(len(params), len(metrics)), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            client.log_batch(run, metrics=metrics[part], params=params[part])
        _log_files(client, run, session, page)
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)
    return run


def _params(session: Session) -> dict[str, str]:
    """Give what was chosen: settings, backend, versions, hashes; names are paths to values."""
    values: dict[str, Any] = {
        "workload": session.workload,
        "backend": session.backend,
        "packages": session.system.get("packages", {}),
        "processor": session.system.get("processor", ""),
        "operating_system": session.system.get("operating_system", ""),
        "python": session.system.get("python", ""),
        "round": session.round,
        "division": session.division,
    }
    for test in session.tests:
        values[f"{test.scenario.value}.settings"] = test.recording.settings.to_mapping()
    flat = dict(_flat(values, ""))
    return {
        _name(key): _short(str(value)) for key, value in flat.items() if value not in ("", None)
    }


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _metrics(session: Session) -> Iterator[tuple[str, float, float, int]]:
    """Give name, value, time and step of each figure; several runs of a scenario are steps."""
    steps: dict[str, int] = {}
    rows = result_rows([session])
    for test, row in zip(session.tests, rows, strict=True):
        step = steps[test.title] = steps.get(test.title, -1) + 1
        for key, value in row.items():
            if value is not None and key not in _TEXTS and key != "schema_version":
                name = _name(f"{test.scenario.value}.{MODE_WORDS[test.mode]}.{key}")
                yield name, float(value), test.recording.wall_start_s, step


def _log_files(client: Any, run: str, session: Session, page: Path | None) -> None:
    """Keep the page, the session's header, and each test's recording and result."""
    header = session.folder / SESSION
    for path in (page, header):
        if path is not None and path.is_file():
            client.log_artifact(run, os.fspath(path))
    for test in session.tests:
        for name in (RECORDING, RESULT):
            if test.folder is not None and (test.folder / name).is_file():
                client.log_artifact(run, os.fspath(test.folder / name), test_name(session, test))


def _name(text: str) -> str:
    """Give a name that MLflow takes."""
    return _NOT_IN_NAMES.sub("_", text)[:250]


def _short(text: str) -> str:
    text = xml_text(text)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
