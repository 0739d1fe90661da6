"""``inferometer simulate``: what a system does that is only described."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.loadgen import Scenario, Settings
from inferometer.report.simulation_page import write_study
from inferometer.report.simulation_terminal import print_study
from inferometer.report.terminal import print_session
from inferometer.runs import load_session
from inferometer.simulating import (
    EXAMPLE,
    Answer,
    Bound,
    SimulatedSystem,
    Study,
    Ways,
    capacity_of,
    fit_run,
    load_curve,
    predict,
    read_system,
    replicas_for,
    run_scenario,
    system_toml,
    validate,
)

__all__ = ["command"]

_MOST_THROUGH_LOADGEN = 2_000_000
_SECONDS = 10.0
_WAYS = Ways()
_SCENARIOS = [scenario.value for scenario in Scenario if scenario is not Scenario.MULTI_STREAM_FREE]


@click.command("simulate")
@click.argument("system", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--example", is_flag=True, help="print a description to begin with")
@click.option(
    "--from",
    "fitted_to",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="RUN",
    help="fit the description to a recorded run",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="write the description, as fitted or changed",
)
@click.option("--replicas", type=click.IntRange(1), help="so many, in place of those described")
@click.option(
    "--scenario",
    type=click.Choice(_SCENARIOS, case_sensitive=False),
    default="Server",
    show_default=True,
    help="how queries arrive",
)
@click.option("--qps", type=click.FloatRange(0, min_open=True), help="queries a second of Server")
@click.option("--bound-ms", type=click.FloatRange(0, min_open=True), help="bound of the latency")
@click.option(
    "--percentile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.99,
    show_default=True,
    help="which the bound is for",
)
@click.option("--capacity", is_flag=True, help="find the most queries a second within the bound")
@click.option(
    "--replicas-for",
    type=click.FloatRange(0, min_open=True),
    metavar="QPS",
    help="find the fewest replicas that keep the bound at this rate",
)
@click.option(
    "--queries",
    type=click.IntRange(1000),
    default=2_000_000,
    show_default=True,
    help="how many to simulate, at most",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of all luck")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="go through the load generator itself, and keep a run as of a real system",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help=f"least length of such a run ({_SECONDS:g}), or of each of --validate ({_WAYS.seconds:g})",
)
@click.option(
    "--validate",
    "validated",
    metavar="WORKLOAD",
    help="measure a workload here, and hold predictions against it",
)
@click.option(
    "--laps",
    type=click.IntRange(1),
    default=_WAYS.laps,
    show_default=True,
    help="how often --validate runs each load",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="of --validate; one less than there are cores, so that the generator has its own",
)
@click.option("--backend", default="onnxruntime", show_default=True, help="of --validate")
@click.option(
    "--max-batch", type=click.IntRange(1), default=32, show_default=True, help="of --validate"
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="also write a page with latency against load",
)
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, nothing else")
@click.option("--quiet", is_flag=True, help="print only the table")
def command(system: Path | None, **options: Any) -> None:
    """Predict what SYSTEM, described in a TOML file, does under load, before it is bought.

    Exit code 0 if the bound is kept, or none was given; 1 if it is missed or too close to
    tell, or if a prediction of --validate is off by more than 15 %.
    """
    if options["example"]:
        click.echo(EXAMPLE, nl=False)
        return
    console = Console(stderr=options["as_json"])
    note = _note(console, is_silent=options["as_json"] or options["quiet"])
    if options["validated"]:
        _end(_validated(options, note), console, options)
    described = _described(system, options)
    if options["save"]:
        options["save"].write_text(system_toml(described), "utf-8")
        console.print(f"description: {options['save']}", highlight=False, soft_wrap=True)
    scenario = Scenario(options["scenario"])
    if options["output"] or scenario is not Scenario.SERVER:
        _through_loadgen(described, scenario, console, options)
    is_asked = options["qps"] or options["capacity"] or options["replicas_for"]
    if not is_asked:
        if not options["save"]:
            click.echo(system_toml(described), nl=False)
        return
    _end(_studied(described, options, note), console, options)


def _described(path: Path | None, options: dict[str, Any]) -> SimulatedSystem:
    if (path is None) == (options["fitted_to"] is None):
        raise click.UsageError("give a SYSTEM, or --from RUN; --example prints a system")
    found = read_system(path) if path else fit_run(load_session(options["fitted_to"]))
    return found.with_replicas(options["replicas"]) if options["replicas"] else found


def _note(console: Console, *, is_silent: bool) -> Callable[[str], None]:
    def say(text: str) -> None:
        console.print(text, style="dim", highlight=False, markup=False)

    return (lambda _: None) if is_silent else say


def _bound(options: dict[str, Any]) -> Bound | None:
    limit = options["bound_ms"]
    return None if limit is None else Bound(limit * 1e6, options["percentile"])


def _studied(
    system: SimulatedSystem, options: dict[str, Any], note: Callable[[str], None]
) -> Study:
    bound, sizes = _bound(options), (options["queries"], options["seed"])
    if bound is None and (options["capacity"] or options["replicas_for"]):
        raise click.UsageError("--capacity and --replicas-for need --bound-ms")
    capacity, made = None, None
    if options["replicas_for"]:
        assert bound is not None
        made = replicas_for(system, options["replicas_for"], bound, *sizes, note)
        system = made.system
    if options["capacity"]:
        assert bound is not None
        capacity = capacity_of(system, bound, *sizes, note)
        made = made or (None if capacity is None else capacity.prediction)
    if options["qps"]:
        made = predict(system, options["qps"], *sizes, note)
    short = max(1_000, options["queries"] // 4)
    curve = load_curve(system, short, options["seed"], note) if options["page"] else ()
    return Study(system, made, bound, capacity, curve)


def _validated(options: dict[str, Any], note: Callable[[str], None]) -> Study:
    ways = Ways(
        backend=options["backend"],
        workers=options["workers"],
        max_batch=options["max_batch"],
        laps=options["laps"],
        seconds=options["seconds"] or _WAYS.seconds,
        seed=options["seed"],
    )
    found = validate(options["validated"], ways, note)
    if options["save"]:
        options["save"].write_text(system_toml(found.system), "utf-8")
    curve = load_curve(found.system, 200_000, options["seed"]) if options["page"] else ()
    return Study(found.system, validation=found, curve=curve)


def _end(study: Study, console: Console, options: dict[str, Any]) -> None:
    """Tell what came out, and exit."""
    if options["page"]:
        write_study(study, options["page"])
    if options["as_json"]:
        click.echo(json.dumps(study.to_mapping(), indent=2, ensure_ascii=False))
    else:
        print_study(study, console)
        if options["page"]:
            console.print(f"report: {options['page']}", highlight=False, soft_wrap=True)
    is_kept = study.bound is None or study.answer is Answer.MET
    is_valid = study.validation is None or study.validation.is_met
    # A rate that was looked for lies as near to the bound as can be told.
    is_found = study.prediction is not None and not options["qps"]
    sys.exit(0 if (is_kept or is_found) and is_valid else 1)


def _through_loadgen(
    system: SimulatedSystem, scenario: Scenario, console: Console, options: dict[str, Any]
) -> None:
    """Run through the load generator into a folder; exit by the verdict."""
    folder: Path | None = options["output"]
    if folder is None:
        raise click.UsageError(f"{scenario.value} goes through the load generator: give --output")
    seconds = options["seconds"] or _SECONDS
    values: dict[str, Any] = {
        "scenario": scenario,
        "min_duration_ms": round(seconds * 1000),
        "offline_expected_qps": system.saturation_qps,
    }
    if scenario is Scenario.SERVER:
        if not options["qps"]:
            raise click.UsageError("Server needs --qps")
        if options["qps"] * seconds > _MOST_THROUGH_LOADGEN:
            raise click.UsageError(
                f"at most {_MOST_THROUGH_LOADGEN:,} queries go through the load generator; lower "
                "--seconds, or leave --output out to simulate without it"
            )
        values["server_target_qps"] = options["qps"]
        values["server_target_latency_percentile"] = options["percentile"]
        if options["bound_ms"]:
            values["server_target_latency_ns"] = round(options["bound_ms"] * 1e6)
    told = f"inferometer simulate --scenario {scenario.value}"
    result = run_scenario(system, Settings(**values), folder, told, options["seed"])
    session = load_session(folder)
    if options["as_json"]:
        click.echo(json.dumps(result.to_mapping(), indent=2, ensure_ascii=False))
    else:
        print_session(session, console)
        console.print(f"run: {folder}", highlight=False, soft_wrap=True)
    sys.exit(0 if result.is_good else 1)
