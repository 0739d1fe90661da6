"""``inferometer recover``: bring back what a run had recorded when its process died."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from inferometer.loadgen import is_journal
from inferometer.report import print_session, write_html
from inferometer.runs import (
    RunFolderError,
    TestResult,
    load_session,
    recover_journal,
    recover_test,
)

__all__ = ["command"]


@click.command("recover")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="folder for what a journal held [default: recovered-<journal>]",
)
def command(folder: Path, output: Path | None) -> None:
    """Recover the test of RUN that was cut off when its process was killed.

    Its times were kept in shared memory, its responses on disk. What comes back is
    marked INVALID: interrupted. A test that had no run folder, such as one of a script
    that runs on the drop-in `mlperf_loadgen`, left only a journal: give that as RUN
    (`inferometer check-env` lists journals).
    """
    if is_journal(folder):
        into = output or Path(f"recovered-{folder.name}")
        _tell(recover_journal(folder, into), into)
        return
    cut_off = sorted(path.parent for path in folder.rglob("running.json"))
    if not cut_off:
        raise RunFolderError(f"{folder} holds no test that was cut off")
    for test in cut_off:
        _tell(recover_test(test), test)
    if (folder / "session.json").is_file():
        session = load_session(folder)
        print_session(session, Console())
        click.echo(f"report: {write_html([session], folder / 'report.html')}")


def _tell(result: TestResult, folder: Path) -> None:
    queries = sum(series.query_count for series in result.recording.series)
    click.echo(f"recovered {result.title}: {queries} queries, in {folder}")
