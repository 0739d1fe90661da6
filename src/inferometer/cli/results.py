"""``inferometer results``: published rounds and own runs in one table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from inferometer.cli.options import json_option
from inferometer.loadgen import Severity
from inferometer.report.leaderboard import write_leaderboard
from inferometer.report.leaderboard_terminal import print_leaderboard
from inferometer.submission.published import (
    OWN,
    SORT_KEYS,
    SUFFIXES,
    Imported,
    Need,
    ResultRow,
    check_table_name,
    chosen,
    groups,
    import_folder,
    merged,
    read_table,
    write_table,
)

__all__ = ["command"]

_table_file = click.Path(path_type=Path, dir_okay=False)


@click.group("results", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Read published rounds and your own runs into one table; compare, and draw a page.

    \b
    inferometer results import inference_results_v0.5 --into results.parquet
    inferometer results import runs/mine --into results.parquet
    inferometer results show results.parquet --benchmark resnet --scenario Server
    inferometer results report results.parquet --output results.html
    """  # noqa: D301


@command.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into",
    type=_table_file,
    default=Path("results.parquet"),
    show_default=True,
    help=f"file to add to: {', '.join(SUFFIXES)}",
)
@click.option("--as", "name", default=OWN, show_default=True, help="who submitted your own runs")
@click.option("--round", "round_name", help="the round of a tree [default: by its logs]")
@click.option("--json", "as_json", is_flag=True, help="print the new rows as JSON, nothing else")
def import_(folder: Path, into: Path, name: str, round_name: str | None, as_json: bool) -> None:
    """Read FOLDER, a published round or a run of yours, into a table.

    Rows of the same folder that are already in the table are replaced. Nothing odd stops the
    import: what was odd about a result is kept as a finding of its row.
    """
    check_table_name(into)
    old = read_table(into) if into.exists() else []
    found = import_folder(folder, name=name, round_name=round_name)
    rows = merged(old, found.rows)
    write_table(into, rows)
    if as_json:
        click.echo(_as_json(found.rows))
        return
    _print_import(found, into, len(rows))


@command.command()
@click.argument("file", type=_table_file)
@click.option("--benchmark", help="official name, or that of the folder")
@click.option("--scenario", help="SingleStream, MultiStream, Server or Offline")
@click.option("--division", help="closed or open")
@click.option("--processor-kind", help="CPU, GPU, DSP, FPGA, ASIC or unknown; CPU: no accelerator")
@click.option("--framework", help="family, such as OpenVINO")
@click.option("--submitter", help=f"who submitted it; {OWN} for your runs")
@click.option(
    "--max-latency-ms",
    type=click.FloatRange(min=0),
    help="longest latency at the percentile that counts; leaves Offline out",
)
@click.option("--sort", type=click.Choice(SORT_KEYS), default="best", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="rows of each benchmark and scenario")
@json_option
def show(file: Path, sort: str, limit: int | None, as_json: bool, **asked: Any) -> None:
    """Show the results of FILE that meet your need, the best first."""
    rows = read_table(file)
    need = Need(**asked)
    need.check(rows)
    found = chosen(rows, need, sort)
    if as_json:
        click.echo(_as_json([row for group in groups(found) for row in group[:limit]]))
        return
    console = Console()
    if not found:
        console.print(f"none of {len(rows):,} results meets all of this", highlight=False)
        return
    print_leaderboard(found, console, limit=limit)
    console.print(f"{len(found):,} of {len(rows):,} results", style="dim", highlight=False)


@command.command()
@click.argument("file", type=_table_file)
@click.option("--output", type=_table_file, help="HTML file [default: beside FILE]")
def report(file: Path, output: Path | None) -> None:
    """Write one HTML page for FILE, in which people pick by what they need."""
    page = write_leaderboard(read_table(file), output or file.with_suffix(".html"))
    Console().print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)


def _as_json(rows: Sequence[ResultRow]) -> str:
    return json.dumps([row.to_mapping() for row in rows], indent=2, ensure_ascii=False)


def _print_import(found: Imported, into: Path, total: int) -> None:
    """Say what came in, and what was odd: each rule once, with how often."""
    console = Console(highlight=False, soft_wrap=True)
    submitters = {row.submitter for row in found.rows}
    console.print(
        f"[bold]{len(found.rows):,} results[/] of {len(submitters)} submitters read; "
        f"{escape(str(into))} holds {total:,}"
    )
    rules = Counter(one.rule for row in found.rows for one in row.findings)
    for rule, count in sorted(rules.items(), key=lambda item: (item[0].severity.value, item[0].id)):
        style = "dim" if rule.severity is Severity.INFO else "yellow"
        console.print(
            f"[{style}]{count:4,} ×[/] {escape(rule.title)} [dim]\\[{escape(rule.id)}][/]"
        )
    for remark in found.remarks:
        console.print(f"[yellow]mind[/]  {escape(remark)}")
