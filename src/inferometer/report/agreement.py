"""Agreement tables: what each backend gives for one model, on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.runs import Agreement
from inferometer.workloads import in_unit

__all__ = ["agreement_markdown", "print_agreements"]

_COLUMNS = ("backend", "precision", "outputs differ", "accuracy", "accuracy differs")


def print_agreements(rows: Sequence[Agreement], console: Console) -> None:
    """Print a table for each workload, then why some backends have nothing."""
    for workload in dict.fromkeys(row.workload for row in rows):
        table = Table(box=SIMPLE_HEAD, title=workload, title_justify="left", title_style="bold")
        for column in _COLUMNS:
            table.add_column(column, overflow="fold")
        for row in rows:
            if row.workload == workload:
                table.add_row(*(escape(cell) for cell in _cells(row)))
        console.print(table)
    for row in rows:
        if row.problem:
            text = f"{row.workload} on {row.backend}: {row.problem}"
            console.print(escape(text), highlight=False, soft_wrap=True)


def agreement_markdown(rows: Sequence[Agreement]) -> str:
    """Write the same as a Markdown table, with the reasons below it."""
    columns = ("workload", *_COLUMNS)
    lines = [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {row.workload} | {' | '.join(_cells(row))} |" for row in rows),
    ]
    versions = {row.backend: row.version for row in rows if row.version}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    reasons = [
        f"- `{row.workload}` on `{row.backend}`: {row.problem}" for row in rows if row.problem
    ]
    return "\n".join([*lines, "", f"Versions: {listed}.", "", *reasons]).rstrip() + "\n"


def _cells(row: Agreement) -> tuple[str, ...]:
    if row.problem:
        lacks = f"lacks {', '.join(row.operators)}" if row.operators else "see below"
        return (row.backend, "–", "–", lacks, "–")
    difference = "–" if row.difference is None else f"{row.difference:.1e}"
    accuracy, paired = "not measured", "–"
    if row.accuracy is not None:
        accuracy = in_unit(row.accuracy.value, row.accuracy.unit)
        interval = row.accuracy.interval
        if interval.low is not None and interval.high is not None:
            ends = (in_unit(end, row.accuracy.unit) for end in (interval.low, interval.high))
            accuracy += f" [{', '.join(ends)}]"
    if row.paired is not None and row.accuracy is not None:
        ends = (
            in_unit(end, row.accuracy.unit)
            for end in (row.paired.interval.low, row.paired.interval.high)
        )
        paired = f"{in_unit(row.paired.value, row.accuracy.unit)} [{', '.join(ends)}]"
    return (row.backend, row.precision, difference, accuracy, paired)
