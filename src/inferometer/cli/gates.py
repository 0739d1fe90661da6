"""Gates on the command line: their options, what they come to, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from inferometer.loadgen import Scenario, write_atomically
from inferometer.report.junit import sessions_junit
from inferometer.report.markdown import sessions_markdown
from inferometer.runs import Session, load_sessions
from inferometer.runs.gates import (
    Condition,
    GateResult,
    check_baseline,
    check_scope,
    hold_gates,
    parse_condition,
)

__all__ = [
    "EXIT_GATE",
    "Gates",
    "check_summaries",
    "console_for",
    "gate_options",
    "session_json",
    "summary_options",
    "with_gates",
    "write_summaries",
]

EXIT_GATE = 4
_Command = TypeVar("_Command", bound=Callable[..., Any])
_STANDARD_OUTPUT = Path("-")


def gate_options(command: _Command) -> _Command:
    """Add ``--fail-if`` and ``--baseline``."""
    command = click.option(
        "--baseline",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="RUN",
        help="folder of a kept run, for conditions such as `p99 > baseline * 1.1`",
    )(command)
    return click.option(
        "--fail-if",
        "fail_if",
        multiple=True,
        metavar="CONDITION",
        help="exit with 4 if it holds, such as `Server p99 > 15 ms`; repeat for several",
    )(command)


def summary_options(command: _Command) -> _Command:
    """Add ``--markdown`` and ``--junit``."""
    path = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
    command = click.option(
        "--junit", type=click.Path(path_type=Path, dir_okay=False), help="file for JUnit XML"
    )(command)
    return click.option("--markdown", type=path, help="file for Markdown; - for standard output")(
        command
    )


@dataclass(frozen=True)
class Gates:
    """The conditions that were asked for, with the kept run that they may refer to."""

    conditions: tuple[Condition, ...]
    baseline: tuple[Session, ...] | None

    @classmethod
    def asked(cls, fail_if: Sequence[str], baseline: Path | None) -> Gates:
        """Read the options; raise `GateError` or `RunFolderError` before anything is run."""
        conditions = tuple(parse_condition(text) for text in fail_if)
        for condition in conditions:
            check_baseline(condition, has_baseline=baseline is not None)
        return cls(conditions, None if baseline is None else tuple(load_sessions(baseline)))

    def check(self, names: Sequence[str], scenarios: Sequence[Scenario]) -> None:
        """Raise `GateError` for a condition about something that isn't going to be run."""
        for condition in self.conditions:
            check_scope(condition, names, scenarios)

    def hold(self, sessions: Sequence[Session]) -> list[GateResult]:
        """Hold every condition against what was measured."""
        return hold_gates(self.conditions, sessions, self.baseline)


def write_summaries(
    options: dict[str, Any],
    sessions: Sequence[Session],
    results: Sequence[GateResult],
    baseline: Sequence[Session] | None,
) -> None:
    """Write the Markdown and the JUnit XML that were asked for."""
    if options["junit"] is not None:
        write_atomically(options["junit"], sessions_junit(sessions, results))
    if options["markdown"] == _STANDARD_OUTPUT:
        click.echo(sessions_markdown(sessions, results, baseline))
    elif options["markdown"] is not None:
        _write_or_append(options["markdown"], sessions_markdown(sessions, results, baseline))


def _write_or_append(path: Path, text: str) -> None:
    """Write a file; what isn't a plain file, such as a pipe, is written in place."""
    if path.exists() and not path.is_file():
        path.write_text(text, "utf-8")
    else:
        write_atomically(path, text.encode("utf-8"))


def check_summaries(options: dict[str, Any]) -> None:
    """Refuse two things on standard output."""
    if options["as_json"] and options["markdown"] == _STANDARD_OUTPUT:
        raise click.UsageError("--json and --markdown - both want standard output; name a file")


def console_for(options: dict[str, Any]) -> Console:
    """Give the console for everything that is told beside what standard output is taken for."""
    return Console(stderr=options["as_json"] or options["markdown"] == _STANDARD_OUTPUT)


def session_json(session: Session, results: Sequence[GateResult]) -> dict[str, Any]:
    """Give a session ready for JSON, with the gates about it and those that are about nothing."""
    gates = [
        result.to_mapping()
        for result in results
        if not result.workload
        or (result.workload, result.backend)
        == (session.workload.get("name"), session.backend.get("name"))
    ]
    values = {
        **session.to_mapping(),
        "tests": [test.to_mapping() for test in session.tests],
    }
    return {**values, "gates": gates} if results else values


def with_gates(code: int, results: Sequence[GateResult]) -> int:
    """Give the exit code: a failed gate comes before bad results, and after a failed run."""
    failed = not all(result.has_passed for result in results)
    return EXIT_GATE if failed and code <= 1 else code
