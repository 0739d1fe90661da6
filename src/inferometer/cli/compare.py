"""``inferometer compare``: which option is faster, by how much, and how sure that is."""

from __future__ import annotations

import json
import random
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.cli.as_run import as_run
from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.generator_core import generator_core_option
from inferometer.cli.options import (
    count_option,
    json_option,
    quiet_option,
    scenario_option,
    set_option,
    weights_option,
    workload_option,
)
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import (
    check_alone,
    new_folder,
    output_option,
    resume_option,
    say_how_to_go_on,
)
from inferometer.cli.request import requests_of
from inferometer.comparing import (
    Candidate,
    Comparison,
    Group,
    Option,
    Plan,
    compare_folders,
    is_comparison,
    load_comparison,
    measure_plan,
    parse_option,
    read_plan,
    usual_blocks,
    with_labels,
    with_option,
)
from inferometer.report import print_comparison, write_comparison
from inferometer.runs import RunRequest
from inferometer.workloads import suite_names, workload_names

__all__ = ["command"]

EXIT_REFUSED = 1
_USUAL_WORKLOAD = "pocket-mobilenet"
_USUAL_SCENARIOS = ("SingleStream", "Offline")
_EXAMPLE = "inferometer compare onnxruntime onnxruntime:int8 openvino"


@click.command("compare")
@click.argument("items", nargs=-1, metavar="[WORKLOAD] A B [C…]")
@click.option(
    "--with", "texts", multiple=True, metavar="OPTION", help="an option; repeat for each of them"
)
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    help=f"what all of them run, or a suite; repeat for several [default: {_USUAL_WORKLOAD}]",
)
@click.option("--task", help="the task of your own model, as in `inferometer run`")
@click.option("--model", type=click.Path(path_type=Path), help="your own model, for all options")
@click.option("--data", type=click.Path(path_type=Path), help="the data set's folder or list")
@weights_option
@count_option
@workload_option
@scenario_option("SingleStream and Offline")
@click.option("--backend", help="of options that don't name one [default: onnxruntime]")
@click.option("--threads", type=click.IntRange(1), help="of options that don't name them")
@click.option(
    "--target-qps", type=float, help="Server rate [default: a quarter of the slowest's Offline]"
)
@set_option
@generator_core_option
@click.option(
    "--blocks", type=click.IntRange(1), help="how often each runs [default: 12 or more, by need]"
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.05),
    default=1.0,
    show_default=True,
    help="s; how long each test is",
)
@click.option(
    "--budget", type=click.FloatRange(1), help="s for everything; fewer blocks if they take longer"
)
@click.option(
    "--precision",
    type=click.FloatRange(0.001, 1.0),
    help="go on, up to three times as many blocks, until every ratio is known to within this",
)
@click.option("--seed", type=click.IntRange(0), help="of the random order [default: a new one]")
@output_option("compare")
@resume_option("a comparison", "what was finished is kept")
@json_option
@quiet_option
def command(**options: Any) -> None:
    """Compare options: interleaved, in random order, each run in a fresh process.

    An option is a backend (`openvino`), with its number format (`onnxruntime:int8`), or words
    such as `openvino,threads=2`, `model=FILE`, `workload=NAME`, `tuned=FILE`. Run folders are
    compared as they were recorded; one folder of a comparison is shown again. Exit code 0
    whatever is faster, 1 if something can't be compared.

    \b
    inferometer compare onnxruntime onnxruntime:int8 openvino
    inferometer compare pocket-resnet threads=1 threads=2 --scenario SingleStream
    inferometer compare pocket --with openvino --with "backend=onnxruntime format=int8"
    inferometer compare runs/one runs/other
    """  # noqa: D301
    console = Console(stderr=options["as_json"], highlight=False)
    comparison, folder, was_interrupted = _compared(options, console)
    page = write_comparison(comparison, folder)
    if options["as_json"]:
        values = {**comparison.to_mapping(), "report": str(page)}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))
    else:
        print_comparison(comparison, console)
        console.print(f"report: {page}", style="bold", soft_wrap=True)
    if was_interrupted:
        click.echo("interrupted", err=True)
        say_how_to_go_on("compare", folder, as_json=options["as_json"])
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(EXIT_REFUSED if comparison.is_refused else 0)


