"""``inferometer recover``: bring back what a run had recorded when its process died."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from inferometer.report import print_session, write_html
from inferometer.runs import RunFolderError, load_session, recover_test

__all__ = ["command"]


@click.command("recover")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Recover the test of RUN that was cut off when its process was killed.

    Its times were kept in shared memory, its responses on disk. What comes back is
    marked INVALID: interrupted.
    """
    cut_off = sorted(path.parent for path in folder.rglob("running.json"))
    if not cut_off:
        raise RunFolderError(f"{folder} holds no test that was cut off")
    for test in cut_off:
        result = recover_test(test)
        queries = sum(series.query_count for series in result.recording.series)
        click.echo(f"recovered {result.title}: {queries} queries, in {test}")
    if (folder / "session.json").is_file():
        session = load_session(folder)
        print_session(session, Console())
        click.echo(f"report: {write_html([session], folder / 'report.html')}")
