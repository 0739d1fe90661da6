"""``inferometer report``: the report of recorded runs, computed anew."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from inferometer.report import print_sessions, write_html
from inferometer.runs import load_sessions

__all__ = ["command"]


@click.command("report")
@click.argument(
    "folders",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="HTML file [default: report.html in the first folder]",
)
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, nothing else")
def command(folders: tuple[Path, ...], output: Path | None, as_json: bool) -> None:
    """Print and write the report of one or more run folders.

    Everything is judged anew from the recordings, so a report can be made again on
    another machine, with a newer release.
    """
    sessions = [session for folder in folders for session in load_sessions(folder)]
    page = write_html(sessions, output or folders[0] / "report.html")
    if as_json:
        values = [
            {**session.to_mapping(), "tests": [test.to_mapping() for test in session.tests]}
            for session in sessions
        ]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
        return
    console = Console()
    print_sessions(sessions, console)
    console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
