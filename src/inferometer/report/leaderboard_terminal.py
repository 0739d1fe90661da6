"""Leaderboard in the terminal: one table a benchmark and scenario, the best first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Severity
from inferometer.report.leaderboard_wording import (
    accuracy_cell,
    bound_cell,
    latency_cell,
    metric_cell,
    model_cell,
    place_cell,
    warnings_of,
)
from inferometer.submission.published import ResultRow, groups

__all__ = ["print_leaderboard"]


def print_leaderboard(
    rows: Sequence[ResultRow], console: Console, *, limit: int | None = None
) -> None:
    """Print rows that are sorted already, grouped by benchmark and scenario.

    ``limit`` is how many rows of each group are shown; how many are left out is told.
    """
    for members in groups(rows):
        first, shown = members[0], members[:limit]
        title = f"{first.benchmark} · {first.scenario} · {first.metric or 'no metric'}"
        caption = {True: "more is better", False: "less is better", None: ""}[
            first.higher_is_better
        ]
        if len(shown) < len(members):
            caption += f"; {len(members) - len(shown)} more, see --limit"
        console.print(_table(shown, title, caption.removeprefix("; ")))


def _table(rows: Sequence[ResultRow], title: str, caption: str) -> Table:
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.caption, table.caption_justify, table.pad_edge = caption, "left", False
    for name in ("", "system", "result", "latency", "accuracy", "runs on"):
        table.add_column(name, justify="right" if name in ("", "result") else "left")
    for number, row in enumerate(rows, start=1):
        table.add_row(str(number), *_cells(row))
    return table


def _cells(row: ResultRow) -> tuple[str, ...]:
    system = f"[bold]{escape(row.submitter)}[/]{' [cyan]yours[/]' if row.is_own else ''}"
    system += f"\n[dim]{escape(row.title)}[/]"
    place = f"{place_cell(row, ' ')} {model_cell(row)}".rstrip()
    result = f"[bold]{escape(metric_cell(row))}[/]"
    if row.is_valid is False:
        result += "\n[bold red]INVALID[/]"
    reached = {True: "green", False: "bold red", None: "default"}[row.meets_target]
    accuracy = f"[{reached}]{escape(accuracy_cell(row))}[/]\n[dim]{escape(row.precision)}[/]"
    hardware = f"{escape(row.processor_kind)}: {escape(row.hardware)}"
    return (
        f"{system}\n[dim]{escape(place)}[/]",
        result,
        f"{latency_cell(row)}\n[dim]{bound_cell(row)}[/]",
        accuracy,
        f"{hardware}\n[dim]{escape(row.framework_family)}[/]{_findings(row)}",
    )


def _findings(row: ResultRow) -> str:
    """Say how many findings a row has; the more serious ones by name."""
    if not warnings_of(row):
        return ""
    titles = dict.fromkeys(
        found.rule.title for found in row.findings if found.rule.severity is not Severity.INFO
    )
    return f"\n[yellow]{escape('; '.join(titles))}[/]"
