"""``inferometer list``: workloads, backends and rounds: what is here, what is missing."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.backends import MissingBackendError, backend_names, get_backend
from inferometer.loadgen import InferometerError
from inferometer.rounds import round_names
from inferometer.workloads import get_workload, workload_names

__all__ = ["command"]


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON, nothing else")
def command(as_json: bool) -> None:
    """List workloads, backends and rounds, and how to get what is missing."""
    found: dict[str, Any] = {
        "workloads": [_workload(name) for name in workload_names()],
        "backends": [_backend(name) for name in backend_names()],
        "rounds": round_names(),
    }
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(_table("workloads", found["workloads"], ("name", "task", "data", "status")))
    console.print(
        _table("backends", found["backends"], ("name", "version", "devices", "formats", "status"))
    )
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
        "data": f"{info.data_set}, {info.sample_count:,} samples",
        "target": f"{info.metric} {info.target_accuracy:.2%}",
        "formats": list(info.model_formats),
        "status": "here",
    }


def _backend(name: str) -> dict[str, Any]:
    backend = get_backend(name)
    entry: dict[str, Any] = {"name": name, "formats": list(backend.formats)}
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
