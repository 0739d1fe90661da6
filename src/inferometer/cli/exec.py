"""``inferometer exec``: run a script written against the published LoadGen on ours."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import click
from rich.console import Console

from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.mlperf_loadgen import ERAS
from inferometer.report import print_session, write_html
from inferometer.runs import RunFolderError, load_session, run_script
from inferometer.runs.folder import SESSION

__all__ = ["command"]

_EXIT_RAISED = 1
# Modules whose frames stand between the user and the script in a traceback.
_BETWEEN = (__name__, "inferometer.runs.script", "runpy")


@click.command(
    "exec",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--era", type=click.Choice(ERAS), help="the form of the API [default: current]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="also keep every test in this run folder, with a report",
)
@click.option("-m", "--module", "is_module", is_flag=True, help="SCRIPT is a module's name")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    era: str | None, output: Path | None, is_module: bool, script: str, arguments: tuple[str, ...]
) -> None:
    """Run SCRIPT with `import mlperf_loadgen` giving Inferometer's load generator.

    The script needs no changed line, and it doesn't matter whether the original is
    installed. Options of `exec` come before SCRIPT, those of the script after it. The
    exit code is the script's own.
    """
    code: int | str | None = 0
    try:
        run_script(script, arguments, era=era, output=output, is_module=is_module)
    except SystemExit as stop:
        code = stop.code
    except RunFolderError:
        raise
    except BaseException as error:
        traceback.print_exception(_without_own_frames(error))
        code = EXIT_INTERRUPTED if isinstance(error, KeyboardInterrupt) else _EXIT_RAISED
    if output is not None and (output / SESSION).is_file():
        _report(output)
    sys.exit(code)


def _report(output: Path) -> None:
    """Print the table and write the page; the script's own output has stdout to itself."""
    session = load_session(output)
    console = Console(stderr=True)
    print_session(session, console)
    page = write_html([session], output / "report.html")
    console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)


def _without_own_frames(error: BaseException) -> BaseException:
    """Let the traceback begin in the script."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _BETWEEN:
        trace = trace.tb_next
    return error.with_traceback(trace or error.__traceback__)
