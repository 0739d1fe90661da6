"""Sweep table: a row an option, those that meet the needs first, for terminal and Markdown."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.report.markup import markdown_row
from inferometer.report.markup import pull_request_text as _text
from inferometer.report.sweep_wording import ANSWER_WORDS, figure_text
from inferometer.sweeping import Answer, Choice, Row

__all__ = ["print_sweep", "sweep_markdown"]

_STYLES = {
    Answer.MET: "green",
    Answer.OPEN: "yellow",
    Answer.MISSED: "red",
    Answer.UNKNOWN: "dim",
}
_SHORT = {
    "SingleStream latency": "SingleStream",
    "MultiStream latency": "MultiStream",
    "Server latency": "Server",
    "Offline throughput": "Offline",
}


def print_sweep(choice: Choice, console: Console, currency: str = "") -> None:
    """Print the options with their figures, what failed, and what comes out."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("option", min_width=22)
    for name in choice.figures:
        head = f"{name}\n{currency or 'of 10⁶'}" if name == "cost" else _SHORT.get(name, name)
        table.add_column(head, no_wrap=name != "cost")
    if choice.needs:
        table.add_column("meets")
    for row in choice.rows:
        if not row.error:
            table.add_row(*_cells(row, choice))
    console.print(table)
    _print_remarks(choice, console)


def _cells(row: Row, choice: Choice) -> list[str]:
    mark = "[bold]★ [/]" if row.is_best else "  "
    cells = [f"{mark}{escape(row.option.label)}"]
    for name in choice.figures:
        figure = row.figures.get(name)
        text = "–" if figure is None else escape(figure_text(figure))
        if figure is not None and not figure.is_valid:
            text += "\n[bold red]INVALID[/]"
        cells.append(text)
    if choice.needs:
        cells.append(f"[{_STYLES[row.answer]}]{ANSWER_WORDS[row.answer]}[/]")
    return cells


def _print_remarks(choice: Choice, console: Console) -> None:
    def say(text: str, style: str | None = None) -> None:
        console.print(escape(text), style=style, highlight=False)

    if "cost" in choice.figures:
        say("cost: of a million samples, the machine being busy", "dim")
    for need in choice.needs:
        say(f"needed: {need.text}", "dim")
    if any(row.is_best for row in choice.rows):
        say("★ no other option is at least as good in everything and better in something", "dim")
    for row in choice.rows:
        for warning in row.warnings:
            say(f"{row.option.label}: {warning}", "yellow")
        if row.error:
            say(f"{row.option.label}: {row.error}", "red")
    say(choice.sentence, "bold")


def sweep_markdown(choice: Choice, currency: str = "") -> str:
    """Give the options as a table in Markdown, with what comes out above it."""
    head = ["option", *choice.figures, *(["meets"] if choice.needs else [])]
    lines = [
        f"**{_text(choice.sentence)}**",
        "",
        markdown_row(head),
        markdown_row(["---"] * len(head)),
    ]
    for row in choice.rows:
        if row.error:
            lines.append(markdown_row([_text(row.option.label), _text(row.error)]))
            continue
        cells = [f"{'★ ' if row.is_best else ''}{_text(row.option.label)}"]
        for name in choice.figures:
            figure = row.figures.get(name)
            cells.append("–" if figure is None else _text(figure_text(figure, currency)))
        lines.append(markdown_row([*cells, *([ANSWER_WORDS[row.answer]] if choice.needs else [])]))
    needs = "".join(f"\n- {_text(need.text)}" for need in choice.needs)
    return "\n".join(lines) + (f"\n\nNeeded:\n{needs}" if needs else "") + "\n"
