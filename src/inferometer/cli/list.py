"""``inferometer list``: workloads, backends, models and data: what is here, what is missing."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.backends import MissingBackendError, backend_names, get_backend
from inferometer.cli.options import json_option
from inferometer.loadgen import InferometerError
from inferometer.rounds import round_names
from inferometer.workloads import (
    get_workload,
    in_unit,
    suite_names,
    suite_or_workload,
    workload_names,
)
from inferometer.workloads.catalogue.catalogue import load_catalogue
from inferometer.workloads.catalogue.entry import Entry
from inferometer.workloads.catalogue.verifying import State, is_present, verify

__all__ = ["command"]


@click.command("list")
@json_option
def command(as_json: bool) -> None:
    """List workloads, backends, models, data and rounds, and how to get what is missing."""
    found: dict[str, Any] = {
        "workloads": [_workload(name) for name in workload_names()],
        "backends": [_backend(name) for name in backend_names()],
        "models and data": [_published(entry) for entry in load_catalogue().values()],
        "suites": {name: list(suite_or_workload(name)) for name in suite_names()},
        "rounds": round_names(),
    }
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(_table("workloads", found["workloads"], ("name", "task", "data", "status")))
    console.print(
        _table(
            "backends",
            found["backends"],
            ("name", "version", "devices", "formats", "precisions", "status"),
        )
    )
    console.print(
        _table("models and data", found["models and data"], ("name", "title", "kind", "status"))
    )
    for name, members in found["suites"].items():
        console.print(f"suite {name}: {', '.join(members)}", highlight=False)
    console.print(f"rounds: {', '.join(round_names())}", highlight=False)


def _workload(name: str) -> dict[str, Any]:
    try:
        info = get_workload(name).info
    except InferometerError as error:
        return {"name": name, "status": str(error)}
    return {
        "name": name,
        "title": info.title,
        "task": info.task,
        "data": f"{info.data_set}, {info.sample_count:,} samples"
        if info.sample_count
        else "yours: --model, --data",
        "target": f"{info.metric} {in_unit(info.target_accuracy, info.unit)}",
        "formats": list(info.model_formats),
        "status": _lacking(name),
    }


def _lacking(workload: str) -> str:
    """Say what a reference workload lacks: published weights, data."""
    entry = load_catalogue().get(workload)
    if entry is None or entry.reference is None:
        return "here"
    data = load_catalogue()[entry.reference.data_set]
    lacks = []
    if not any(is_present(entry, file) for file in entry.files):
        lacks.append(entry.name)
    if not all(is_present(data, file) for file in data.files):
        lacks.append(data.name)
    return f"missing; inferometer fetch {' '.join(lacks)}" if lacks else "here"


def _published(entry: Entry) -> dict[str, Any]:
    """Say which files of a catalogue entry are here, without reading them."""
    here = [file for file in entry.files if is_present(entry, file)]
    states = verify(entry, here or entry.files_for(), quick=True)
    if not entry.profiles:
        states = verify(entry, list(entry.files), quick=True)
    missing = [state for state in states if state.state is not State.HERE]
    status = f"here: {', '.join(file.name for file in here)}"
    if missing:
        remedies = {state.remedy for state in missing}
        # What has to be done by hand ends with the command that brings the rest.
        remedies = {r for r in remedies if not any(r in o and r != o for o in remedies)}
        status = f"missing {', '.join(s.name for s in missing)}; {'; '.join(sorted(remedies))}"
    return {
        "name": entry.name,
        "title": entry.title,
        "kind": entry.kind,
        "folder": str(entry.folder),
        "profiles": [profile.name for profile in entry.profiles],
        "files": {state.name: state.state.value for state in states},
        "status": status,
    }


def _backend(name: str) -> dict[str, Any]:
    backend = get_backend(name)
    entry: dict[str, Any] = {"name": name, "formats": list(backend.formats)}
    entry["precisions"] = list(backend.precisions)
    try:
        entry |= {
            "version": backend.version(),
            "devices": list(backend.devices()),
            "status": "here",
        }
    except MissingBackendError as error:
        entry["status"] = str(error)
    return entry


def _table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        values = (row.get(column, "–") for column in columns)
        table.add_row(*(escape(", ".join(v) if isinstance(v, list) else str(v)) for v in values))
    return table
