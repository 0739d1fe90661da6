"""Capacity on the terminal: the load that was found, and every run that it rests on."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.capacity import SEARCH, Found, Trial
from inferometer.report.capacity_wording import found_lines, title_of, word_of

__all__ = ["print_found"]


def print_found(found: Found, console: Console) -> None:
    """Print the runs as a table, then what they come to in a few lines."""
    title = title_of(found)
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("stage")
    for name in (found.question.unit, "latency / bound", "queries", "s"):
        table.add_column(name, justify="right")
    table.add_column("bound")
    for trial in found.trials:
        table.add_row(*_cells(trial))
    console.print(table)
    for line in found_lines(found):
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(f"runs: {found.folder / SEARCH}", style="bold", highlight=False, soft_wrap=True)


def _cells(trial: Trial) -> tuple[str, ...]:
    one = trial.observation
    share = f"{one.share:.3f}" if math.isfinite(one.share) else "–"
    return (
        trial.stage,
        f"{one.load:,g}",
        share,
        f"{one.queries:,}",
        f"{one.seconds:.1f}",
        word_of(one),
    )
