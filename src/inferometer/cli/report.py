"""``inferometer report``: the report of recorded runs, computed anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from inferometer.cli.gates import (
    Gates,
    check_summaries,
    console_for,
    gate_options,
    session_json,
    summary_options,
    with_gates,
    write_summaries,
)
from inferometer.cli.options import json_option
from inferometer.comparing import is_comparison
from inferometer.loadgen import write_atomically
from inferometer.report import print_sessions, write_html
from inferometer.report.gates import print_gates
from inferometer.report.mlflow_log import log_sessions
from inferometer.report.result_table import results_csv
from inferometer.report.session_parquet import write_parquet
from inferometer.report.timeline import DEFAULT_LIMIT, write_timeline
from inferometer.runs import Session, load_sessions

__all__ = ["command"]

_file = click.Path(path_type=Path, dir_okay=False)


@click.command("report")
@click.argument(
    "folders",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--output", type=_file, help="HTML file [default: report.html in the first folder]")
@gate_options
@summary_options
@click.option("--csv", "csv_file", type=_file, help="file for one row a test, as CSV")
@click.option(
    "--parquet",
    "parquet_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="folder for results.parquet (a row a test) and queries.parquet (a row a sample)",
)
@click.option(
    "--perfetto", type=_file, help="file for a timeline that Perfetto opens: .json or .json.gz"
)
@click.option(
    "--perfetto-limit",
    type=click.IntRange(1),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="most samples of each series in the timeline",
)
@click.option(
    "--mlflow",
    metavar="FOLDER_OR_URI",
    help="log the runs to MLflow: a folder for its database, or the address of a server",
)
@click.option("--mlflow-experiment", default="inferometer", show_default=True, metavar="NAME")
@json_option
def command(folders: tuple[Path, ...], output: Path | None, **options: Any) -> None:
    """Print and write the report of one or more run folders.

    Everything is judged anew from the recordings, so a report can be made again on
    another machine, with a newer release.

    Exit code 0, or 4 if a gate failed (--fail-if).
    """
    for folder in filter(is_comparison, folders):
        raise click.UsageError(
            f"{folder} is a comparison; `inferometer compare {folder}` shows it again"
        )
    check_summaries(options)
    gates = Gates.asked(options["fail_if"], options["baseline"])
    sessions = [session for folder in folders for session in load_sessions(folder)]
    results = gates.hold(sessions)
    page = write_html(sessions, output or folders[0] / "report.html")
    write_summaries(options, sessions, results, gates.baseline)
    _export(options, sessions)
    console = console_for(options)
    if options["as_json"]:
        values = [session_json(session, results) for session in sessions]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    else:
        print_sessions(sessions, console)
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    print_gates(results, console)
    if options["mlflow"] is not None:
        for line in log_sessions(sessions, options["mlflow"], options["mlflow_experiment"], page):
            console.print(line, highlight=False, soft_wrap=True, markup=False)
    sys.exit(with_gates(0, results))


def _export(options: dict[str, Any], sessions: Sequence[Session]) -> None:
    """Write the files for other programs that were asked for."""
    if options["csv_file"] is not None:
        write_atomically(options["csv_file"], results_csv(sessions))
    if options["parquet_folder"] is not None:
        write_parquet(options["parquet_folder"], sessions)
    if options["perfetto"] is not None:
        write_timeline(options["perfetto"], sessions, options["perfetto_limit"])
