"""Reports of checked trees: table, Markdown and JUnit XML, harmless whatever the tree holds."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from inferometer.report.checks import (
    checks_junit,
    checks_markdown,
    print_checks,
    print_published,
)
from inferometer.submission.checking import Outcome, TreeReport, check_tree
from tests.submission.checking.trees import make_tree, replace


@pytest.fixture
def report(tmp_path: Path) -> TreeReport:
    """Report one good result and one that is INVALID and lacks a file."""
    make_tree(tmp_path, "resnet")
    bad = make_tree(tmp_path, "ssd-small")
    replace(bad / "performance/run_1/mlperf_log_summary.txt", "is : VALID", "is : INVALID")
    (bad / "performance/run_1/mlperf_log_accuracy.json").unlink()
    (bad / "accuracy" / "[red]a|b`c<i>.txt").write_text("")
    return check_tree(tmp_path, workers=1)


def _printed(report: TreeReport, *, published: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=200)
    if published:
        assert report.published
        print_published(report.published, console)
    else:
        print_checks(report, console)
    return file.getvalue()


def test_the_table_has_a_line_for_each_result(report: TreeReport) -> None:
    lines = _printed(report).splitlines()
    (good,) = [line for line in lines if "resnet" in line and "pass" in line]
    assert "9e+06 90th percentile ns" in good
    assert "accuracy=77.000%" in good
    (bad,) = [line for line in lines if "ssd-small" in line and "fail" in line]
    assert bad.split()[-1] == "3"


def test_findings_stand_under_their_rule_with_place_and_remedy(report: TreeReport) -> None:
    text = _printed(report)
    assert "error LoadGen judged the run INVALID [result.invalid], 1 times" in text
    assert "ssd-small/SingleStream/performance/run_1/mlperf_log_summary.txt: INVALID" in text
    assert "→ mend what the summary names, and run again" in text
    assert "[red]a|b`c<i>.txt" in text
    assert text.rstrip().splitlines()[-1].startswith("not OK: 1 of 2 results good")


def test_the_published_verdict_gives_its_reasons(report: TreeReport) -> None:
    text = _printed(report, published=True)
    assert "OK closed/ACME/results/sysA/resnet/SingleStream" in text
    assert "bad closed/ACME/results/sysA/ssd-small/SingleStream" in text
    assert "performance/run_1 isn't VALID" in text
    assert "1 of 2 results OK, 0 other errors, exit code 1" in text


def test_no_results_are_told_beside_the_published_verdict(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("")
    text = _printed(check_tree(tmp_path), published=True)
    assert "exit code 0" in text
    assert "there is no result" in text


def test_markdown_escapes_what_a_tree_holds(report: TreeReport) -> None:
    text = checks_markdown(report)
    assert "| closed | ACME | sysA | resnet | SingleStream |" in text
    assert "\\[red\\]a\\|b\\`c&lt;i&gt;.txt" in text
    assert "(`result.invalid`)" in text


def test_junit_has_a_case_for_each_check(report: TreeReport) -> None:
    root = ElementTree.fromstring(checks_junit(report))
    suites = list(root)
    assert suites[0].get("name") == "tree"
    assert len(suites) == 3
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(list(report.all_checks()))
    failures = root.findall("testsuite/testcase/failure")
    assert len(failures) == sum(check.is_error for check in report.all_checks())
    skipped = [c for c in report.all_checks() if c.outcome is Outcome.NOT_CHECKABLE]
    assert len(root.findall("testsuite/testcase/skipped")) == len(skipped)
    assert sum(int(suite.get("failures", "")) for suite in suites) == len(failures)
