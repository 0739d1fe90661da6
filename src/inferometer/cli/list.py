"""``inferometer list``: workloads, backends, models and data: what is here, what is missing."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.backends import MissingBackendError, backend_names, get_backend
from inferometer.cli.options import json_option
from inferometer.loadgen import InferometerError, nearest_name
from inferometer.rounds import round_names
from inferometer.workloads import (
    POCKET_SUITE,
    get_workload,
    in_unit,
    suite_names,
    suite_or_workload,
    workload_names,
)
from inferometer.workloads.catalogue.catalogue import load_catalogue
from inferometer.workloads.catalogue.entry import Entry
from inferometer.workloads.catalogue.verifying import State, is_present, verify

__all__ = ["command", "gathered", "print_list"]


_HERE, _IN_PART, _MISSING = "here", "in part", "missing"
_WIDTH = 80
_HINTS = {
    POCKET_SUITE: "they bring their model and data",
    "reference": "`fetch NAME` brings what is missing",
}
_KINDS = {"workloads": "workload", "backends": "backend", "models and data": ""}


@click.command("list")
@click.argument("name", required=False)
@click.option("--verbose", "-v", is_flag=True, help="tell all that is known of each")
@json_option
def command(name: str | None, verbose: bool, as_json: bool) -> None:
    """List workloads, backends, models, data and rounds: what is here, what is missing.

    With a NAME: all that is known of the workload, backend, model, data or suite of that name,
    and how to get what is missing.
    """
    found = gathered() if name is None else _only(gathered(), name)
    # What is read by a program is never cut.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 3 * _WIDTH)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif verbose or name is not None:
        _tell(found, console)
    else:
        print_list(found, console)


def gathered() -> dict[str, Any]:
    """Give all that there is, by kind, as plain names and values."""
    return {
        "workloads": [_workload(one) for one in workload_names()],
        "backends": [_backend(one) for one in backend_names()],
        "models and data": [_published(entry) for entry in load_catalogue().values()],
        "suites": {one: list(suite_or_workload(one)) for one in suite_names()},
        "rounds": round_names(),
    }


def _only(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Give what has a name: of a suite, its workloads too."""
    members = [name, *found["suites"].get(name, ())]
    kept: dict[str, Any] = {
        kind: [one for one in found[kind] if one["name"] in members] for kind in _KINDS
    }
    kept["suites"] = {one: found["suites"][one] for one in found["suites"] if one == name}
    kept["rounds"] = [one for one in found["rounds"] if one == name]
    if not any(kept.values()):
        known = {one["name"] for kind in _KINDS for one in found[kind]} | set(found["suites"])
        raise click.UsageError(
            f"there is no workload, backend, model or data {name!r}{nearest_name(name, known)}; "
            "`inferometer list` lists all"
        )
    return kept


def print_list(found: dict[str, Any], console: Console) -> None:
    """Print a line for each, in groups."""
    workloads = {one["name"]: one for one in found["workloads"]}
    for suite, members in found["suites"].items():
        _heading(f"Workloads of the suite {suite}", _HINTS.get(suite, ""), console)
        console.print(_table([_workload_row(workloads.pop(name)) for name in members]))
    _heading("Other workloads", "for your own, with --model and --data", console)
    console.print(_table([_workload_row(one) for one in workloads.values()]))
    _heading("Backends", "`run --backend NAME`", console)
    here = [one for one in found["backends"] if one["status"] == _HERE]
    console.print(_table([_backend_row(one) for one in here]))
    if missing := [one["name"] for one in found["backends"] if one not in here]:
        console.print(f"not installed: {', '.join(missing)}; `inferometer list NAME` says how")
    _heading("Published models and data", "`fetch NAME`", console)
    entries = found["models and data"]
    console.print(_table([(one["name"], _state_of(one), escape(one["title"])) for one in entries]))
    _heading("Rounds", "`run --round NAME`", console)
    console.print(", ".join(found["rounds"]))
    console.print("\n`inferometer list NAME` tells all of one, --verbose of each")


def _heading(title: str, hint: str, console: Console) -> None:
    console.print(f"\n[bold]{escape(title)}[/]" + (f"  [dim]{escape(hint)}[/]" if hint else ""))


def _workload_row(one: dict[str, Any]) -> tuple[str, ...]:
    status = str(one["status"])
    state = next((word for word in (_HERE, _MISSING) if status.startswith(word)), "broken")
    # "image classification" needs no more than its last word beside the data.
    task = str(one.get("task", "")).rpartition(" ")[2]
    data = str(one.get("data", "")).partition(f", {one.get('samples') or 0:,} samples")[0]
    return (escape(one["name"]), state, task, escape(data))


def _backend_row(one: dict[str, Any]) -> tuple[str, ...]:
    return (one["name"], one["version"], *(", ".join(one[k]) for k in ("devices", "precisions")))


def _state_of(entry: dict[str, Any]) -> str:
    states = set(entry["files"].values())
    if states == {State.HERE.value}:
        return _HERE
    return _IN_PART if State.HERE.value in states else _MISSING


def _table(rows: list[tuple[str, ...]]) -> Table:
    """Give a line for each row; a column that says the same of all, namely here, is left out."""
    columns = [column for column in zip(*rows, strict=True) if set(column) != {_HERE}]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        # Where there is little room, the last column is cut and no other.
        widest = max(len(cell) for cell in column) if column is not columns[-1] else None
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=widest)
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _tell(found: dict[str, Any], console: Console) -> None:
    """Print all that is known of each."""
    for kind, title in _KINDS.items():
        for one in found[kind]:
            console.print(f"[bold]{title or one['kind']} {escape(one['name'])}[/]")
            for key, value in one.items():
                if key not in ("name", "kind") and value:
                    _tell_value(key, value, console)
            console.print()
    for suite, members in found["suites"].items():
        console.print(f"[bold]suite {suite}[/]")
        _tell_value("holds", members, console)
        console.print()
    for name in found["rounds"]:
        console.print(f"[bold]round {name}[/]\n  its rules: inferometer rules --round {name}\n")


def _tell_value(key: str, value: Any, console: Console) -> None:
    if isinstance(value, dict):
        value = [f"{name} ({state})" for name, state in value.items()]
    text = ", ".join(value) if isinstance(value, list) else str(value)
    indent = " " * 14
    lines = textwrap.wrap(
        text, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False
    )
    console.print(f"  {key:<12}" + escape(f"\n{indent}".join(lines)), soft_wrap=True)


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
        "samples": info.sample_count,
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
