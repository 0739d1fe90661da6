"""Trees of v6.1: what `inferometer submit` builds, what can be wrong with it, and real logs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from inferometer.submission import Tree, result_places
from inferometer.submission.building import build_submission
from inferometer.submission.checking import CheckOptions, Outcome, TreeReport, check_tree, round_of
from tests.submission.building.conftest import pocket_v61
from tests.submission.building.sessions import request_for
from tests.submission.checking.trees import Change, replace
from tests.support import shared_data

__all__ = ["pocket_v61"]

_SUMMARY, _DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_LOG = "mlperf_log_accuracy.json"

pytestmark = pytest.mark.slow


@pytest.fixture
def result(pocket_v61: Path, tmp_path: Path) -> Path:
    """Build an open tree of a demonstration, and give its one result."""
    tree = build_submission(request_for(tmp_path, pocket_v61, round_name="v6.1", demo=True)).tree
    return tree / "open/ACME/results/sysA/pocket-mobilenet/SingleStream"


def _home(result: Path) -> Path:
    return result.parents[3]


def _check(result: Path, *, is_demo: bool = True) -> TreeReport:
    root = _home(result).parents[1]
    return check_tree(root, options=CheckOptions(is_demo=is_demo), workers=1)


def _rules(report: TreeReport) -> set[str]:
    return {check.rule.id for check in report.findings()}


def test_a_demonstration_passes_as_such_only(result: Path) -> None:
    report = _check(result)
    assert report.round_name == "v6.1"
    assert report.is_good, report.findings()
    assert report.results[0].benchmark == "resnet"
    assert report.published.exit_code == 0
    replayed = [c for c in report.all_checks() if c.rule.id == "replay.loaded-set"]
    assert [check.outcome for check in replayed] == [Outcome.PASS]
    whole = _check(result, is_demo=False)
    assert _rules(whole) == {"accuracy.part-of-data-set", "accuracy.sample-count"}
    assert whole.published.exit_code == 1


def _write_system(result: Path, **changes: object) -> None:
    file = _home(result) / "systems/sysA.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def _run(result: Path) -> Path:
    return result / "performance/run_1"


_FAULTS: dict[str, tuple[Change, str]] = {
    "no mapping": (lambda r: (_home(r) / "model_mapping.json").unlink(), "tree.no-model-mapping"),
    "mapping to nothing": (
        lambda r: (_home(r) / "model_mapping.json").write_text('{"pocket-mobilenet": "x"}'),
        "tree.no-model-mapping",
    ),
    "no summary": (lambda r: (_run(r) / _SUMMARY).unlink(), "tree.file-missing"),
    "empty README": (lambda r: (r / "README.md").write_text(""), "tree.empty-file"),
    "no user.conf": (lambda r: (r / "user.conf").unlink(), "measurements.file-missing"),
    "no measurements": (
        lambda r: (r / "measurements.json").unlink(),
        "measurements.file-missing",
    ),
    "empty field": (
        lambda r: replace(r / "measurements.json", '"retraining": "none"', '"retraining": ""'),
        "measurements.field-empty",
    ),
    "no sources": (lambda r: shutil.rmtree(_home(r) / "src"), "code.folder-missing"),
    "kind of system": (lambda r: _write_system(r, system_type="phone"), "system.type"),
    "no number": (lambda r: _write_system(r, number_of_nodes="one"), "system.not-a-number"),
    "empty cooling": (lambda r: _write_system(r, cooling=""), "system.field-empty"),
    "half a network": (
        lambda r: _write_system(r, is_network=True),
        "system.network-field-missing",
    ),
    "no hash": (
        lambda r: replace(r / "accuracy/accuracy.txt", "^hash=.*", ""),
        "accuracy.hash-missing",
    ),
    "long log": (
        lambda r: (r / "accuracy" / _LOG).write_text("[\n" + " " * 20_000 + "]\n"),
        "accuracy.not-truncated",
    ),
    "damaged log": (
        lambda r: (r / "accuracy" / _LOG).write_text("[\n" + "x" * 9000 + "]\n"),
        "accuracy.log-damaged",
    ),
    "not valid": (
        lambda r: replace(
            _run(r) / _DETAIL,
            '"result_validity", "value": "VALID"',
            '"result_validity", "value": "INVALID"',
        ),
        "result.invalid",
    ),
    "early stopping": (
        lambda r: replace(
            _run(r) / _DETAIL,
            '"early_stopping_met", "value": true',
            '"early_stopping_met", "value": false',
        ),
        "result.early-stopping",
    ),
    "no estimate": (
        lambda r: replace(_run(r) / _DETAIL, "^.*early_stopping_latency_ss.*\n", ""),
        "result.missing",
    ),
    "low estimate": (
        lambda r: replace(
            _run(r) / _DETAIL, r'(early_stopping_latency_ss", "value": )\d+', r"\g<1>7"
        ),
        "result.contradiction",
    ),
    "other seeds": (
        lambda r: replace(_run(r) / _SUMMARY, r"^qsl_rng_seed : \d+", "qsl_rng_seed : 1"),
        "settings.seeds",
    ),
    "other samples": (
        lambda r: replace(
            _run(r) / _DETAIL, r'(loaded_qsl_set", "value": \[)(\d+),(\d+)', r"\g<1>\3,\2"
        ),
        "replay.loaded-set",
    ),
    "cut off": (lambda r: replace(_run(r) / _DETAIL, "^.*power_end.*\n", ""), "log.cut-off"),
    "mode": (
        lambda r: replace(
            _run(r) / _DETAIL, '(effective_test_mode", "value": ")Performance', r"\g<1>Accuracy"
        ),
        "log.mode",
    ),
    "logged error": (
        lambda r: replace(
            _run(r) / _DETAIL,
            '(.*"key": ")num_errors(.*"is_error": )false',
            r"\1error_runtime\2true",
        ),
        "log.errors",
    ),
    "older round": (
        lambda r: (_run(r) / _DETAIL).write_text(
            '"pid": 1, "tid": 1, "ts": 1ns : version : .5a1\n'
        ),
        "log.other-round",
    ),
}


@pytest.mark.parametrize(("change", "rule_id"), _FAULTS.values(), ids=_FAULTS)
def test_each_fault_is_found_by_its_rule(change: Change, rule_id: str, result: Path) -> None:
    change(result)
    report = _check(result)
    assert rule_id in _rules(report)
    assert "check.gave-up" not in _rules(report)
    assert not report.is_good


def test_a_task_that_cannot_be_judged_is_never_good(result: Path) -> None:
    text = '{"pocket-mobilenet": "bert-99"}'
    (_home(result) / "model_mapping.json").write_text(text)
    report = _check(result)
    assert "check.gave-up" in _rules(report)
    assert not report.is_good


def _closed(result: Path) -> Path:
    """Make a closed result of it, with the tests that the round asks for."""
    home = _home(result)
    home.parent.rename(home.parents[1] / "closed")
    home = home.parents[1] / "closed/ACME"
    (home / "results/sysA/pocket-mobilenet").rename(home / "results/sysA/resnet")
    result = home / "results/sysA/resnet/SingleStream"
    _write_system(result, division="closed")
    for name in ("TEST01", "TEST04"):
        (result / name).mkdir()
        shutil.copytree(result / "performance", result / name / "performance")
        for verdict in ("verify_accuracy.txt", "verify_performance.txt"):
            (result / name / verdict).write_text("x\nTEST PASS\n")
    return result


_COMPLIANCE: dict[str, tuple[Change, set[str]]] = {
    "all there": (lambda _: None, set()),
    "no TEST04": (lambda r: shutil.rmtree(r / "TEST04"), {"compliance.test-missing"}),
    "no verdict": (
        lambda r: (r / "TEST01/verify_accuracy.txt").unlink(),
        {"compliance.file-missing", "compliance.accuracy-failed"},
    ),
    "slower": (
        lambda r: (r / "TEST04/verify_performance.txt").write_text("TEST FAIL\n"),
        {"compliance.performance-failed"},
    ),
    "other answers": (
        lambda r: (r / "TEST01/verify_accuracy.txt").write_text("TEST FAIL\n"),
        {"compliance.accuracy-failed"},
    ),
    "extra file": (
        lambda r: (r / "TEST01/performance/run_1/notes").write_text(""),
        {"compliance.files-differ"},
    ),
    "seeds of the test": (
        lambda r: replace(
            r / "TEST01/performance/run_1" / _SUMMARY, r"^qsl_rng_seed : \d+", "qsl_rng_seed : 1"
        ),
        {"compliance.run-not-by-the-rules"},
    ),
}


@pytest.mark.parametrize(("change", "rule_ids"), _COMPLIANCE.values(), ids=_COMPLIANCE)
def test_compliance_tests(change: Change, rule_ids: set[str], result: Path) -> None:
    closed = _closed(result)
    change(closed)
    found = _rules(_check(closed))
    # The demonstration has one scenario, and neither size nor code of the closed division.
    assert {"tree.scenario-missing"} <= found
    assert {rule for rule in found if rule.startswith("compliance.")} == rule_ids


def test_answers_that_differ_but_are_as_good(result: Path) -> None:
    closed = _closed(result)
    (closed / "TEST01/verify_accuracy.txt").write_text("TEST FAIL\n")
    (closed / "TEST01/accuracy").mkdir()
    for name, value in (("baseline", "76.4"), ("compliance", "76.0")):
        (closed / f"TEST01/accuracy/{name}_accuracy.txt").write_text(f"accuracy={value}%\n")
    assert "compliance.accuracy-failed" not in _rules(_check(closed))
    (closed / "TEST01/accuracy/compliance_accuracy.txt").write_text("accuracy=70.0%\n")
    assert "compliance.accuracy-failed" in _rules(_check(closed))


@pytest.mark.parametrize(
    "scenario",
    [Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.OFFLINE],
)
def test_samples_of_the_published_loadgen_are_replayed(scenario: Scenario, tmp_path: Path) -> None:
    logs = shared_data("loadgen-logs", "v6.0.17")
    folder = tmp_path / f"open/ACME/results/sysA/tiny/{scenario.value}"
    for name, place in (("PerformanceOnly", "performance/run_1"), ("AccuracyOnly", "accuracy")):
        (folder / place).mkdir(parents=True)
        for log in (_SUMMARY, _DETAIL, _LOG):
            shutil.copy(logs / f"{scenario.value}_{name}" / log, folder / place / log)
    tree = Tree(tmp_path)
    assert round_of(tree, list(result_places(tree))) == "v6.1"
    report = check_tree(tmp_path, workers=1)
    outcomes = {c.rule.id: c.outcome for c in report.all_checks()}
    assert outcomes["replay.loaded-set"] is Outcome.PASS
    assert outcomes["replay.accuracy-order"] is Outcome.PASS
    assert outcomes["result.contradiction"] is Outcome.PASS
    assert outcomes["settings.logs-differ"] is Outcome.PASS
    assert not report.is_good
