"""``inferometer verify``: whether fetched models and data sets are whole."""

from __future__ import annotations

import json
import sys

import click
from rich.console import Console
from rich.markup import escape

from inferometer.cli.options import json_option
from inferometer.workloads.catalogue.catalogue import get_entry, load_catalogue
from inferometer.workloads.catalogue.entry import Entry, PublishedFile
from inferometer.workloads.catalogue.verifying import FileState, State, is_present, verify

__all__ = ["command"]

_STYLES = {
    State.HERE: "green",
    State.UNVERIFIED: "yellow",
    State.MISSING: "red",
    State.DAMAGED: "red",
}


@click.command("verify")
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--profile", default="", help="which form of a model [default: those that are here]")
@click.option("--all", "everything", is_flag=True, help="every published form")
@json_option
def command(names: tuple[str, ...], profile: str, everything: bool, as_json: bool) -> None:
    """Check files against their checksums: those of NAME, or all that are here.

    A file is here (as published, or as it was when it was fetched), missing, damaged, or
    unverified: nothing is known that it could be compared with.

    Exit code 1 if something is damaged or missing.
    """
    if names:
        chosen = {e.name: _wanted(e, profile, everything) for e in map(get_entry, names)}
    else:
        chosen = {name: _present(entry) for name, entry in load_catalogue().items()}
    found = [(name, state) for name, files in chosen.items()
             for state in verify(get_entry(name), files)]  # fmt: skip
    if as_json:
        click.echo(json.dumps([_mapping(name, state) for name, state in found], indent=2))
    else:
        _print(found)
    wrong = any(state.state in (State.MISSING, State.DAMAGED) for _, state in found)
    sys.exit(1 if wrong else 0)


def _present(entry: Entry) -> list[PublishedFile]:
    return [file for file in entry.files if is_present(entry, file)]


def _wanted(entry: Entry, profile: str, everything: bool) -> list[PublishedFile]:
    """Give the files to check: as asked, else the forms that are here, else the default."""
    if profile or everything:
        return entry.files_for(profile, everything=everything)
    if entry.profiles:
        return _present(entry) or entry.files_for()
    return entry.files_for()


def _mapping(name: str, state: FileState) -> dict[str, str]:
    return {
        "entry": name,
        "file": state.name,
        "path": str(state.path),
        "state": state.state.value,
        "seen": state.seen,
        "remedy": state.remedy,
    }


def _print(found: list[tuple[str, FileState]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("nothing is here yet; see: inferometer list")
    for name, state in found:
        style = _STYLES[state.state]
        text = f"[{style}]{state.state.value:<10}[/]  {name}: {escape(state.name)}"
        console.print(text + (f": {escape(state.seen)}" if state.seen else ""))
        if state.remedy:
            console.print(f"            [dim]→ {escape(state.remedy)}[/]")
