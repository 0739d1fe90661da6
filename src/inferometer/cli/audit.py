"""``inferometer audit``: whether a system earns its numbers."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.cli.options import (
    backend_options,
    json_option,
    quiet_option,
    round_option,
    scenario_option,
    threads_option,
    workload_options,
)
from inferometer.cli.output import listener_for
from inferometer.cli.recorded import new_folder, output_option
from inferometer.cli.request import (
    backend_options_of,
    scenarios_of,
    usual_backend,
    workload_options_of,
)
from inferometer.loadgen import Scenario
from inferometer.rounds import Round, load_round
from inferometer.runs import Effort, RunRequest, ServingOptions
from inferometer.submission import Tree
from inferometer.submission.audit import (
    AuditPlan,
    AuditReport,
    AuditResult,
    FolderCheck,
    Outcome,
    audit_folders,
    audit_names,
    check_folder,
    run_audit,
)

__all__ = ["command"]

_ALL = "all"
_WIDE = 120
_DEFAULT_ROUND = "v0.5"
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.NOT_CHECKABLE: "yellow"}
_QUICK_SCENARIOS = (Scenario.SINGLE_STREAM, Scenario.OFFLINE)


@click.command("audit")
@click.argument("workload", required=False)
@round_option
@click.option(
    "--rules",
    default=_DEFAULT_ROUND,
    show_default=True,
    help="the round whose tests and tolerances are taken in a quick audit",
)
@click.option(
    "--test", "tests", multiple=True, help="TEST01 …, a probe's name, or all; repeat for several"
)
@workload_options
@scenario_option("in a quick audit SingleStream and Offline, else all")
@backend_options
@threads_option
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="compare with this run folder in place of a new run",
)
@click.option(
    "--tree",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="check the audit folders of a published tree instead; no WORKLOAD then",
)
@click.option(
    "--test-s",
    type=click.FloatRange(0.02),
    default=0.2,
    show_default=True,
    help="about how long one test of a probe takes, s; longer tests tell smaller differences",
)
@output_option("audit-<workload>")
@json_option
@quiet_option
def command(workload: str | None, tree: Path | None, **options: Any) -> None:
    """Audit the system that `inferometer run WORKLOAD` measures.

    A normal run comes first, then the round's tests and probes of our own, each on a freshly
    loaded model. Without --round the audit is quick: its runs are short, and it says so.

    Exit code 1 if an audit fails, 2 for wrong usage.
    """
    if (workload is None) == (tree is None):
        raise click.UsageError("give either a WORKLOAD or --tree FOLDER")
    rules = load_round(options["round_name"] or options["rules"])
    console = Console(stderr=options["as_json"], highlight=False)
    if tree is not None:
        sys.exit(_audit_tree(tree, rules, console, as_json=options["as_json"]))
    assert workload is not None
    plan = _plan(workload, rules, options)
    listener = listener_for(console, quiet=options["as_json"] or options["quiet"])
    report = run_audit(plan, listener)
    if options["as_json"]:
        click.echo(json.dumps(report.to_mapping(), indent=2, ensure_ascii=False, default=str))
    else:
        _print(report, console)
    sys.exit(1 if report.has_failed else 0)


def _plan(workload: str, rules: Round, options: dict[str, Any]) -> AuditPlan:
    by_the_book = options["round_name"] is not None
    request = RunRequest(
        workload=workload,
        output=new_folder(options, f"audit-{workload}"),
        workload_options=workload_options_of(options),
        backend=usual_backend(options),
        backend_options=backend_options_of(options),
        serving=ServingOptions(),
        scenarios=scenarios_of(options) or (() if by_the_book else _QUICK_SCENARIOS),
        effort=Effort(budget_s=2.0, least_s=0.5),
        round=rules if by_the_book else None,
        command=shlex.join(["inferometer", *sys.argv[1:]]),
    )
    return AuditPlan(
        request, rules, _names(options["tests"], rules), options["against"], options["test_s"]
    )


def _names(tests: tuple[str, ...], rules: Round) -> tuple[str, ...] | None:
    """Give the audits asked for; ``None`` for all. TEST04-A and -B are made together."""
    if not tests or _ALL in tests:
        return None
    known = {name.lower(): name for name in audit_names(rules)}
    found = []
    for word in tests:
        plain = word.lower().removeprefix("audit.")
        plain = "test04" if plain in ("test04-a", "test04-b") else plain
        if plain not in known:
            raise click.BadParameter(
                f"there is no test {word!r} in round {rules.name}; known: {_ALL}, "
                f"{', '.join(known.values())}",
                param_hint="--test",
            )
        found.append(known[plain])
    return tuple(found)


def _print(report: AuditReport, console: Console) -> None:
    is_wide = console.width >= _WIDE
    headings = ["audit", "scenario", "outcome", *(["seen"] if is_wide else [])]
    table = Table(*headings, box=None, pad_edge=False)
    for one in report.results:
        table.add_row(*_row(one)[: len(headings)])
    console.print(table)
    for one in report.results:
        if not is_wide and one.outcome is not Outcome.PASS:
            name, scenario, outcome, seen = _row(one)
            console.print(f"{outcome}  {name} {scenario}: {seen}", soft_wrap=True)
    for one in report.results:
        found = one.finding(report.rules)
        if found is not None:
            console.print(f"[red]{found.rule.id}[/]  {escape(found.rule.title)}")
            console.print(f"  {escape(found.rule.remedy)}", soft_wrap=True)
    kind = "a quick audit: its runs are short" if report.is_quick else f"round {report.rules}"
    failed = sum(one.has_failed for one in report.results)
    open_count = sum(one.outcome is Outcome.NOT_CHECKABLE for one in report.results)
    console.print(
        f"{len(report.results)} audits, {failed} failed, {open_count} not checkable ({kind}); "
        f"rules of {report.rules}",
        style="bold",
    )
    console.print(f"written to {report.folder}", soft_wrap=True)


def _row(one: AuditResult) -> tuple[str, str, str, str]:
    colour = _COLOURS[one.outcome]
    return (
        one.test or one.audit.removeprefix("audit."),
        one.scenario.value if one.scenario else "–",
        f"[{colour}]{one.outcome.value}[/]",
        escape(one.seen),
    )


def _audit_tree(root: Path, rules: Round, console: Console, *, as_json: bool) -> int:
    """Check the audit folders of a published tree; give the exit code."""
    tree = Tree(root)
    checks = [one for folder in audit_folders(tree) for one in check_folder(tree, folder, rules)]
    if not checks:
        raise click.UsageError(f"{root} holds no audit folders (<division>/<submitter>/audit/…)")
    if as_json:
        click.echo(json.dumps([_mapping(one) for one in checks], indent=2, ensure_ascii=False))
    else:
        _print_checks(checks, console)
    return 1 if any(_is_bad(one) for one in checks) else 0


def _is_bad(one: FolderCheck) -> bool:
    return one.found is Outcome.FAIL or one.agrees is False


def _mapping(one: FolderCheck) -> dict[str, Any]:
    return {
        "folder": str(one.folder),
        "what": one.what,
        "stated": one.stated.value,
        "found": one.found.value,
        "agrees": one.agrees,
        "seen": one.seen,
        "stricter": one.stricter,
    }


def _print_checks(checks: list[FolderCheck], console: Console) -> None:
    table = Table("folder", "what", "stated", "found", "seen", box=None, pad_edge=False)
    told = [one for one in checks if one.agrees is not True or one.stricter]
    for one in told:
        seen = "; ".join(filter(None, (one.seen, one.stricter)))
        table.add_row(
            escape(str(one.folder)), one.what, one.stated.value, one.found.value, escape(seen)
        )
    if told:
        console.print(table)
    agreeing = sum(one.agrees is True for one in checks)
    differing = sum(one.agrees is False for one in checks)
    console.print(
        f"{len(checks)} verdicts: {agreeing} as stated, {differing} not, "
        f"{len(checks) - agreeing - differing} without one of the two",
        style="bold",
    )
