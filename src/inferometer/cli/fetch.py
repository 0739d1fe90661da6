"""``inferometer fetch``: bring published models and data sets here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from inferometer.workloads.catalogue.catalogue import get_entry, load_catalogue
from inferometer.workloads.catalogue.entry import Entry
from inferometer.workloads.catalogue.fetching import Progress as Follower
from inferometer.workloads.catalogue.obtaining import ByHandError, ProgressOf, obtain

__all__ = ["command"]


@click.command("fetch")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--profile", help="which form of a model, such as resnet50-tf")
@click.option("--all", "everything", is_flag=True, help="every published form")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="folder for the files [default: where `run` looks for them]",
)
def command(
    names: tuple[str, ...], profile: str | None, everything: bool, output: Path | None
) -> None:
    """Fetch models and data sets that `inferometer list` names.

    What is here and whole is left alone; what was cut off goes on where it stopped. Files
    are checked by their published checksums. With INFEROMETER_MIRROR=https://host the
    files come from there; proxies are taken from the environment.

    Exit code 1 if a file has to be got by hand: the message says how.
    """
    entries = [get_entry(name) for name in names]
    if profile is not None:
        entries_with = [entry for entry in entries if entry.profiles]
        if not entries_with:
            raise click.UsageError(f"--profile belongs to models; {', '.join(names)} has none")
        for entry in entries_with:
            entry.profile(profile)
    console = Console(highlight=False, soft_wrap=True)
    complete = True
    for entry in entries:
        complete &= _fetch(entry, profile or "", everything, output, console)
    sys.exit(0 if complete else 1)


def _fetch(
    entry: Entry, profile: str, everything: bool, output: Path | None, console: Console
) -> bool:
    """Fetch one entry; tell whether nothing is left to do by hand."""
    folder = output or entry.folder
    try:
        with _progress(console) as progress_of:
            for file, done in obtain(
                entry, folder, profile, everything=everything, progress_of=progress_of
            ):
                console.print(f"{entry.name}: {escape(file.name)}: {done}")
    except ByHandError as error:
        console.print(f"[yellow]by hand[/]  {escape(str(error))}")
        return False
    console.print(f"{entry.name}: in {escape(str(folder))}")
    reference = entry.reference
    if reference is not None and reference.data_set in load_catalogue():
        console.print(f"[dim]its data set: inferometer fetch {reference.data_set}[/]")
    return True


@contextmanager
def _progress(console: Console) -> Iterator[ProgressOf | None]:
    """Show a bar a file on a terminal, and nothing elsewhere."""
    if not console.is_terminal:
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )

    def progress_of(name: str) -> Follower:
        task = bar.add_task(name, total=None)
        return lambda here, total: bar.update(task, completed=here, total=total)

    with bar:
        yield progress_of
