"""``inferometer run``: measure a workload, or a suite of them, in one or more scenarios."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from inferometer.cli.effort_options import effort_options
from inferometer.cli.exit_codes import EXIT_INTERRUPTED
from inferometer.cli.gates import (
    Gates,
    check_summaries,
    console_for,
    gate_options,
    session_json,
    summary_options,
    with_gates,
    write_summaries,
)
from inferometer.cli.options import (
    backend_options,
    json_option,
    quiet_option,
    round_option,
    scenario_option,
    set_option,
    threads_option,
    workload_options,
)
from inferometer.cli.output import SilentListener, listener_for
from inferometer.cli.recorded import (
    check_alone,
    new_folder,
    output_option,
    resume_option,
    say_how_to_go_on,
)
from inferometer.cli.request import MODES, requests_of
from inferometer.cli.serving_options import serving_options
from inferometer.report import print_sessions, write_html
from inferometer.report.gates import print_gates
from inferometer.runs import (
    LOAD_LIMIT_S,
    Runner,
    RunRequest,
    Session,
    can_be_resumed,
    keep_suite,
    resumed_requests,
    run_supervised,
)
from inferometer.runs.gates import GateResult
from inferometer.workloads import POCKET_SUITE

__all__ = ["command"]

_BESIDE_RESUME = (
    "load_limit_s",
    "in_process",
    "as_json",
    "quiet",
    "fail_if",
    "baseline",
    "markdown",
    "junit",
)


@click.command("run")
@click.argument("workload", required=False)
@click.option("--task", help="the task of your own model: classification, detection, or a plugin's")
@workload_options
@scenario_option()
@click.option("--mode", type=click.Choice(list(MODES)), default="both", show_default=True)
@backend_options
@threads_option
@click.option("--isolate", is_flag=True, help="run the model in a process of its own")
@click.option(
    "--processes", type=click.IntRange(1), help="so many copies of the model, each isolated"
)
@click.option(
    "--memory-limit-mib", type=click.IntRange(1), help="end an isolated model that takes more"
)
@serving_options
@click.option(
    "--tuned",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file of `inferometer tune`: threads, workers, batches of each scenario",
)
@click.option(
    "--target-qps", type=float, help="Server rate [default: at most a quarter of Offline's]"
)
@round_option
@click.option("--division", help="closed, open or network, of the round: what has to hold")
@click.option("--area", help="mobile, automotive, robotics or cloud: picks the scenarios")
@effort_options
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file of settings",
)
@set_option
@click.option(
    "--user-conf",
    type=click.Path(path_type=Path, dir_okay=False),
    help="settings in the published user.conf format",
)
@click.option("--trace", is_flag=True, help="write a trace that Perfetto opens")
@output_option("<workload>")
@resume_option("a run", "what was finished is kept")
@click.option(
    "--load-limit-s",
    type=click.FloatRange(0),
    default=LOAD_LIMIT_S,
    show_default=True,
    help="longest that loading the model may take; 0 waits for ever",
)
@click.option(
    "--in-process", is_flag=True, help="measure in this process, for debuggers and profilers"
)
@gate_options
@summary_options
@json_option
@quiet_option
def command(**options: Any) -> None:
    """Measure WORKLOAD (default: the pocket suite): accuracy, then performance.

    WORKLOAD is a workload or a suite that `inferometer list` names. Without --round a run
    is quick: it ends as soon as its metric is precise enough or its time is used up, and
    says so.
    """
    check_summaries(options)
    gates = Gates.asked(options["fail_if"], options["baseline"])
    output, requests = _asked(options)
    gates.check(
        [name for request in requests for name in (request.workload, request.backend)],
        [scenario for request in requests for scenario in request.chosen_scenarios],
    )
    console = console_for(options)
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    try:
        sessions = _run_all(requests, listener, options)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        _say_how_to_go_on(requests, output, as_json=console.stderr)
        sys.exit(EXIT_INTERRUPTED)
    page = write_html(sessions, output / "report.html")
    results = gates.hold(sessions)
    if options["as_json"]:
        found = [_json_of(session, page, results) for session in sessions]
        value = found[0] if len(requests) == 1 else found
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    else:
        print_sessions(sessions, console)
        console.print(f"report: {page}", style="bold", highlight=False, soft_wrap=True)
    print_gates(results, console)
    write_summaries(options, sessions, results, gates.baseline)
    code = max(exit_code(session) for session in sessions)
    if code > 1:
        _say_how_to_go_on(requests, output, as_json=console.stderr)
    sys.exit(with_gates(code, results))


def _asked(options: dict[str, Any]) -> tuple[Path, list[RunRequest]]:
    """Give what is to be run, and the folder for it: anew, or as it was asked for before."""
    if options["resume"] is not None:
        check_alone("--resume", _BESIDE_RESUME)
        return options["resume"], resumed_requests(options["resume"])
    options["workload"] = _workload(options)
    output = new_folder(options, options["workload"])
    requests = requests_of(options, output)
    if len(requests) > 1:
        keep_suite(output, requests)
    return output, requests


def _say_how_to_go_on(requests: list[RunRequest], output: Path, *, as_json: bool) -> None:
    """Say so where something was begun."""
    if any(can_be_resumed(request) for request in requests):
        say_how_to_go_on("run", output, as_json=as_json)


def _workload(options: dict[str, Any]) -> str:
    """Give the workload: by name, or the task of the user's own model."""
    task, name = options.pop("task"), options["workload"]
    if task and name:
        raise click.UsageError(f"both a workload ({name}) and --task {task} are given; choose one")
    if options["model"] and not (task or name):
        raise click.UsageError("--model needs --task: classification, detection, or a plugin's")
    return str(task or name or POCKET_SUITE)


def _run_all(
    requests: list[RunRequest], listener: SilentListener, options: dict[str, Any]
) -> list[Session]:
    """Run the requests one after the other; an interrupted one is the last.

    Each has a process of its own, unless this one is asked to do it.
    """
    sessions: list[Session] = []
    for request in requests:
        if len(requests) > 1:
            listener.note(request.workload)
        if options["in_process"]:
            sessions.append(Runner(request, listener).run())
        else:
            sessions.append(run_supervised(request, listener, options["load_limit_s"]))
        if exit_code(sessions[-1]) == EXIT_INTERRUPTED:
            break
    return sessions


def exit_code(session: Session) -> int:
    """Give 0 for good results, 1 for others, 3 for a failed run, 130 for an interrupted one."""
    if session.has_failed:
        return 3
    if any(test.was_interrupted for test in session.tests):
        return EXIT_INTERRUPTED
    failed = ("sut.failed", "library.failed", "run.responses-not-kept", "run.outstanding-limit")
    if any(found.rule.id in failed for test in session.tests for found in test.findings):
        return 3
    return 0 if session.is_good else 1


def _json_of(session: Session, page: Path, results: Sequence[GateResult]) -> dict[str, Any]:
    return {
        **session_json(session, results),
        "folder": str(session.folder),
        "report": str(page),
    }
