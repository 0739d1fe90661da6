"""A good tree passes; each thing that can be wrong with one is found, by its rule."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario, Severity
from inferometer.submission import TreeError
from inferometer.submission.checking import (
    CheckError,
    CheckOptions,
    Outcome,
    TreeReport,
    Truth,
    check_tree,
)
from tests.submission.checking.faults import (
    CURRENT_RECORD,
    DETAIL,
    FAULTS,
    LOG,
    SUMMARY,
    home_of,
    in_both,
)
from tests.submission.checking.trees import (
    SUBMITTER,
    SYSTEM,
    Change,
    labels,
    make_tree,
    replace,
    system,
)


def _rules(report: TreeReport) -> set[str]:
    return {check.rule.id for check in report.findings()}


@pytest.mark.parametrize("benchmark", ["resnet", "ssd-small"])
@pytest.mark.parametrize(
    "scenario",
    [Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.OFFLINE],
)
def test_a_good_tree_passes(benchmark: str, scenario: Scenario, tmp_path: Path) -> None:
    make_tree(tmp_path, benchmark, scenario)
    report = check_tree(tmp_path)
    assert _rules(report) == set()
    assert report.is_good
    (result,) = report.results
    schedules = [c for c in result.checks if c.rule.id == "replay.schedule"]
    assert len(schedules) == (6 if scenario is Scenario.SERVER else 0)
    assert (result.benchmark, result.scenario) == (benchmark, scenario.value)
    assert result.value is not None
    assert report.published
    assert report.published.exit_code == 0
    replayed = [c for c in result.checks if c.rule.id.startswith("replay.")]
    assert replayed
    assert all(check.outcome is Outcome.PASS for check in replayed)


@pytest.mark.parametrize(("change", "rule_id"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_found_by_its_rule(change: Change, rule_id: str, tmp_path: Path) -> None:
    change(make_tree(tmp_path))
    report = check_tree(tmp_path)
    assert rule_id in (_rules(report) or {""})
    assert "check.gave-up" not in _rules(report)
    assert report.is_good is all(c.rule.severity is not Severity.ERROR for c in report.findings())


_SYSTEM: dict[str, tuple[dict[str, object], str]] = {
    "missing": ({"framework": None}, "system.field-missing"),
    "unknown": ({"colour": "red"}, "system.field-unknown"),
    "empty": ({"framework": " "}, "system.field-empty"),
    "submitter": ({"submitter": "acme"}, "system.submitter"),
    "division": ({"division": "Closed"}, "system.division"),
    "status": ({"status": "soon"}, "system.status"),
    "a list": ({"framework": ["a"]}, "system.damaged"),
}


@pytest.mark.parametrize(("changes", "rule_id"), _SYSTEM.values(), ids=_SYSTEM)
def test_system_descriptions(changes: dict[str, object], rule_id: str, tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    text = json.dumps({**system(), **changes})
    (home_of(result) / f"systems/{SYSTEM}.json").write_text(text)
    assert _rules(check_tree(tmp_path)) == {rule_id}


_MEASUREMENTS: dict[str, tuple[dict[str, object], str]] = {
    "missing": ({"retraining": None}, "measurements.field-missing"),
    "unknown": ({"colour": "red"}, "measurements.field-unknown"),
    "format": ({"weight_data_types": "FP8"}, "measurements.number-format"),
    "two formats": ({"weight_data_types": "int8, int2"}, "measurements.number-format"),
    "a list": ({"retraining": []}, "measurements.damaged"),
}


@pytest.mark.parametrize(("changes", "rule_id"), _MEASUREMENTS.values(), ids=_MEASUREMENTS)
def test_measurements(changes: dict[str, object], rule_id: str, tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    file = next(home_of(result).glob("measurements/*/*/*/*.json"))
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    assert _rules(check_tree(tmp_path)) == {rule_id}


@pytest.mark.parametrize(
    "stated",
    ["int8", "INT8, fp16", "We quantise fp32 weights to int8", "bf16", "uint8", "No change."],
)
def test_number_formats_that_are_allowed_or_not_named(stated: str, tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    file = next(home_of(result).glob("measurements/*/*/*/*.json"))
    file.write_text(json.dumps({**json.loads(file.read_text()), "weight_data_types": stated}))
    assert check_tree(tmp_path).is_good


def test_server_is_bound_and_run_five_times(tmp_path: Path) -> None:
    result = make_tree(tmp_path, scenario=Scenario.SERVER)
    shutil.rmtree(result / "performance/run_5")
    replace(result / "performance/run_2" / SUMMARY, r"^(99.00.*): \d+", r"\1: 15000001")
    replace(result / "performance/run_2" / SUMMARY, r"^(99.90.*): \d+", r"\1: 15000002")
    replace(result / "performance/run_2" / SUMMARY, r"^(Max.*): \d+", r"\1: 15000003")
    in_both(
        result,
        r"^target_latency \(ns\): \d+|^target_latency \(ns\) : \d+",
        "target_latency (ns): 16000000",
    )
    found = _rules(check_tree(tmp_path))
    assert found == {
        "result.latency-bound",
        "result.runs",
        "settings.latency-bound",
        "settings.runs-differ",
    }


def test_server_in_small_letters_needs_five_runs_too(tmp_path: Path) -> None:
    result = make_tree(tmp_path, scenario=Scenario.SERVER, folder="server")
    for number in range(2, 6):
        shutil.rmtree(result / f"performance/run_{number}")
    report = check_tree(tmp_path)
    assert _rules(report) == {"result.runs", "tree.scenario-spelling"}
    assert report.published
    assert report.published.exit_code == 0


def test_the_open_division_declares_what_it_chooses(tmp_path: Path) -> None:
    result = make_tree(tmp_path, division="open")
    (result / "accuracy/accuracy.txt").write_text("accuracy=70.000%, good=35000, total=50000\n")
    in_both(result, "^min_query_count : 1024", "min_query_count : 100")
    report = check_tree(tmp_path)
    assert report.is_good
    declared = {c.rule.id for c in report.all_checks() if c.outcome is Outcome.DECLARED}
    assert {"accuracy.below-target", "settings.query-count"} <= declared
    assert report.published
    assert report.published.exit_code == 1


def test_an_unknown_model_of_the_open_division_is_said_to_be_unjudged(tmp_path: Path) -> None:
    result = make_tree(tmp_path, division="open")
    for part in ("results", "measurements"):
        folder = home_of(result) / part / SYSTEM
        (folder / "resnet").rename(folder / "alexnet")
    (home_of(result) / "code/resnet").rename(home_of(result) / "code/alexnet")
    report = check_tree(tmp_path)
    assert _rules(report) == {"tree.own-benchmark"}
    assert report.published
    assert report.published.exit_code == 0


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_accuracy_is_computed_anew(dtype: str, tmp_path: Path) -> None:
    width = {"float32": "<f4", "int32": "<i4", "int64": "<i8"}[dtype]
    make_tree(tmp_path / "tree", dtype=width)
    truth = Truth(labels=_val_map(tmp_path))
    report = check_tree(tmp_path / "tree", options=CheckOptions(truth=truth))
    assert _rules(report) == (set() if dtype == "float32" else {"accuracy.data-type"})
    assert report.results[0].recomputed == "accuracy=77.000%, good=38500, total=50000"


def test_an_accuracy_that_the_answers_do_not_give(tmp_path: Path) -> None:
    result = make_tree(tmp_path / "tree")
    (result / "accuracy/accuracy.txt").write_text("accuracy=78.000%, good=39000, total=50000\n")
    truth = Truth(labels=_val_map(tmp_path))
    report = check_tree(tmp_path / "tree", options=CheckOptions(truth=truth))
    assert _rules(report) == {"accuracy.differs"}


def _val_map(folder: Path) -> Path:
    file = folder / "val_map.txt"
    file.write_text("".join(f"{n}.JPEG {label}\n" for n, label in enumerate(labels().tolist())))
    return file


def test_a_right_hash_passes(tmp_path: Path) -> None:
    accuracy = make_tree(tmp_path) / "accuracy"
    digest = hashlib.sha256((accuracy / LOG).read_bytes()).hexdigest()
    with (accuracy / "accuracy.txt").open("a") as file:
        file.write(f"\nhash={digest}\n")
    report = check_tree(tmp_path)
    assert report.is_good
    assert any(
        c.rule.id == "accuracy.hash" and c.outcome is Outcome.PASS for c in report.all_checks()
    )


def test_without_code(tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    shutil.rmtree(home_of(result) / "code")
    assert check_tree(tmp_path, options=CheckOptions(with_code=False)).is_good


def test_trees_without_results_are_never_good(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="empty"):
        check_tree(tmp_path)
    (tmp_path / "closed" / SUBMITTER).mkdir(parents=True)
    report = check_tree(tmp_path)
    assert not report.is_good
    assert {"tree.no-results", "tree.no-results-folder"} <= _rules(report)


def test_a_tree_of_links_is_never_good(tmp_path: Path) -> None:
    make_tree(tmp_path / "real")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "closed").symlink_to(tmp_path / "real" / "closed")
    report = check_tree(tmp_path / "tree")
    assert not report.is_good
    assert _rules(report) == {"tree.no-results", "tree.left-alone"}


def test_a_tree_is_judged_by_the_round_of_its_logs(tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    assert check_tree(tmp_path).round_name == "v0.5"
    for log in result.rglob(DETAIL):
        log.write_text(CURRENT_RECORD)
    assert check_tree(tmp_path).round_name == "v6.1"
    assert "log.other-round" in _rules(check_tree(tmp_path, "v0.5"))
    with pytest.raises(CheckError, match=r"judged can be those of v0\.5, v6\.1"):
        check_tree(tmp_path, "v9")


def test_submitters_are_narrowed(tmp_path: Path) -> None:
    make_tree(tmp_path)
    other = tmp_path / "closed/Other"
    shutil.copytree(tmp_path / "closed" / SUBMITTER, other)
    assert not check_tree(tmp_path).is_good
    report = check_tree(tmp_path, options=CheckOptions(SUBMITTER))
    assert report.is_good
    assert report.published
    assert len(report.published.results) == 1
    with pytest.raises(CheckError, match="ACME, Other"):
        check_tree(tmp_path, options=CheckOptions("Nobody"))


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    for benchmark in ("resnet", "ssd-small"):
        for scenario in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE):
            make_tree(tmp_path, benchmark, scenario)
    seen: list[tuple[int, int]] = []
    alone = check_tree(tmp_path, workers=1)
    together = check_tree(tmp_path, workers=2, progress=lambda *done: seen.append(done))
    assert together == alone
    assert together.is_good
    assert seen == [(n, 6) for n in range(1, 7)]
