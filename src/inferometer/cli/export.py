"""``inferometer export``: a workload's model in each framework's own format, checked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.backends import (
    Backend,
    BackendError,
    Exporter,
    MissingBackendError,
    UnsupportedModelError,
    backend_names,
    get_backend,
)
from inferometer.cli.options import json_option, weights_option, workload_option
from inferometer.cli.output import listener_for
from inferometer.cli.request import named_value
from inferometer.loadgen import InferometerError
from inferometer.workloads import WorkloadError, WorkloadOptions, suite_or_workload
from inferometer.workloads.exported import ExportRecord, export_model
from inferometer.workloads.for_backend import definitions_of, workload_for

__all__ = ["command"]

_ALL = "all"


@dataclass(frozen=True)
class _Made:
    """What came of one part of a model for one backend; ``problem`` says why nothing did."""

    workload: str
    part: str
    backend: str
    path: Path | None = None
    record: ExportRecord | None = None
    problem: str = ""
    operators: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        values = {**asdict(self), "path": None if self.path is None else str(self.path)}
        if self.record is not None:
            values["largest_relative_difference"] = self.record.largest_relative
        return values


@click.command("export")
@click.argument("workload")
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    help=f"whose format to write; repeat for several, or `{_ALL}` for those installed",
)
@weights_option
@click.option("--model", type=click.Path(path_type=Path), help="published weights in another place")
@click.option("--data", type=click.Path(path_type=Path), help="the data set's folder")
@workload_option
@json_option
def command(**options: Any) -> None:
    """Write the model of WORKLOAD, or of each of a suite, in a framework's own format.

    It is made from the definition in PyTorch with its weights, kept by what it was made of,
    and its outputs are compared with PyTorch's before it is used; `inferometer run` does the
    same by itself when it needs a model. Exit code 1 if a framework can't express a model.
    """
    console = Console(stderr=options["as_json"])
    listener = listener_for(console, quiet=options["as_json"])
    made = [
        one
        for name in suite_or_workload(options["workload"])
        for backend in _backends(options["backends"])
        for one in _export(name, backend, options, listener.note)
    ]
    if options["as_json"]:
        values = [one.to_mapping() for one in made]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    else:
        _print(made, console)
    sys.exit(1 if any(one.problem for one in made) else 0)


def _backends(names: tuple[str, ...]) -> list[Backend]:
    """Give the backends that were named, or all that are installed and write a format."""
    if _ALL not in names:
        return [get_backend(name) for name in names]
    found = [backend for name in backend_names() if _writes(backend := get_backend(name))]
    if not found:
        raise WorkloadError("no backend that writes a format is installed; see inferometer list")
    return found


def _writes(backend: Backend) -> bool:
    """Tell whether a backend is installed and has a format of its own."""
    if not isinstance(backend, Exporter):
        return False
    try:
        backend.version()
        backend.export_versions()
    except MissingBackendError:
        return False
    return True


def _export(name: str, backend: Backend, options: dict[str, Any], note: Any) -> list[_Made]:
    asked = WorkloadOptions(
        data=options["data"],
        model=options["model"],
        weights=options["weights"],
        extra=dict(named_value(text) for text in options["workload_extra"]),
    )
    definitions = definitions_of(workload_for(name, asked, backend))
    if not definitions:
        raise WorkloadError(
            f"the model of {name} is a file that is run as it is; there is no definition to "
            "export it from"
        )
    made = []
    for part, definition in definitions.items():
        try:
            file, record = export_model(definition, backend, note)
            made.append(_Made(name, part, backend.name, file.path, record))
        except UnsupportedModelError as error:
            made.append(
                _Made(name, part, backend.name, problem=str(error), operators=error.operators)
            )
        except MissingBackendError:
            raise
        except (BackendError, InferometerError) as error:
            made.append(_Made(name, part, backend.name, problem=str(error)))
    return made


def _print(made: list[_Made], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("model", "backend", "MB", "largest difference"):
        table.add_column(column, justify="right" if column == "MB" else "left")
    for one in made:
        name = one.workload if one.part == "model" else f"{one.workload} {one.part}"
        if one.record is None:
            table.add_row(escape(name), one.backend, "–", "not made, see below")
            continue
        difference = f"{one.record.largest_relative:.1e} of the output's largest number"
        table.add_row(escape(name), one.backend, f"{one.record.size_bytes / 1e6:.2f}", difference)
    console.print(table)
    for one in made:
        where = one.problem or str(one.path)
        console.print(
            f"{one.workload} {one.part} for {one.backend}: {escape(where)}",
            highlight=False,
            soft_wrap=True,
        )
