"""Terminal report of a comparison: a table a workload, then what is to be said of each pair."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.comparing import Comparison, GroupResult, ScenarioResult
from inferometer.loadgen import Finding, Severity
from inferometer.report.comparison_wording import (
    accuracy_cell,
    held_text,
    how_text,
    option_interval,
    pair_cell,
    scenario_title,
    value_text,
)

__all__ = ["print_comparison"]

_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print how it was measured, then each group: table, sentences and findings."""
    console.print(escape(how_text(comparison)), style="dim", highlight=False)
    for group in comparison.groups:
        _print_group(group, console)
    if comparison.comparisons > 1 and comparison.is_interleaved:
        console.print(held_text(comparison), style="dim", highlight=False)


def _print_group(group: GroupResult, console: Console) -> None:
    console.print()
    console.print(f"[bold]{escape(group.name)}[/]  {escape(group.title)}", highlight=False)
    if group.is_refused:
        console.print("[bold red]not comparable[/]", highlight=False)
    for scenario in group.scenarios:
        console.print(_table(group, scenario))
        for pair in scenario.pairs:
            style = "bold" if pair.shows_difference else "default"
            console.print(escape(pair.sentence), style=style, highlight=False)
    _print_findings(group.findings, "", console)
    for scenario in group.scenarios:
        _print_findings(scenario.findings, f"{scenario.scenario.value}: ", console)


def _table(group: GroupResult, scenario: ScenarioResult) -> Table:
    title = escape(scenario_title(scenario))
    table = Table(title=title, title_justify="left", title_style="default")
    table.box, table.pad_edge, table.padding = SIMPLE_HEAD, False, (0, 1, 0, 0)
    for name in ("option", "result", "as fast as the first", "accuracy"):
        table.add_column(name)
    records = {one.label: one for one in group.options}
    for option in scenario.options:
        times, interval = pair_cell(scenario, option)
        own = option_interval(option, scenario.unit)
        table.add_row(
            escape(option.label),
            f"[bold]{value_text(option.value, scenario.unit)}[/]\n[dim]{own}[/]",
            f"{times}\n[dim]{interval}[/]",
            escape(accuracy_cell(records[option.label])),
        )
    return table


def _print_findings(findings: Iterable[Finding], prefix: str, console: Console) -> None:
    for found in findings:
        if found.rule.severity is Severity.INFO:
            continue
        console.print(
            f"[{_STYLE[found.rule.severity]}]{found.rule.severity.value}[/] {prefix}"
            f"{escape(found.rule.title)} ({escape(found.seen)})",
            highlight=False,
        )
        console.print(
            f"  [dim]→ {escape(found.rule.remedy)} \\[{found.rule.id}][/]", highlight=False
        )
