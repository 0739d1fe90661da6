"""``inferometer submit``: recorded runs become the tree of a submission."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from inferometer.cli.options import json_option
from inferometer.cli.request import named_value
from inferometer.loadgen import Finding
from inferometer.rounds import load_round, round_names
from inferometer.submission.building import (
    RefusedError,
    Submission,
    SubmissionRequest,
    build_submission,
    description_of_machine,
    load_runs,
)

__all__ = ["command"]

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_folder = click.Path(path_type=Path, exists=True, file_okay=False)
_NEEDED = {"round_name": "--round", "division": "--division", "submitter": "--submitter",
           "system_id": "--system-id"}  # fmt: skip


@click.command("submit")
@click.argument("runs", metavar="RUN...", nargs=-1, type=_folder)
@click.option("--round", "round_name", help=f"the round: {', '.join(round_names())}")
@click.option("--division", help="closed, open, or network where the round has it")
@click.option("--submitter", help="who submits; names a folder of the tree")
@click.option("--system-id", help="short name of the system; names a folder of the tree")
@click.option(
    "--system",
    "system_file",
    type=_file,
    help="JSON or TOML that fills or overrides what the machine tells",
)
@click.option("--benchmark", help="the benchmark's folder [default: official name, or workload]")
@click.option("--implementation", help="the code's folder [default: inferometer-BACKEND]")
@click.option("--code", type=_folder, help="your code, copied into the tree")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    help="recipe.json of a quantised model, or a text [default: the workload's recipe]",
)
@click.option("--checklist", type=_file, help="the filled checklist [default: one to be filled]")
@click.option("--audit", type=_folder, help="folder with <scenario>/TEST01 and the like")
@click.option(
    "--measurement",
    "measurements",
    multiple=True,
    metavar="KEY=VALUE",
    help="a fact about the model that the runs don't tell, such as retraining=none",
)
@click.option(
    "--into",
    "tree",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("submission"),
    show_default=True,
    help="folder that holds the divisions; made or extended",
)
@click.option("--replace", is_flag=True, help="put results in the place of those already there")
@click.option("--demo", is_flag=True, help="take small data, marked as such; open division only")
@click.option("--describe-system", is_flag=True, help="print what this machine tells, as JSON")
@json_option
def command(describe_system: bool, as_json: bool, **options: Any) -> None:
    """Build the tree of a submission from the folders of recorded RUNs.

    Logs are written anew from the recordings, in the round's own format. Runs that don't
    belong are refused by rule, and then nothing is written.

    Exit code 1 if runs are refused.
    """
    if describe_system:
        book = load_round(options["round_name"] or round_names()[-1])
        found = description_of_machine(book, load_runs(options["runs"]))
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    request = _request(options)
    try:
        made = build_submission(request)
    except RefusedError as refused:
        _print_refused(refused, as_json=as_json)
        sys.exit(1)
    _print(made, as_json=as_json)


def _request(options: dict[str, Any]) -> SubmissionRequest:
    missing = [option for name, option in _NEEDED.items() if not options[name]]
    if missing:
        raise click.UsageError(f"give {', '.join(missing)}")
    if not options["runs"]:
        raise click.UsageError("name the folders of the runs, as `inferometer run` wrote them")
    options["book"] = load_round(options.pop("round_name"))
    options["measurements"] = dict(named_value(text) for text in options["measurements"])
    return SubmissionRequest(**options)


def _print(made: Submission, *, as_json: bool) -> None:
    if as_json:
        value = {
            "tree": str(made.tree),
            "results": [str(place) for place in made.places],
            "findings": [found.to_mapping() for found in made.findings],
        }
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    _print_findings(console, "[yellow]mind[/]", made.findings)
    for place in made.places:
        console.print(f"[green]made[/]  {escape(str(made.tree / str(place)))}")
    console.print(f"check it with: inferometer check {escape(str(made.tree))}")


def _print_refused(refused: RefusedError, *, as_json: bool) -> None:
    if as_json:
        value = {"refused": [found.to_mapping() for found in refused.findings]}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    _print_findings(console, "[red]refused[/]", refused.findings)
    console.print("nothing was written; `inferometer rules ID` explains a rule")


def _print_findings(console: Console, word: str, findings: tuple[Finding, ...]) -> None:
    """Print each rule once, with what was seen below it."""
    for rule in dict.fromkeys(found.rule for found in findings):
        console.print(f"{word}  {escape(f'{rule.title} [{rule.id}]')}")
        for text in dict.fromkeys(found.seen for found in findings if found.rule == rule):
            console.print(f"    {escape(text)}")
        console.print(f"    → {escape(rule.remedy)}")
