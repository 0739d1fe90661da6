"""``inferometer tune``: find good settings for a workload, backend and scenarios."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.cli.as_run import as_run
from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.generator_core import generator_core_option
from inferometer.cli.options import (
    backend_options,
    json_option,
    quiet_option,
    scenario_option,
    set_option,
    workload_options,
)
from inferometer.cli.output import listener_for
from inferometer.cli.request import requests_of
from inferometer.runs import RunRequest
from inferometer.runs.result import plain
from inferometer.tuning import TunedScenario, Tuning, described, tune, write_tuned_file

__all__ = ["command"]


@click.command("tune")
@click.argument("workload")
@workload_options
@scenario_option()
@backend_options
@set_option
@generator_core_option
@click.option(
    "--budget",
    type=click.FloatRange(1),
    default=120.0,
    show_default=True,
    help="s for all scenarios together; half or more are for the fresh runs",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="the file to write [default: tuned/<workload>-<backend>.toml, with the scenario if one]",
)
@json_option
@quiet_option
def command(**options: Any) -> None:
    """Find threads, workers, batch size and the like for WORKLOAD, a scenario at a time.

    What seems best is compared with the defaults on fresh runs, in turns; only a gain whose
    95 % interval lies above 1 is kept. `inferometer run WORKLOAD --tuned FILE` takes the file.
    Exit code 130 if it was interrupted: the file then holds what was done by then.
    """
    requests = requests_of({**as_run(), **options}, Path())
    if len(requests) > 1 and options["output"]:
        raise click.UsageError("--output is one file, and a suite needs one for each workload")
    console = Console(stderr=options["as_json"])
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    results: list[tuple[Tuning, Path]] = []
    for request in requests:
        tuning = tune(request, options["budget"] / len(requests), listener)
        path = options["output"] or _usual_path(request)
        write_tuned_file(path, tuning)
        results.append((tuning, path))
        if not options["as_json"]:
            _print(tuning, path, console)
        if tuning.was_interrupted:
            break
    if options["as_json"]:
        values = [_json_of(tuning, path) for tuning, path in results]
        found = values[0] if len(requests) == 1 else values
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))
    sys.exit(EXIT_INTERRUPTED if results[-1][0].was_interrupted else 0)


def _usual_path(request: RunRequest) -> Path:
    words = [request.workload, request.backend]
    if len(request.scenarios) == 1:
        words.append(request.scenarios[0].value)
    return Path("tuned") / f"{'-'.join(words)}.toml"


def _print(tuning: Tuning, path: Path, console: Console) -> None:
    title = f"{tuning.identity['workload']} on {tuning.identity['backend']}"
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in ("scenario", "settings", "times as good", "defaults", "found"):
        table.add_column(name)
    for found in tuning.scenarios:
        table.add_row(
            found.scenario.value,
            escape(described(found.options)),
            "1 (the defaults)" if found.gain is None else escape(str(found.gain)),
            _value_text(found, found.default_value),
            _value_text(found, found.found_value),
        )
    console.print(table)
    for found in tuning.scenarios:
        console.print(f"{found.scenario.value}: {escape(found.summary)}", highlight=False)
    console.print(f"settings: {path}", style="bold", highlight=False, soft_wrap=True)


def _value_text(found: TunedScenario, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value / 1e6:.3g} ms" if found.unit == "ns" else f"{value:,.4g}/s"


def _json_of(tuning: Tuning, path: Path) -> dict[str, Any]:
    """Give the result without the single trials, which are in the file beside the settings."""
    values: dict[str, Any] = plain(tuning)
    for found, scenario in zip(tuning.scenarios, values["scenarios"], strict=True):
        del scenario["trials"]
        scenario["scenario"] = found.scenario.value
        scenario["options"] = plain(found.options)
        scenario["summary"] = found.summary
    return {**values, "file": str(path)}
