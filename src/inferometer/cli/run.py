"""``inferometer run``: measure a workload in one or more scenarios."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from inferometer.backends import BackendOptions
from inferometer.cli.output import listener_for
from inferometer.loadgen import Era, Mode, Scenario, SettingsError
from inferometer.logs import ConfigTable, ignored_keys, read_config
from inferometer.report import print_session, write_html
from inferometer.rounds import Round, load_round, round_names
from inferometer.runs import (
    Effort,
    Runner,
    RunRequest,
    ServingOptions,
    Session,
    parse_assignment,
    read_settings_file,
)

__all__ = ["command"]

_SCENARIOS = {scenario.value.lower(): scenario for scenario in Scenario}
_MODES = {
    "both": (Mode.ACCURACY, Mode.PERFORMANCE),
    "accuracy": (Mode.ACCURACY,),
    "performance": (Mode.PERFORMANCE,),
    "submission": (Mode.SUBMISSION,),
    "find-peak": (Mode.FIND_PEAK,),
}


@click.command("run")
@click.argument("workload", default="pocket-mobilenet")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    help="SingleStream, MultiStream, Server or Offline; repeat for several. Default: all.",
)
@click.option("--mode", type=click.Choice(list(_MODES)), default="both", show_default=True)
@click.option("--backend", default="onnxruntime", show_default=True)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, or a provider's name")
@click.option(
    "--threads", type=click.IntRange(1), help="threads within one model call [default: 1]"
)
@click.option("--backend-option", "extra", multiple=True, metavar="NAME=VALUE")
@click.option("--serving", type=click.Choice(["inline", "pool"]), help="[default: by scenario]")
@click.option("--workers", type=click.IntRange(1), help="pool workers [default: usable cores]")
@click.option("--max-batch", type=click.IntRange(1), default=32, show_default=True)
@click.option("--max-wait-ms", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option(
    "--target-qps", type=float, help="Server rate [default: a quarter of the Offline rate]"
)
@click.option("--round", "round_name", help=f"run by the book: {', '.join(round_names())}")
@click.option(
    "--budget",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    help="s; longest that a quick performance run lasts",
)
@click.option(
    "--precision",
    type=click.FloatRange(1e-4, 1.0),
    default=0.02,
    show_default=True,
    help="a quick run ends once its metric is known to within this share",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file of settings",
)
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="one setting")
@click.option(
    "--user-conf",
    type=click.Path(path_type=Path, dir_okay=False),
    help="settings in the published user.conf format",
)
@click.option("--trace", is_flag=True, help="write a trace that Perfetto opens")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="folder for everything recorded [default: runs/<time>-<workload>]",
)
@click.option("--json", "as_json", is_flag=True, help="print the results as JSON, nothing else")
@click.option("--quiet", is_flag=True, help="print only the table")
def command(**options: Any) -> None:
    """Measure WORKLOAD (default: pocket-mobilenet): accuracy, then performance.

    Without --round a run is quick: it ends as soon as its metric is precise enough or
    its time is used up, and says so.
    """
    request = _request(options)
    console = Console(stderr=options["as_json"])
    silent = options["as_json"] or options["quiet"]
    session = Runner(request, listener_for(console, quiet=silent)).run()
    page = write_html([session], request.output / "report.html")
    if options["as_json"]:
        click.echo(json.dumps(_json_of(session, page), indent=2, ensure_ascii=False, default=str))
    else:
        print_session(session, console)
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    sys.exit(exit_code(session))


def exit_code(session: Session) -> int:
    """Give 0 for good results, 1 for others, 3 for a failed run, 130 for an interrupted one."""
    if any(test.was_interrupted for test in session.tests):
        return 130
    failed = ("sut.failed", "library.failed", "run.responses-not-kept", "run.outstanding-limit")
    if any(found.rule.id in failed for test in session.tests for found in test.findings):
        return 3
    return 0 if all(test.is_good for test in session.tests) else 1


def _request(options: dict[str, Any]) -> RunRequest:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    output = options["output"] or Path("runs") / f"{stamp}-{options['workload']}"
    chosen_round = load_round(options["round_name"]) if options["round_name"] else None
    return RunRequest(
        workload=options["workload"],
        output=output,
        backend=options["backend"],
        backend_options=BackendOptions(
            threads=options["threads"],
            device=options["device"],
            extra=dict(_option(text) for text in options["extra"]),
        ),
        serving=ServingOptions(
            kind=options["serving"],
            workers=options["workers"],
            max_batch_size=options["max_batch"],
            max_wait_ms=options["max_wait_ms"],
        ),
        scenarios=tuple(_scenario(word) for word in options["scenarios"]),
        modes=_MODES[options["mode"]],
        effort=Effort(
            budget_s=options["budget"],
            least_s=min(1.0, options["budget"] / 2),
            precision=options["precision"],
        ),
        round=chosen_round,
        user_conf=_user_conf(options["user_conf"], chosen_round),
        enable_trace=options["trace"],
        settings=_overrides(options),
        command=shlex.join(["inferometer", *sys.argv[1:]]),
    )


def _user_conf(path: Path | None, chosen_round: Round | None) -> ConfigTable | None:
    """Read a user.conf; say on stderr what in it has no effect."""
    if path is None:
        return None
    table = read_config(path)
    if table.errors:
        raise SettingsError(f"{path}: {'; '.join(table.errors)}")
    era = chosen_round.era if chosen_round else Era.CURRENT
    for text in ignored_keys(table, era):
        click.echo(f"{path}: {text}", err=True)
    return table


def _overrides(options: dict[str, Any]) -> Callable[[Scenario], Mapping[str, Any]]:
    """Give what overrides the settings: the file, then single settings, then --target-qps."""
    single = dict(parse_assignment(text) for text in options["assignments"])
    if options["target_qps"] is not None:
        single["server_target_qps"] = options["target_qps"]

    def of(scenario: Scenario) -> Mapping[str, Any]:
        path = options["settings_file"]
        from_file = read_settings_file(path, scenario) if path else {}
        return {**from_file, **single}

    return of


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not an option; write name=value")
    return name.strip(), value.strip()


def _scenario(word: str) -> Scenario:
    plain = word.lower().replace("-", "").replace("_", "")
    if plain not in _SCENARIOS:
        names = ", ".join(scenario.value for scenario in Scenario)
        raise click.BadParameter(f"there is no scenario {word!r}; known: {names}")
    return _SCENARIOS[plain]


def _json_of(session: Session, page: Path) -> dict[str, Any]:
    return {
        **session.to_mapping(),
        "folder": str(session.folder),
        "report": str(page),
        "tests": [test.to_mapping() for test in session.tests],
    }
