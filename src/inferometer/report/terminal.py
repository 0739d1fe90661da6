"""Terminal report: one table for a session, and what speaks against its results."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Severity
from inferometer.report.summary import SummaryRow, backend_text, summary_rows
from inferometer.runs import Session

__all__ = ["print_session", "print_sessions"]

_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_COLUMNS = ("scenario", "result", "p99 latency", "verdict", "lateness p99", "accuracy")


def print_session(session: Session, console: Console) -> None:
    """Print a row for each performance run, then the findings and the notes."""
    print_sessions([session], console)


def print_sessions(sessions: Sequence[Session], console: Console) -> None:
    """Print one table for some sessions, each a section, then their findings and notes."""
    is_one = len(sessions) == 1
    table = Table(title=escape(_title(sessions[0])) if is_one else None, title_justify="left")
    table.title_style = "bold"
    table.box, table.pad_edge, table.padding = SIMPLE_HEAD, False, (0, 2, 0, 0)
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name == "scenario")
    for session in sessions:
        if not is_one:
            table.add_row(f"[bold]{escape(str(session.workload['name']))}[/]")
        for row in summary_rows(session):
            table.add_row(*_cells(row))
        table.add_section()
    if not is_one:
        console.print(f"[bold]{backend_text(sessions[0])} · {sessions[0].label}[/]")
    console.print(table)
    for session in sessions:
        _print_findings(session, console, "" if is_one else f"{session.workload['name']} ")
        for note in session.notes:
            console.print(escape(note), style="dim", highlight=False)


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
        + (f"\n{escape(row.tokens)}" if row.tokens else ""),
        escape(row.latency) + (f"\n[dim]{escape(row.bound)}[/]" if row.bound else ""),
        verdict,
        row.lateness,
        accuracy,
    )


def _print_findings(session: Session, console: Console, prefix: str) -> None:
    """Print each finding with where it was seen and what to do; the mild ones stay out."""
    for test in session.tests:
        for found in test.findings:
            if found.rule.severity is Severity.INFO:
                continue
            style = _SEVERITY_STYLE[found.rule.severity]
            console.print(
                f"[{style}]{found.rule.severity.value}[/] {escape(prefix + test.title)}: "
                f"{escape(found.rule.title)} ({escape(found.seen)})",
                highlight=False,
            )
            console.print(
                f"  [dim]→ {escape(found.rule.remedy)} \\[{found.rule.id}][/]", highlight=False
            )
