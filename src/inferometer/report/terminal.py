"""Terminal report: one table for a session, and what speaks against its results."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Finding, Severity
from inferometer.report.summary import SummaryRow, backend_text, phases_text, summary_rows
from inferometer.runs import Session

__all__ = ["print_session", "print_sessions"]

_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_COLUMNS = {
    "scenario": 12,
    "result": 17,
    "p99 latency": 11,
    "verdict": 7,
    "lateness p99": 8,
    "accuracy": 13,
}
"""Columns with the widths that hold nearly every number, 80 characters in all."""


def print_session(session: Session, console: Console) -> None:
    """Print a row for each performance run, then the findings and the notes."""
    print_sessions([session], console)


def print_sessions(sessions: Sequence[Session], console: Console) -> None:
    """Print one table for some sessions, each a part of it, then their findings and notes."""
    is_one = len(sessions) == 1
    if is_one:
        console.print(_table(sessions[0], _title(sessions[0])))
    else:
        console.print(f"[bold]{backend_text(sessions[0])} · {sessions[0].label}[/]")
        for number, session in enumerate(sessions):
            name = str(session.workload["name"])
            console.print(_table(session, name, is_part=True, has_head=number == 0))
    for session in sessions:
        _print_phases(session, console, "" if is_one else f"{session.workload['name']} ")
        _print_findings(session, console, "" if is_one else f"{session.workload['name']} ")
        for note in session.notes:
            console.print(escape(note), style="dim", highlight=False)


def _table(session: Session, title: str, *, is_part: bool = False, has_head: bool = True) -> Table:
    """Make the table of a session; parts of one table have columns of the same widths."""
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    table.box, table.pad_edge, table.padding = SIMPLE_HEAD, False, (0, 1, 0, 0)
    table.show_header = has_head
    for name, width in _COLUMNS.items():
        # Bounds may be long; where there is room, they stay on one line.
        is_flexible = name == "p99 latency" and not is_part
        table.add_column(name, width=None if is_flexible else width, min_width=width)
    for row in summary_rows(session):
        table.add_row(*_cells(row))
    return table


def _title(session: Session) -> str:
    return f"{session.workload['title']} · {backend_text(session)} · {session.label}"


def _cells(row: SummaryRow) -> tuple[str, ...]:
    verdict = {True: "[green]VALID[/]", False: "[bold red]INVALID[/]", None: "–"}[row.is_valid]
    reached = {True: "green", False: "bold red", None: "default"}[row.is_accurate]
    accuracy = f"[{reached}]{escape(row.accuracy)}[/]"
    if row.target:
        accuracy += f"\n[dim]{escape(row.target)}[/]"
    return (
        row.scenario + (f"\n[dim]run {row.run}[/]" if row.run else ""),
        f"[bold]{escape(row.value)}[/] {escape(row.metric)}\n[dim]{escape(row.interval)}[/]"
        + "".join(f"\n{escape(part)}" for part in row.tokens.split(", ") if part),
        escape(row.latency) + (f"\n[dim]{escape(row.bound)}[/]" if row.bound else ""),
        verdict,
        row.lateness,
        accuracy,
    )


def _print_phases(session: Session, console: Console, prefix: str) -> None:
    """Print a line for each performance run: where its time went."""
    for test in session.tests:
        text = phases_text(test)
        if text:
            console.print(f"{prefix}{test.scenario.value}: {text}", style="dim", highlight=False)


def _print_findings(session: Session, console: Console, prefix: str) -> None:
    """Print each finding with where it was seen and what to do; the mild ones stay out."""
    for found in session.findings:
        _print_finding(found, console, str(session.workload["name"]))
    for test in session.tests:
        for found in test.findings:
            if found.rule.severity is not Severity.INFO:
                _print_finding(found, console, prefix + test.title)


def _print_finding(found: Finding, console: Console, where: str) -> None:
    style = _SEVERITY_STYLE[found.rule.severity]
    console.print(
        f"[{style}]{found.rule.severity.value}[/] {escape(where)}: "
        f"{escape(found.rule.title)} ({escape(found.seen)})",
        highlight=False,
    )
    console.print(f"  [dim]→ {escape(found.rule.remedy)} \\[{found.rule.id}][/]", highlight=False)
