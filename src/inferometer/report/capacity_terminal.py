"""Capacity on the terminal: the load that was found, and every run that it rests on."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.capacity import SEARCH, Found, Trial

__all__ = ["found_lines", "print_found"]


def print_found(found: Found, console: Console) -> None:
    """Print the runs as a table, then what they come to in a few lines."""
    title = f"{found.workload} on {found.backend}, {found.question.scenario.value}"
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
    word = "met" if one.has_met else "missed, ended early" if one.was_stopped else "missed"
    return (trial.stage, f"{one.load:,.4g}", share, f"{one.queries:,}", f"{one.seconds:.1f}", word)


def found_lines(found: Found) -> list[str]:
    """Say what was found, how sure it is, and what it took."""
    unit, goal, bound = found.question.unit, found.goal, found.question.bound
    lines = [f"bound: p{bound.percentile * 100:g} within {bound.limit_ns / 1e6:g} ms"]
    if found.load is None:
        lines.append(f"no load is given: {found.outcome.value}")
    else:
        assert found.pass_share is not None
        assert found.sure_pass_share is not None
        lines.append(
            f"{found.load:,.6g} {unit}: {found.outcome.value}; a rerun passes "
            f"{found.pass_share:.1%} of the time, at least {found.sure_pass_share:.1%} with "
            f"{goal.confidence:.0%} confidence"
        )
    if found.estimate is not None:
        low, high = found.estimate.low, found.estimate.high
        lines.append(
            f"highest load at which {goal.pass_share:.0%} of reruns pass: {low:,.4g} to "
            f"{high:,.4g}, each end with {goal.confidence:.0%} confidence"
        )
    lines.append(_effort(found))
    if found.question.settings and not found.question.by_the_book:
        lines.append("a run is as long as it was asked to be, not as a round asks")
    return lines


def _effort(found: Found) -> str:
    searching = sum(trial.stage == "search" for trial in found.trials)
    text = f"{searching} runs to search, {len(found.trials) - searching} to verify"
    if found.verified:
        text += f", the last {found.verified} VALID in a row"
    return f"{text}; {found.seconds:.0f} s of load"