def _compared(options: dict[str, Any], console: Console) -> tuple[Comparison, Path, bool]:
    """Measure, or read what was measured.

    Gives it with the folder of its report, and whether measuring was interrupted.
    """
    folders = [Path(item) for item in options["items"] if Path(item).is_dir()]
    if options["resume"] is not None:
        check_alone("--resume")
        return _measured(read_plan(options["resume"]), options["resume"], options, console)
    if folders and len(folders) < len(options["items"]):
        others = [item for item in options["items"] if not Path(item).is_dir()]
        raise click.UsageError(
            f"{folders[0]} is a folder and {others[0]!r} is not: recorded runs can't take turns "
            "with new ones. Give folders alone, or options alone"
        )
    output = new_folder(options, "compare")
    if not folders:
        return _measured(_plan(options, output), output, options, console)
    if len(folders) == 1 and is_comparison(folders[0]):
        return load_comparison(folders[0]), options["output"] or folders[0], False
    mixed = next((folder for folder in folders if is_comparison(folder)), None)
    if mixed is not None:
        raise click.UsageError(
            f"{mixed} is a comparison, with all of its options; give it alone to see it again, "
            "or folders of single options within it"
        )
    return compare_folders(folders, _command_line()), output, False


def _measured(
    plan: Plan, folder: Path, options: dict[str, Any], console: Console
) -> tuple[Comparison, Path, bool]:
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    try:
        measure_plan(plan, folder, listener)
    except KeyboardInterrupt:
        return load_comparison(folder), folder, True
    return load_comparison(folder), folder, False


def _plan(options: dict[str, Any], output: Path) -> Plan:
    workloads, texts = _workloads_and_texts(options)
    chosen = with_labels([parse_option(text) for text in texts])
    if len(chosen) < 2:
        raise click.UsageError(f"give two or more options to compare, such as: {_EXAMPLE}")
    asked = {
        **as_run(),
        **options,
        "scenarios": options["scenarios"] or _USUAL_SCENARIOS,
        "budget": options["seconds"],
        "precision": 0.02,
    }
    requests = [
        request
        for workload in ([options["task"]] if options["task"] else workloads)
        for request in requests_of({**asked, "workload": workload}, output)
    ]
    plan = Plan(
        groups=_groups(requests, chosen),
        scenarios=requests[0].scenarios,
        blocks=options["blocks"] or 1,
        seconds=options["seconds"],
        seed=_seed(options),
        precision=options["precision"],
        budget_s=options["budget"],
        command=_command_line(),
        started_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    if options["blocks"] is None:
        plan = _with_blocks(plan)
    return plan


def _with_blocks(plan: Plan) -> Plan:
    return Plan(**{**vars(plan), "blocks": usual_blocks(plan.confidence)})


def _seed(options: dict[str, Any]) -> int:
    return random.SystemRandom().getrandbits(32) if options["seed"] is None else options["seed"]


def _workloads_and_texts(options: dict[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    """Tell the workloads that all run from the options that are compared.

    A first word that names a workload or suite is what all run, unless the others name
    workloads as well: then these are what is compared.
    """
    items, texts = list(options["items"]), list(options["texts"])
    known = {*workload_names(), *suite_names()}
    workloads = dict.fromkeys(options["workloads"])
    others = [*items[1:], *texts]
    if items and items[0] in known and not (others and all(word in known for word in others)):
        workloads = dict.fromkeys([items.pop(0), *workloads])
    return list(workloads) or [_USUAL_WORKLOAD], [*items, *texts]


def _groups(requests: Sequence[RunRequest], options: Sequence[Option]) -> tuple[Group, ...]:
    """Give the options of each workload; where they name workloads, there is one group."""
    if any("workload" in option.words for option in options):
        requests = requests[:1]
    groups = []
    # A suite may be named beside one of its workloads.
    for request in {one.workload: one for one in requests}.values():
        candidates = tuple(
            Candidate(option.label, option.words, with_option(request, option))
            for option in options
        )
        names = dict.fromkeys(one.request.workload for one in candidates)
        groups.append(Group("-and-".join(names), candidates))
    return tuple(groups)


def _command_line() -> str:
    return shlex.join(["inferometer", *sys.argv[1:]])
