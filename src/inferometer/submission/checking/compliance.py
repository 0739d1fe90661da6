"""Compliance: the tests of a later round that lie beside a closed result."""

from __future__ import annotations

import re

from inferometer.loadgen import Mode, Scenario, Severity
from inferometer.logs import ACCURACY_LOG
from inferometer.rounds import Audit, Benchmark
from inferometer.submission.checking.log_words import check_log_words
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.outcome import Outcome
from inferometer.submission.checking.run_logs import read_run
from inferometer.submission.checking.schedule import check_schedule
from inferometer.submission.checking.settings import Asked, check_settings
from inferometer.submission.places import ResultPlace
from inferometer.submission.tree import Tree, TreeError

__all__ = ["check_compliance"]

_PASS = re.compile(r"(^|\s)TEST PASS\s*$", re.MULTILINE)
_NUMBER = re.compile(r"accuracy=([\d.]{1,20})|mAP=([\d.]{1,20})")
_LARGEST_TEXT_BYTES = 1 << 20


def check_compliance(
    tree: Tree, place: ResultPlace, benchmark: Benchmark, asked: Asked, notebook: Notebook
) -> None:
    """Check the tests that the benchmark requires: files, verdicts, and the rules for runs."""
    for name, audit in asked.round.audits.items():
        if benchmark.name in audit.required_for:
            folder = (*place.parts, name)
            is_there = tree.has_folder(*folder)
            seen = "" if is_there else "missing"
            if notebook.judge("compliance.test-missing", folder, is_there, seen):
                _check_test(tree, folder, audit, benchmark, asked, notebook)


def _check_test(
    tree: Tree,
    folder: tuple[str, ...],
    audit: Audit,
    benchmark: Benchmark,
    asked: Asked,
    notebook: Notebook,
) -> None:
    for name in audit.files:
        is_there = tree.size_bytes(*folder, name) > 0
        seen = "" if is_there else "missing, or empty"
        notebook.judge("compliance.file-missing", (*folder, name), is_there, seen)
    if "verify_performance.txt" in audit.files:
        is_passed = bool(_PASS.search(_text(tree, (*folder, "verify_performance.txt"))))
        seen = "TEST PASS" if is_passed else "no line TEST PASS"
        where = (*folder, "verify_performance.txt")
        notebook.judge("compliance.performance-failed", where, is_passed, seen)
    if "verify_accuracy.txt" in audit.files:
        _check_accuracy(tree, folder, audit, benchmark, notebook)
    _check_run(tree, (*folder, "performance", "run_1"), asked, notebook)


def _check_accuracy(
    tree: Tree,
    folder: tuple[str, ...],
    audit: Audit,
    benchmark: Benchmark,
    notebook: Notebook,
) -> None:
    """Check that the answers are the same, or else that both accuracies nearly are."""
    rule_id, where = "compliance.accuracy-failed", (*folder, "verify_accuracy.txt")
    if _PASS.search(_text(tree, where)):
        notebook.passes(rule_id, where, "TEST PASS")
        return
    names = ("baseline_accuracy.txt", "compliance_accuracy.txt")
    found = [_NUMBER.search(_text(tree, (*folder, "accuracy", name))) for name in names]
    values = [float(match[1] or match[2]) for match in found if match and _is_number(match)]
    share = audit.accuracy_tolerance_of.get(benchmark.name, audit.accuracy_tolerance)
    if len(values) < len(names) or share is None or not values[0]:
        notebook.fails(rule_id, where, "no line TEST PASS, and no two accuracies to compare")
        return
    baseline, tested = values
    is_near = abs(tested - baseline) <= share * baseline
    seen = f"accuracy {tested:g}, without the test {baseline:g}, at most {share:.1%} apart"
    notebook.judge(rule_id, where, is_near, seen)


def _is_number(match: re.Match[str]) -> bool:
    return (match[1] or match[2]).count(".") <= 1 and (match[1] or match[2]) != "."


def _check_run(tree: Tree, folder: tuple[str, ...], asked: Asked, notebook: Notebook) -> None:
    """Check the logs of a test's run as those of a performance run."""
    required = set(asked.round.files.performance)
    files = set(tree.files(*folder)) - {ACCURACY_LOG, *asked.round.files.ignored}
    different = sorted(files ^ required)
    notebook.judge("compliance.files-differ", folder, not different, ", ".join(different))
    inner = Notebook(asked.round.name)
    run = read_run(tree, folder, inner)
    scenario: Scenario = asked.scenario
    check_log_words(run, Mode.PERFORMANCE, scenario, asked.round, inner)
    check_settings(run, asked, inner)
    check_schedule(run, scenario, inner)
    broken = {
        check.rule.id
        for check in inner.checks
        if check.outcome is Outcome.FAIL and check.rule.severity is Severity.ERROR
    }
    # Tests issue samples as results mustn't: that is what they are for.
    broken -= {"settings.audit-flags", "settings.query-count"}
    seen = ", ".join(sorted(broken))
    notebook.judge("compliance.run-not-by-the-rules", folder, not broken, seen)


def _text(tree: Tree, where: tuple[str, ...]) -> str:
    if not tree.has_file(*where):
        return ""
    try:
        return tree.text(*where, most_bytes=_LARGEST_TEXT_BYTES)
    except TreeError:
        return ""
