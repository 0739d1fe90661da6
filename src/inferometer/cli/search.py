"""``inferometer search``: the highest Server rate, or the most streams, within the bound."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.capacity import Found, Outcome, Wishes, find, go_on, show
from inferometer.cli.as_run import as_run
from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.options import (
    backend_options,
    json_option,
    quiet_option,
    round_option,
    set_option,
    threads_option,
    workload_options,
)
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import (
    check_alone,
    new_folder,
    output_option,
    resume_option,
    say_how_to_go_on,
    show_option,
)
from inferometer.cli.request import requests_of
from inferometer.cli.serving_options import serving_options
from inferometer.loadgen import Scenario
from inferometer.report.capacity_page import write_capacity
from inferometer.report.capacity_terminal import print_found
from inferometer.runs import Listener

__all__ = ["command"]

PAGE = "search.html"


@click.command("search")
@click.argument("workload", required=False)
@workload_options
@click.option("--scenario", default="Server", show_default=True, help="Server or MultiStream")
@backend_options
@threads_option
@serving_options
@round_option
@set_option
@click.option(
    "--bound-ms",
    type=click.FloatRange(0, min_open=True),
    help="latency bound [default: the workload's, or the round's]",
)
@click.option(
    "--percentile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="share of the queries that has to keep it, such as 0.99",
)
@click.option(
    "--precision",
    type=click.FloatRange(1e-3, 1.0),
    default=Wishes.precision,
    show_default=True,
    help="the search ends once half the interval is below this share",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.999),
    default=Wishes.confidence,
    show_default=True,
    help="of each end of the interval, and that reruns pass",
)
@click.option(
    "--pass-share",
    type=click.FloatRange(0.5, 0.99),
    default=Wishes.pass_share,
    show_default=True,
    help="so many reruns at the load have to pass",
)
@click.option(
    "--start-qps",
    "start",
    type=click.FloatRange(0, min_open=True),
    help="first load, in streams for MultiStream [default: by a short probe]",
)
@click.option(
    "--run-s",
    type=click.FloatRange(0.2),
    help="length of a run [default: the round's, or 5 s]",
)
@click.option(
    "--budget",
    type=click.FloatRange(1),
    default=Wishes.budget_s,
    show_default=True,
    help="s of load that the search may take; verifying comes on top",
)
@click.option(
    "--verify",
    type=click.IntRange(0),
    default=Wishes.verify,
    show_default=True,
    help="so many runs in a row have to pass at the load that is given",
)
@output_option("search-<workload>")
@resume_option("a search", "what was run counts")
@show_option("a search", "computed anew")
@json_option
@quiet_option
def command(**options: Any) -> None:
    """Find the highest load at which WORKLOAD keeps its latency bound, and verify it.

    Server: the rate; MultiStream: the streams of v0.5 (with --round v0.5), or the samples per
    query (with --bound-ms). What is given is a load at which, with the confidence, the pass share
    or more of reruns pass; five in a row have done so. Every run is recorded.
    Exit code 0 if a load was found, 1 if not, 130 if it was interrupted.
    """
    console = Console(stderr=options["as_json"])
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    found = _found(options, listener)
    page = write_capacity(found, found.folder / PAGE)
    if options["as_json"]:
        values = {**found.to_mapping(), "folder": str(found.folder), "report": str(page)}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    else:
        print_found(found, console)
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    if found.outcome is Outcome.INTERRUPTED:
        say_how_to_go_on("search", found.folder, as_json=options["as_json"])
        if not options["show"]:
            sys.exit(EXIT_INTERRUPTED)
    sys.exit(0 if found.is_good else 1)


def _found(options: dict[str, Any], listener: Listener) -> Found:
    """Search anew, go on, or only read: by which of them is named."""
    names = ("workload", "resume", "show")
    if sum(options[name] is not None for name in names) != 1:
        raise click.UsageError("give a WORKLOAD, or --resume FOLDER, or --show FOLDER")
    if options["show"]:
        check_alone("--show")
        return show(options["show"])
    if options["resume"]:
        check_alone("--resume")
        return go_on(options["resume"], listener)
    output = new_folder(options, f"search-{options['workload']}")
    return _searched(options, output, listener)


def _searched(options: dict[str, Any], output: Path, listener: Listener) -> Found:
    asked = {
        **as_run(),
        **options,
        "scenarios": (options["scenario"],),
        "budget": options["run_s"] or 5.0,
    }
    requests = requests_of(asked, output)
    if len(requests) > 1:
        raise click.UsageError("a search takes one workload, not a suite")
    scenario: Scenario = requests[0].scenarios[0]
    wishes = Wishes(
        precision=options["precision"],
        confidence=options["confidence"],
        pass_share=options["pass_share"],
        bound_ms=options["bound_ms"],
        percentile=options["percentile"],
        run_s=options["run_s"],
        start=options["start"],
        verify=options["verify"],
        budget_s=options["budget"],
    )
    return find(requests[0], scenario, wishes, listener)
