"""``inferometer check``: whether a submission tree keeps the rules of its round."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inferometer.cli.options import json_option
from inferometer.loadgen import write_atomically
from inferometer.report.checks import (
    checks_junit,
    checks_markdown,
    print_checks,
    print_published,
)
from inferometer.rounds import round_names
from inferometer.submission.checking import CheckOptions, TreeReport, Truth, check_tree

__all__ = ["command"]

_WIDTH_OF_FILES = 160
_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_out = click.Path(path_type=Path, dir_okay=False)


@click.command("check")
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path, exists=True))
@click.option("--round", "round_name", type=click.Choice(round_names()), help="[default: by logs]")
@click.option("--submitter", metavar="NAME", help="only results of this submitter")
@click.option("--labels", type=_file, help="classification: val_map.txt")
@click.option("--annotations", type=_file, help="detection: instances_val2017.json")
@click.option("--references", type=_file, help="translation: newstest2014.tok.bpe.32000.de")
@click.option("--without-code", is_flag=True, help="don't ask for code, as for published data")
@click.option(
    "--skip-dataset-size-check", is_flag=True, help="let demonstrations on less data pass"
)
@click.option(
    "--as-published", is_flag=True, help="the published checker's verdict, slips included"
)
@json_option
@click.option("--junit", type=_out, help="file for JUnit XML")
@click.option("--markdown", type=_out, help="file for Markdown")
@click.option("--workers", type=click.IntRange(1), help="processes  [default: cores]")
def command(
    tree: Path,
    round_name: str | None,
    as_published: bool,
    as_json: bool,
    workers: int | None,
    **given: Any,
) -> None:
    """Check the submission tree TREE: files, logs, settings, figures, samples, accuracy.

    TREE holds closed/ or open/. What can be computed is computed anew: give the truth of the
    data sets (--labels, --annotations, --references) for the accuracy. `inferometer rules ID`
    says what a rule asks, and how the published checker differs.

    Exit code 0 if there are results and no finding is an error, 1 otherwise; with
    --as-published that of the published checker, but 1 if there is no result.
    """
    truth = Truth(given["labels"], given["annotations"], given["references"])
    options = CheckOptions(
        given["submitter"],
        truth,
        with_code=not given["without_code"],
        is_demo=given["skip_dataset_size_check"],
    )
    report = _checked(tree, round_name, options, workers)
    if given["junit"] is not None:
        write_atomically(given["junit"], checks_junit(report))
    if given["markdown"] is not None:
        write_atomically(given["markdown"], checks_markdown(report).encode())
    if as_published:
        _end_as_published(report, as_json=as_json)
    if as_json:
        click.echo(json.dumps(report.to_mapping(), indent=2, ensure_ascii=False))
    else:
        print_checks(report, _console())
    sys.exit(0 if report.is_good else 1)


def _end_as_published(report: TreeReport, *, as_json: bool) -> None:
    """Print the published verdict, and exit with its code; without results it isn't 0."""
    published = report.published
    if as_json:
        click.echo(json.dumps(published.to_mapping(), indent=2, ensure_ascii=False))
    else:
        print_published(published, _console())
    sys.exit(published.exit_code if published.results else 1)


def _checked(
    tree: Path, round_name: str | None, options: CheckOptions, workers: int | None
) -> TreeReport:
    """Check the tree, with a bar on a terminal."""
    bar = Progress(
        TextColumn("checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)
        return check_tree(
            tree,
            round_name,
            options,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _console() -> Console:
    """Give a console that is wide where nobody looks at it."""
    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        return console
    return Console(highlight=False, soft_wrap=True, width=_WIDTH_OF_FILES)
