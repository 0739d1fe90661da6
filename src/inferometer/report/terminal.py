"""Terminal report: one table for a session, and what speaks against its results."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Severity
from inferometer.report.summary import SummaryRow, backend_text, summary_rows
from inferometer.runs import Session

__all__ = ["print_session"]

_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_COLUMNS = ("scenario", "result", "p99 latency", "verdict", "lateness p99", "accuracy")


def print_session(session: Session, console: Console) -> None:
    """Print a row for each performance run, then the findings and the notes."""
    title = f"{session.workload['title']} · {backend_text(session)} · {session.label}"
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    table.box, table.pad_edge, table.padding = SIMPLE_HEAD, False, (0, 2, 0, 0)
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name == "scenario")
    for row in summary_rows(session):
        table.add_row(*_cells(row))
    console.print(table)
    _print_findings(session, console)
    for note in session.notes:
        console.print(escape(note), style="dim", highlight=False)


def _cells(row: SummaryRow) -> tuple[str, ...]:
    verdict = {True: "[green]VALID[/]", False: "[bold red]INVALID[/]", None: "–"}[row.is_valid]
    reached = {True: "green", False: "bold red", None: "default"}[row.is_accurate]
    accuracy = f"[{reached}]{escape(row.accuracy)}[/]"
    if row.target:
        accuracy += f"\n[dim]{escape(row.target)}[/]"
    return (
        row.scenario + (f"\n[dim]run {row.run}[/]" if row.run else ""),
        f"[bold]{escape(row.value)}[/] {escape(row.metric)}\n[dim]{escape(row.interval)}[/]"
        + (f"\n{escape(row.tokens)}" if row.tokens else ""),
        escape(row.latency) + (f"\n[dim]{escape(row.bound)}[/]" if row.bound else ""),
        verdict,
        row.lateness,
        accuracy,
    )


def _print_findings(session: Session, console: Console) -> None:
    """Print each finding with where it was seen and what to do; the mild ones stay out."""
    for test in session.tests:
        for found in test.findings:
            if found.rule.severity is Severity.INFO:
                continue
            style = _SEVERITY_STYLE[found.rule.severity]
            console.print(
                f"[{style}]{found.rule.severity.value}[/] {escape(test.title)}: "
                f"{escape(found.rule.title)} ({escape(found.seen)})",
                highlight=False,
            )
            console.print(
                f"  [dim]→ {escape(found.rule.remedy)} \\[{found.rule.id}][/]", highlight=False
            )
