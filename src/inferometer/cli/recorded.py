"""Recorded folders: where a verb records anew, what it goes on with, and what it only shows."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

__all__ = [
    "check_alone",
    "new_folder",
    "output_option",
    "resume_option",
    "say_how_to_go_on",
    "show_option",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Option = Callable[[_Command], _Command]
_FOLDER = click.Path(path_type=Path, file_okay=False)
_DOES = {
    "--resume": "goes on with what was asked for before",
    "--show": "only shows what was recorded",
}
_FOR_OUTPUT = ("as_json", "quiet", "markdown")


def output_option(usual: str) -> _Option[Any]:
    """Give the option for the folder, by default one of this name behind the time."""
    return click.option(
        "--output",
        type=_FOLDER,
        help=f"folder for everything recorded [default: runs/<time>-{usual}]",
    )


def resume_option(what: str, kept: str) -> _Option[Any]:
    """Give the option to go on with what was cut off, such as ``a run``; kept says what stays."""
    return click.option(
        "--resume",
        type=_FOLDER,
        metavar="FOLDER",
        help=f"go on with {what} that was cut off; {kept}",
    )


def show_option(what: str, how: str) -> _Option[Any]:
    """Give the option to show what something recorded, such as ``a search``, in some way."""
    return click.option(
        "--show",
        type=_FOLDER,
        metavar="FOLDER",
        help=f"only show what {what} has recorded, {how}",
    )


def new_folder(options: dict[str, Any], name: str) -> Path:
    """Give the folder that was asked for, or a new one of a name behind the time."""
    return options["output"] or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"


def check_alone(flag: str, beside: Collection[str] = _FOR_OUTPUT) -> None:
    """Refuse --resume or --show beside options that say anew what is measured.

    ``beside`` holds the names of parameters that may stand there, by default those for the
    output.
    """
    context = click.get_current_context()
    others = [
        parameter.opts[0]
        for parameter in context.command.params
        if flag not in parameter.opts
        and parameter.name not in beside
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if others:
        does = (
            "goes on with what was asked for before"
            if flag == "--resume"
            else "only shows what was recorded"
        )
        raise click.UsageError(f"{flag} {does}; leave out {', '.join(others)}")


def say_how_to_go_on(verb: str, folder: Path, *, as_json: bool) -> None:
    """Name the command that goes on with what was cut off, as the last line."""
    line = shlex.join(["inferometer", verb, "--resume", str(folder)])
    click.echo(f"to go on: {line}", err=as_json)
