"""Gates on a terminal: one line for each test that a gate was held against."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from inferometer.runs.gates import GateResult

__all__ = ["print_gates"]


def print_gates(results: Sequence[GateResult], console: Console) -> None:
    """Print what was asked and what was seen, and what to do about a gate that failed."""
    for result in results:
        word = "[green]gate passed[/]" if result.has_passed else "[bold red]gate failed[/]"
        where = f" {result.where}:" if result.where else ""
        text = f"{result.seen}; fails if {result.condition}"
        console.print(f"{word}{escape(where)} {escape(text)}", highlight=False)
        if result.finding is not None:
            rule = result.finding.rule
            console.print(f"  [dim]→ {escape(rule.remedy)} \\[{rule.id}][/]", highlight=False)
