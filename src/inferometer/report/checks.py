"""Checks: the report of a checked tree as table, Markdown and JUnit XML."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Severity
from inferometer.report.markup import markdown_row, markdown_text
from inferometer.submission.checking import (
    Check,
    Outcome,
    PublishedTree,
    ResultReport,
    TreeReport,
)

__all__ = ["checks_junit", "checks_markdown", "print_checks", "print_published"]

_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_COLUMNS = (
    "division",
    "submitter",
    "system",
    "benchmark",
    "scenario",
    "result",
    "accuracy",
    "verdict",
    "findings",
)
_MOST_PLACES = 8
"""So many places of one finding are printed; all of them are in JSON, JUnit XML and Markdown."""


def print_checks(report: TreeReport, console: Console) -> None:
    """Print a line for each result, then the findings by rule, then how many checks there were."""
    if report.results:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for name in _COLUMNS:
            table.add_column(name, overflow="fold")
        for result in report.results:
            *texts, verdict, findings = _row(result)
            style = "green" if result.is_good else "bold red"
            table.add_row(*map(escape, texts), f"[{style}]{verdict}[/]", findings)
        console.print(table)
    for checks in _by_rule(report.findings()):
        _print_rule(checks, console)
    console.print(escape(_summary(report)), style="bold", highlight=False)


def print_published(published: PublishedTree, console: Console) -> None:
    """Print what the published checker says of each result, and of the tree."""
    for result in published.results:
        word = "[green]OK[/]" if result.is_good else "[bold red]bad[/]"
        console.print(f"{word} {escape(str(result.place))}", highlight=False)
        for reason in result.reasons:
            console.print(f"    {escape(reason)}", style="dim", highlight=False)
    for error in published.errors:
        console.print(f"[bold red]error[/] {escape(error)}", highlight=False)
    good = sum(result.is_good for result in published.results)
    console.print(
        f"published checker: {good} of {len(published.results)} results OK, "
        f"{len(published.errors)} other errors, exit code {published.exit_code}",
        style="bold",
        highlight=False,
    )
    if not published.results:
        console.print("mind: there is no result in it, which the published checker passes")


def checks_markdown(report: TreeReport) -> str:
    """Give the report as Markdown: the same table, and every finding with its place."""
    lines = [f"# Check of {markdown_text(report.tree)}, round {report.round_name}", ""]
    lines += [markdown_text(_summary(report)), ""]
    if report.results:
        lines += [markdown_row(_COLUMNS), markdown_row(["---"] * len(_COLUMNS))]
        lines += [
            markdown_row([markdown_text(text) for text in _row(result)])
            for result in report.results
        ]
        lines.append("")
    for checks in _by_rule(report.findings()):
        rule = checks[0].rule
        lines += [f"## {rule.severity.value}: {markdown_text(rule.title)} (`{rule.id}`)", ""]
        lines += [f"To do: {markdown_text(rule.remedy)}.", ""]
        lines += [
            f"- {markdown_text(check.where) or '.'}: {markdown_text(check.seen)}"
            for check in checks
        ]
        lines.append("")
    return "\n".join(lines)


def checks_junit(report: TreeReport) -> bytes:
    """Give the report as JUnit XML: a suite for each result, a case for each rule and place.

    Findings that are no errors are system-out of their case, since JUnit knows no warnings.
    """
    root = ElementTree.Element("testsuites", name="inferometer check")
    _add_suite(root, "tree", report.checks)
    for result in report.results:
        _add_suite(root, str(result.place), result.checks)
    text: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return text


def _row(result: ResultReport) -> tuple[str, ...]:
    place = result.place
    value = "–" if result.value is None else f"{result.value:,.6g}"
    metric = result.metric.replace("latency (ns)", "ns")
    return (
        place.division,
        place.submitter,
        place.system,
        place.benchmark,
        place.scenario,
        f"{value} {metric}".strip(),
        (result.recomputed or result.accuracy or "–").split(",")[0],
        "pass" if result.is_good else "fail",
        str(len(result.findings)),
    )


def _by_rule(findings: Sequence[Check]) -> Iterator[list[Check]]:
    for _, checks in itertools.groupby(findings, key=lambda check: check.rule.id):
        yield list(checks)


def _print_rule(checks: Sequence[Check], console: Console) -> None:
    rule = checks[0].rule
    console.print(
        f"[{_STYLE[rule.severity]}]{rule.severity.value}[/] {escape(rule.title)} "
        f"\\[{rule.id}], {len(checks)} times",
        highlight=False,
    )
    for check in checks[:_MOST_PLACES]:
        text = f"{check.where or '.'}: {check.seen}"
        console.print(f"    {escape(text)}", highlight=False)
    if len(checks) > _MOST_PLACES:
        console.print(f"    and {len(checks) - _MOST_PLACES} more", style="dim")
    console.print(f"  [dim]→ {escape(rule.remedy)}[/]", highlight=False)


def _summary(report: TreeReport) -> str:
    counts = report.counts()
    told = ", ".join(f"{counts[outcome.value]} {outcome.value}" for outcome in Outcome)
    good = sum(result.is_good for result in report.results)
    verdict = "OK" if report.is_good else "not OK"
    return f"{verdict}: {good} of {len(report.results)} results good; checks: {told}"


def _add_suite(root: ElementTree.Element, name: str, checks: Sequence[Check]) -> None:
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(checks)),
        failures=str(sum(check.is_error for check in checks)),
        skipped=str(sum(check.outcome is Outcome.NOT_CHECKABLE for check in checks)),
        errors="0",
    )
    for check in checks:
        case = ElementTree.SubElement(
            suite, "testcase", classname=check.rule.id, name=check.where or "."
        )
        if check.is_error:
            told = ElementTree.SubElement(case, "failure", message=check.rule.title)
            told.text = f"{check.seen}\n{check.rule.remedy}"
        elif check.outcome is Outcome.NOT_CHECKABLE:
            ElementTree.SubElement(case, "skipped", message=check.seen)
        elif check.outcome is Outcome.FAIL:
            note = ElementTree.SubElement(case, "system-out")
            note.text = f"{check.rule.severity.value}: {check.rule.title}: {check.seen}"
