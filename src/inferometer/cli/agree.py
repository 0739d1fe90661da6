"""``inferometer agree``: whether all backends give the same answers for a workload."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.backends import (
    FLOAT_FORMATS,
    BackendOptions,
    MissingBackendError,
    backend_names,
    get_backend,
)
from inferometer.cli.options import count_option, json_option, weights_option
from inferometer.cli.output import listener_for
from inferometer.report import agreement_markdown, print_agreements
from inferometer.runs import Agreement, agreements
from inferometer.workloads import POCKET_SUITE, WorkloadOptions, suite_or_workload

__all__ = ["command"]

_NO_FRAMEWORK = ("null", "python", "remote")


@click.command("agree")
@click.argument("workload", default=POCKET_SUITE)
@click.option("--backend", "backends", multiple=True, help="[default: all that are installed]")
@count_option
@weights_option
@click.option("--number-format", type=click.Choice(FLOAT_FORMATS), default="fp32")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    help="also write the table into this file, between its <!-- agreement --> marks if it has any",
)
@json_option
def command(**options: Any) -> None:
    """Answer the samples of WORKLOAD (default: the pocket suite) on every backend.

    Each is compared with ONNX Runtime on the same weights: the model's raw outputs, and the
    accuracy over the same samples. Exit code 1 if a backend's accuracy differs by more than
    its interval allows; what a backend can't express is listed with the reason.
    """
    console = Console(stderr=options["as_json"])
    listener = listener_for(console, quiet=options["as_json"])
    rows = [
        row
        for name in suite_or_workload(options["workload"])
        for row in agreements(
            name,
            options["backends"] or _installed(),
            WorkloadOptions(weights=options["weights"], count=options["count"]),
            BackendOptions(threads=options["threads"], precision=options["number_format"]),
            listener.note,
        )
    ]
    if options["as_json"]:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        print_agreements(rows, console)
    if options["markdown"] is not None:
        _write_markdown(options["markdown"], agreement_markdown(rows))
    sys.exit(1 if any(row.agrees is False for row in rows) else 0)


def _installed() -> list[str]:
    """Give the frameworks that are here."""
    found = []
    for name in backend_names():
        try:
            get_backend(name).version()
        except MissingBackendError:
            continue
        if name not in _NO_FRAMEWORK:
            found.append(name)
    return found


def _plain(row: Agreement) -> dict[str, Any]:
    """Give names and plain values, ready for JSON."""
    values: dict[str, Any] = {
        field.name: getattr(row, field.name)
        for field in dataclasses.fields(row)
        if field.name not in ("accuracy", "paired")
    }
    if row.accuracy is not None:
        interval = row.accuracy.interval
        values |= {
            "metric": row.accuracy.metric,
            "accuracy": row.accuracy.value,
            "accuracy_interval": [interval.low, interval.high],
            "samples": row.accuracy.total,
        }
    if row.paired is not None:
        values |= {
            "accuracy_difference": row.paired.value,
            "accuracy_difference_interval": [row.paired.interval.low, row.paired.interval.high],
            "p_value": row.paired.p_value,
        }
    return {**values, "agrees": row.agrees}


def _write_markdown(path: Path, table: str) -> None:
    mark, end = "<!-- agreement -->\n", "<!-- end of agreement -->"
    text = path.read_text("utf-8") if path.exists() else ""
    if mark in text and end in text:
        before, _, rest = text.partition(mark)
        table = f"{before}{mark}{table}{end}{rest.partition(end)[2]}"
    path.write_text(table, "utf-8")
