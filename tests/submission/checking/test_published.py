"""The published verdict: the slips of the v0.5 round's own checker, one by one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from inferometer.submission.checking import PublishedTree, check_tree
from tests.submission.checking.trees import SYSTEM, Change, make_tree, replace, system

_SUMMARY, _DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_LOG = "mlperf_log_accuracy.json"


def _verdict(tree: Path) -> PublishedTree:
    published = check_tree(tree, workers=1).published
    assert published is not None
    return published


def _run(result: Path) -> Path:
    return result / "performance/run_1"


def _empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


_BAD: dict[str, Change] = {
    "no accuracy.txt": lambda r: (r / "accuracy/accuracy.txt").unlink(),
    "no accuracy": lambda r: (r / "accuracy/accuracy.txt").write_text("accuracy: 77\n"),
    "below target": lambda r: (r / "accuracy/accuracy.txt").write_text("accuracy=75.6\n"),
    "number nobody reads": lambda r: (r / "accuracy/accuracy.txt").write_text("accuracy=7.7.7\n"),
    "no accuracy log": lambda r: (_run(r) / _LOG).unlink(),
    "no detail log": lambda r: (_run(r) / _DETAIL).unlink(),
    "extra files": lambda r: (_run(r) / "notes.txt").write_text(""),
    "no run": lambda r: shutil.rmtree(r / "performance"),
    "not valid": lambda r: replace(_run(r) / _SUMMARY, "Result is : VALID", "Result is : BAD"),
    "few samples": lambda r: replace(
        _run(r) / _SUMMARY, r"_sample_count : \d+", "_sample_count : 9"
    ),
    "no seed": lambda r: replace(_run(r) / _SUMMARY, r"^qsl_rng_seed.*", ""),
    "no scenario": lambda r: replace(_run(r) / _SUMMARY, r"^Scenario.*", ""),
    "scenario in one word": lambda r: replace(_run(r) / _SUMMARY, "Single Stream", "SingleStream"),
    "no headline": lambda r: replace(_run(r) / _SUMMARY, r"^90th.*", ""),
    "no system": lambda r: (r.parents[3] / f"systems/{SYSTEM}.json").unlink(),
    "another model": lambda r: r.parent.rename(r.parent.with_name("resnet50")),
    "empty run": lambda r: _empty(_run(r)),
}


@pytest.mark.parametrize("change", _BAD.values(), ids=_BAD)
def test_bad_results(change: Change, tmp_path: Path) -> None:
    change(make_tree(tmp_path))
    verdict = _verdict(tmp_path)
    assert verdict.exit_code == 1
    (result,) = verdict.results
    assert result.reasons


def _run_in_performance(result: Path) -> None:
    shutil.copytree(_run(result), result / "performance", dirs_exist_ok=True)
    shutil.rmtree(_run(result))


def _of_offline(result: Path) -> None:
    replace(_run(result) / _SUMMARY, "Single Stream", "Offline")
    replace(_run(result) / _SUMMARY, "^90th.*", "Samples per second: 5")


_PASSED_BY_ACCIDENT: dict[str, Change] = {
    "other seeds": lambda r: replace(
        _run(r) / _SUMMARY, r"^qsl_rng_seed : \d+", "qsl_rng_seed : 1"
    ),
    "errors": lambda r: replace(_run(r) / _DETAIL, ": Starting", ": ERROR : Starting"),
    "run1": lambda r: _run(r).rename(r / "performance/run1"),
    "run in performance": _run_in_performance,
    "trace": lambda r: (_run(r) / "mlperf_log_trace.json").write_text(""),
    "wrong log": lambda r: (r / "accuracy" / _LOG).write_text("nonsense"),
    "accuracy log is empty": lambda r: (r / "accuracy" / _LOG).write_text(""),
    "short run": lambda r: replace(_run(r) / _SUMMARY, r"^min_duration.*", "min_duration (ms): 1"),
    "another scenario": _of_offline,
}


@pytest.mark.parametrize("change", _PASSED_BY_ACCIDENT.values(), ids=_PASSED_BY_ACCIDENT)
def test_what_it_passes_by_accident(change: Change, tmp_path: Path) -> None:
    change(make_tree(tmp_path))
    report = check_tree(tmp_path, workers=1)
    assert report.published
    assert report.published.exit_code == 0, report.published
    if change is not _PASSED_BY_ACCIDENT["trace"]:
        assert report.findings()


def test_unknown_models_pass_unchecked_and_open_ones_have_targets(tmp_path: Path) -> None:
    result = make_tree(tmp_path, division="open")
    (result / "accuracy/accuracy.txt").write_text("accuracy=1.0\n")
    assert _verdict(tmp_path).exit_code == 1
    home = result.parents[3]
    for folder in (home / "results" / SYSTEM, home / "measurements" / SYSTEM, home / "code"):
        (folder / "resnet").rename(folder / "alexnet")
    replace(
        home / "results" / SYSTEM / "alexnet/SingleStream/performance/run_1" / _SUMMARY,
        r"_sample_count : \d+",
        "_sample_count : 1",
    )
    assert _verdict(tmp_path).exit_code == 0


_ERRORS: dict[str, Change] = {
    "missing key": lambda r: _write_system(r, framework=None),
    "unknown key": lambda r: _write_system(r, colour="red"),
    "submitter": lambda r: _write_system(r, submitter="acme"),
    "no measurements": lambda r: shutil.rmtree(r.parents[3] / "measurements"),
    "no user.conf": lambda r: next(r.parents[3].glob("measurements/*/*/*/user.conf")).unlink(),
    "no code": lambda r: shutil.rmtree(r.parents[3] / "code"),
}


def _write_system(result: Path, **changes: object) -> None:
    text = json.dumps({**system(), **changes})
    (result.parents[3] / f"systems/{SYSTEM}.json").write_text(text)


@pytest.mark.parametrize("change", _ERRORS.values(), ids=_ERRORS)
def test_errors_beside_the_results(change: Change, tmp_path: Path) -> None:
    change(make_tree(tmp_path))
    verdict = _verdict(tmp_path)
    assert verdict.exit_code == 1
    assert verdict.results[0].is_good
    assert len(verdict.errors) == 1


def test_empty_fields_and_keys_that_stand_twice_pass(tmp_path: Path) -> None:
    result = make_tree(tmp_path)
    text = json.dumps({**system(), "framework": ""})
    text = text.replace("{", '{"status": "gone", ', 1)
    (result.parents[3] / f"systems/{SYSTEM}.json").write_text(text)
    assert _verdict(tmp_path).exit_code == 0


def test_server_needs_five_runs(tmp_path: Path) -> None:
    result = make_tree(tmp_path, scenario=Scenario.SERVER)
    assert _verdict(tmp_path).exit_code == 0
    shutil.rmtree(result / "performance/run_4")
    assert _verdict(tmp_path).exit_code == 1


def test_a_tree_without_results_passes(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("")
    assert _verdict(tmp_path).exit_code == 0
