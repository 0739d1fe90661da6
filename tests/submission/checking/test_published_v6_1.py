"""The published verdict of v6.1: what its own checker was seen to say, change by change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inferometer.submission import Tree, result_places
from inferometer.submission.checking import CheckOptions, PublishedTree, check_tree
from inferometer.submission.checking.published_v6_1 import published_verdict_v6_1
from tests.submission.checking.current_trees import (
    DETAIL,
    EDGE,
    ROUND,
    SUMMARY,
    Change,
    append,
    drop_key,
    make_current_tree,
    record,
    set_json,
    set_value,
    write,
)

_RUN, _ACCURACY = f"performance/run_1/{DETAIL}", f"accuracy/{DETAIL}"
_LINES, _ANSWERS = "accuracy/accuracy.txt", "accuracy/mlperf_log_accuracy.json"
_SYSTEM = "../../../../systems/sysA.json"
_MAPPING = "../../../../model_mapping.json"
_TEST01, _TEST04 = f"TEST01/{_RUN}", f"TEST04/{_RUN}"
_GOOD, _BAD, _STOPS = "good", "bad", "stops"


def _verdict(root: Path, *, is_demo: bool = False) -> PublishedTree:
    tree = Tree(root)
    return published_verdict_v6_1(tree, list(result_places(tree)), ROUND, None, is_demo=is_demo)


def _word(verdict: PublishedTree) -> str:
    """Give the verdict in a word; ``exit_code`` has to agree with it."""
    is_good = not verdict.errors and all(result.is_good for result in verdict.results)
    assert verdict.exit_code == (0 if is_good else 1)
    if verdict.errors:
        return _STOPS
    return _GOOD if is_good else _BAD


def _remove(file: str) -> Change:
    def change(result: Path) -> None:
        path = result / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def _rename(name: str) -> Change:
    return lambda result: result.rename(result.with_name(name))


def _benchmark(name: str, **mapping: str) -> Change:
    def change(result: Path) -> None:
        write(_MAPPING, json.dumps(mapping))(result)
        result.parent.rename(result.parent.with_name(name))

    return change


def _both(*changes: Change) -> Change:
    def change(result: Path) -> None:
        for one in changes:
            one(result)

    return change


_OPEN: dict[str, tuple[Change, str]] = {
    "as it is": (lambda _: None, _GOOD),
    # Logs
    "no log of the run": (_remove(_RUN), _STOPS),
    "no log of the accuracy run": (_remove(_ACCURACY), _STOPS),
    "no summaries": (
        _both(_remove(f"performance/run_1/{SUMMARY}"), _remove(f"accuracy/{SUMMARY}")),
        _GOOD,
    ),
    "empty log": (write(_RUN, ""), _BAD),
    "other first line": (
        lambda r: (r / _RUN).write_text("hello\n" + (r / _RUN).read_text()),
        _STOPS,
    ),
    "other line": (append(_RUN, "hello\n"), _GOOD),
    "broken record": (append(_RUN, ":::MLLOG {\n"), _STOPS),
    "record without a key": (append(_RUN, ':::MLLOG {"value": 1}\n'), _STOPS),
    "no UTF-8": (lambda r: (r / _RUN).write_bytes((r / _RUN).read_bytes() + b"\xff\n"), _STOPS),
    "record without metadata": (append(_RUN, ':::MLLOG {"key": "x", "value": 1}\n'), _BAD),
    "errors in the run": (append(_RUN, record("error_runtime", "x", is_error=True)), _GOOD),
    "errors in the accuracy run": (
        append(_ACCURACY, record("error_runtime", "x", is_error=True)),
        _BAD,
    ),
    "more files": (write("performance/run_1/notes", "x"), _GOOD),
    "another run": (write("performance/run_2/notes", "x"), _GOOD),
    "run1": (lambda r: (r / "performance/run_1").rename(r / "performance/run1"), _STOPS),
    # Settings and figures
    "invalid": (set_value(_RUN, "result_validity", "INVALID"), _GOOD),
    "seed": (set_value(_RUN, "effective_schedule_rng_seed", 7), _BAD),
    "no seed": (drop_key(_RUN, "effective_qsl_rng_seed"), _BAD),
    "seed of the accuracy run": (set_value(_ACCURACY, "effective_qsl_rng_seed", 7), _GOOD),
    "short": (set_value(_RUN, "effective_min_duration_ms", 599_999), _BAD),
    "no duration": (drop_key(_RUN, "effective_min_duration_ms"), _BAD),
    "few samples": (set_value(_RUN, "effective_performance_sample_count", 1023), _BAD),
    "samples in words": (set_value(_RUN, "effective_performance_sample_count", "1024"), _BAD),
    "early stopping": (set_value(_RUN, "early_stopping_met", False), _BAD),
    "no minimum of queries": (drop_key(_RUN, "effective_min_query_count"), _GOOD),
    "no figure": (drop_key(_RUN, "early_stopping_latency_ss"), _BAD),
    "figure 0": (set_value(_RUN, "early_stopping_latency_ss", 0), _BAD),
    "figure in words": (set_value(_RUN, "early_stopping_latency_ss", "9000000"), _GOOD),
    "log of MultiStream": (set_value(_RUN, "effective_scenario", "MultiStream"), _BAD),
    "spelling in the log": (set_value(_RUN, "effective_scenario", "singlestream"), _BAD),
    # Folders
    "small letters": (_rename("singlestream"), _GOOD),
    "capitals": (_rename("SINGLESTREAM"), _STOPS),
    "inferred MultiStream": (_rename("MultiStream"), _BAD),
    "inferred in small letters": (_rename("multistream"), _GOOD),
    "inferred Offline": (_rename("Offline"), _GOOD),
    "inferred on a data centre's": (
        _both(set_json(_SYSTEM, system_type="datacenter"), _rename("Offline")),
        _BAD,
    ),
    "inferred Server": (_rename("Server"), _BAD),
    # Accuracy
    "no accuracy.txt": (_remove(_LINES), _BAD),
    "empty accuracy.txt": (write(_LINES, ""), _GOOD),
    "low": (write(_LINES, "accuracy=10.0%\n"), _GOOD),
    "no number": (write(_LINES, "accuracy=7.7.7\n"), _BAD),
    "no answers": (_remove(_ANSWERS), _BAD),
    "long answers": (write(_ANSWERS, "x" * 10_241), _BAD),
    "junk for answers": (write(_ANSWERS, "x" * 10_240), _GOOD),
    "part of the data set": (set_value(_ACCURACY, "qsl_reported_total_count", 500), _BAD),
    "other count of answers": (
        append(_ACCURACY, record("effective_accuracy_sample_count", 5)),
        _BAD,
    ),
    # Measurements and code
    "no measurements": (_remove("measurements.json"), _BAD),
    "broken measurements": (write("measurements.json", "{"), _STOPS),
    "empty field": (set_json("measurements.json", retraining=""), _BAD),
    "no field": (set_json("measurements.json", retraining=None), _BAD),
    "another field": (set_json("measurements.json", more="x"), _GOOD),
    "no user.conf": (_remove("user.conf"), _BAD),
    "empty README": (write("README.md", ""), _BAD),
    "no src": (_remove("../../../../src"), _BAD),
    "src is a file": (_both(_remove("../../../../src"), write("../../../../src", "x")), _GOOD),
    # System
    "no system": (_remove(_SYSTEM), _STOPS),
    "broken system": (write(_SYSTEM, "{"), _STOPS),
    "list for a system": (write(_SYSTEM, "[]"), _STOPS),
    "name twice": (
        lambda r: (r / _SYSTEM).write_text(
            (r / _SYSTEM).read_text().replace("{", '{"status": "x", ')
        ),
        _GOOD,
    ),
    "status in capitals": (set_json(_SYSTEM, status="RDI"), _GOOD),
    "other status": (set_json(_SYSTEM, status="soon"), _BAD),
    "no status": (set_json(_SYSTEM, status=None), _BAD),
    "type in capitals": (set_json(_SYSTEM, system_type="Edge"), _BAD),
    "other division": (set_json(_SYSTEM, division="closed"), _BAD),
    "division in capitals": (set_json(_SYSTEM, division="OPEN"), _GOOD),
    "other submitter": (set_json(_SYSTEM, submitter="other"), _BAD),
    "no notes": (set_json(_SYSTEM, hw_notes=None), _BAD),
    "empty notes": (set_json(_SYSTEM, hw_notes=""), _GOOD),
    "number for notes": (set_json(_SYSTEM, sw_notes=3), _STOPS),
    "empty cooling": (set_json(_SYSTEM, cooling=""), _BAD),
    "0 for a count": (set_json(_SYSTEM, accelerators_per_node=0), _BAD),
    "word for a count": (set_json(_SYSTEM, accelerators_per_node="none"), _STOPS),
    "network without words": (set_json(_SYSTEM, is_network="true"), _BAD),
    "network by truth value": (set_json(_SYSTEM, is_network=False), _BAD),
    "no network in words": (set_json(_SYSTEM, is_network="false"), _BAD),
    # Names
    "mobilenet": (_benchmark("mobilenet"), _GOOD),
    "looks like it": (_benchmark("my-resnet50-v2"), _GOOD),
    "looks like nothing": (_benchmark("mine"), _BAD),
    "mapped": (_benchmark("mine", mine="resnet"), _GOOD),
    "mapped to another name": (_benchmark("mine", mine="resnet50"), _BAD),
    "mapped to nothing": (_benchmark("mine", mine=""), _BAD),
    "mapped elsewhere, though it looks like it": (
        _benchmark("my-mobilenet", **{"my-mobilenet": "bert-99"}),
        _BAD,
    ),
    "mapped in vain": (_benchmark("mobilenet", mobilenet="bert-99"), _GOOD),
    "of an earlier round": (_benchmark("ssd-resnet34", **{"ssd-resnet34": "resnet"}), _BAD),
    "broken mapping": (write(_MAPPING, "{"), _STOPS),
    "list for a mapping": (_both(_benchmark("mine"), write(_MAPPING, "[]")), _STOPS),
    "list for a mapping in vain": (write(_MAPPING, "[]"), _GOOD),
    # Places
    "another system": (write("../../../sysB/notes", "x"), _STOPS),
    "another submitter": (write("../../../../../Other/notes", "x"), _STOPS),
    "no result": (_remove(""), _GOOD),
}


@pytest.mark.parametrize(("change", "word"), _OPEN.values(), ids=_OPEN)
def test_open(change: Change, word: str, tmp_path: Path) -> None:
    change(make_current_tree(tmp_path))
    assert _word(_verdict(tmp_path)) == word


def _pair(submitted: str, tested: str, *names: str) -> Change:
    """Let answers of TEST01 differ, with both accuracies beside them."""
    others = names or ("mlperf_log_accuracy.json", "accuracy.txt")
    return _both(
        write("TEST01/verify_accuracy.txt", "TEST FAIL\n"),
        write("TEST01/accuracy/baseline_accuracy.txt", submitted),
        write("TEST01/accuracy/compliance_accuracy.txt", tested),
        *(write(f"TEST01/accuracy/{name}", "x") for name in others),
    )


_CLOSED: dict[str, tuple[Change, str]] = {
    "as it is": (lambda _: None, _GOOD),
    "low": (write(_LINES, "accuracy=75.69%\nhash=ab\n"), _BAD),
    "no hash": (write(_LINES, "accuracy=77.0%\n"), _BAD),
    "hash first": (write(_LINES, "hash=ab\naccuracy=77.0%\n"), _GOOD),
    "low, then enough": (write(_LINES, "accuracy=5%\naccuracy=77%\nhash=ab\n"), _BAD),
    "enough, then low": (write(_LINES, "accuracy=77%\naccuracy=5%\nhash=ab\n"), _BAD),
    "low after both": (write(_LINES, "accuracy=77%\nhash=ab\naccuracy=5%\n"), _GOOD),
    "accuracy as JSON": (write(_LINES, '{"accuracy": 77.5}\nhash=ab\n'), _GOOD),
    "accuracy after a space": (write(_LINES, " accuracy=77%\nhash=ab\n"), _BAD),
    "no MultiStream": (_remove("../MultiStream"), _BAD),
    "Server besides": (lambda r: shutil.copytree(r, r.with_name("Server")), _BAD),
    "small letters": (_rename("singlestream"), _GOOD),
    "on a data centre's": (set_json(_SYSTEM, system_type="datacenter"), _STOPS),
    "on both": (set_json(_SYSTEM, system_type="edge,datacenter"), _BAD),
    "on both, with a space": (set_json(_SYSTEM, system_type="edge, datacenter"), _STOPS),
    "on a phone": (set_json(_SYSTEM, system_type="phone"), _STOPS),
    "other name": (_benchmark("resnet50"), _GOOD),
    "name that looks like it": (_benchmark("my-mobilenet"), _GOOD),
    "empty folder of another": (lambda r: (r.parent.parent / "zzz").mkdir(), _STOPS),
    "unknown name": (_benchmark("mine", mine="resnet"), _STOPS),
    "network": (set_json(_SYSTEM, is_network="true"), _BAD),
    "few samples in Offline": (
        set_value(f"../Offline/{_RUN}", "effective_samples_per_query", 24_575),
        _BAD,
    ),
    "no minimum in Offline": (
        set_value(f"../Offline/{_RUN}", "effective_min_query_count", 0),
        _BAD,
    ),
    # Tests
    "no TEST01": (_remove("TEST01"), _BAD),
    "no TEST04": (_remove("TEST04"), _BAD),
    "slower": (write("TEST04/verify_performance.txt", "TEST FAIL\n"), _BAD),
    "passed within a line": (write("TEST04/verify_performance.txt", "so TEST PASS it is\n"), _GOOD),
    "answers passed within a line": (write("TEST01/verify_accuracy.txt", "so TEST PASS\n"), _BAD),
    "no verdict": (_remove("TEST01/verify_performance.txt"), _BAD),
    "no verdict on answers": (_remove("TEST01/verify_accuracy.txt"), _BAD),
    "no log of a test": (_remove(_TEST04), _BAD),
    "no summary of a test": (_remove(f"TEST04/performance/run_1/{SUMMARY}"), _BAD),
    "more files in a test": (write("TEST04/performance/run_1/notes", "x"), _BAD),
    "answers in a test": (write("TEST04/performance/run_1/mlperf_log_accuracy.json", "x"), _GOOD),
    "kept folder": (write("TEST04/performance/run_1/.gitkeep", ""), _GOOD),
    "broken log of a test": (write(_TEST01, "hello\n"), _STOPS),
    "seed of a test": (set_value(_TEST01, "effective_qsl_rng_seed", 7), _BAD),
    "short test": (set_value(_TEST04, "effective_min_duration_ms", 60_000), _BAD),
    "figure 0 of a test": (set_value(_TEST04, "early_stopping_latency_ss", 0), _GOOD),
    "other answers, as good": (_pair("accuracy=76.4%\n", "accuracy=76.0%\n"), _GOOD),
    "other answers, worse": (_pair("accuracy=76.4%\n", "accuracy=75.0%\n"), _BAD),
    "other answers, better": (_pair("accuracy=75.0%\n", "accuracy=76.4%\n"), _BAD),
    "other answers, unknown": (_pair("none\n", "accuracy=76.4%\n"), _BAD),
    "other answers, files missing": (
        _pair("accuracy=76.4%\n", "accuracy=76.0%\n", "accuracy.txt"),
        _BAD,
    ),
}


@pytest.mark.parametrize(("change", "word"), _CLOSED.values(), ids=_CLOSED)
def test_closed(change: Change, word: str, tmp_path: Path) -> None:
    change(make_current_tree(tmp_path, "closed", scenarios=EDGE))
    assert _word(_verdict(tmp_path)) == word


def test_tests_are_not_asked_for_in_the_open_division(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path)
    write(_TEST01, "")(result)
    assert _word(_verdict(tmp_path)) == _GOOD
    write(_TEST01, "hello\n")(result)
    assert _word(_verdict(tmp_path)) == _STOPS


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("effective_target_latency_ns", 15_000_000, _GOOD),
        ("effective_target_latency_ns", 15_000_001, _BAD),
        ("result_completed_samples_per_sec", 0.0, _BAD),
    ],
)
def test_server_keeps_its_bound_in_the_open_division_too(
    key: str, value: float, word: str, tmp_path: Path
) -> None:
    result = make_current_tree(tmp_path, scenarios=("Server",))
    set_value(_RUN, key, value)(result)
    assert _word(_verdict(tmp_path)) == word
    (result).rename(result.with_name("Interactive"))
    assert _word(_verdict(tmp_path)) == word


def test_multi_stream_stands_for_offline(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path, scenarios=("MultiStream",))
    result = result.rename(result.with_name("Offline"))
    assert _word(_verdict(tmp_path)) == _GOOD
    set_value(_RUN, "result_mean_query_latency_ns", 0)(result)
    assert _word(_verdict(tmp_path)) == _BAD


@pytest.mark.parametrize(
    ("word", "name", "is_network"),
    [(_GOOD, "Network SUT 1", "true"), (_BAD, "SUT", "true"), (_BAD, "Network SUT 1", "false")],
)
def test_the_network_division(word: str, name: str, is_network: str, tmp_path: Path) -> None:
    make_current_tree(tmp_path, "network", scenarios=EDGE)
    words = dict.fromkeys(ROUND.system_keys.network, "x")
    result = tmp_path / "network/ACME/results/sysA/resnet/SingleStream"
    set_json(_SYSTEM, is_network=is_network, **words)(result)
    for log in tmp_path.rglob(DETAIL):
        set_value(log.name, "sut_name", name)(log.parent)
    assert _word(_verdict(tmp_path)) == word


def test_detection(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path, benchmark="yolo-99")
    assert _word(_verdict(tmp_path)) == _BAD  # It isn't 1525 samples.
    assert _word(_verdict(tmp_path, is_demo=True)) == _GOOD
    set_value(_ACCURACY, "qsl_reported_total_count", 1525)(result)
    assert _word(_verdict(tmp_path)) == _GOOD


def test_what_is_not_imitated_is_never_good(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path)
    (result / "performance/power").mkdir()
    assert _word(_verdict(tmp_path)) == _BAD
    _remove("performance/power")(result)
    _benchmark("bert-99")(result)
    (found,) = _verdict(tmp_path).results
    assert found.reasons == ("results of question answering can't be judged here",)


def test_other_results_are_judged_where_it_stops(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path, scenarios=("Offline", "SingleStream"))
    (result / _RUN).unlink()
    verdict = _verdict(tmp_path)
    assert [one.is_good for one in verdict.results] == [False, True]
    assert len(verdict.errors) == 1


def test_a_checked_tree_has_it(tmp_path: Path) -> None:
    result = make_current_tree(tmp_path)
    set_value(_ACCURACY, "qsl_reported_total_count", 500)(result)
    assert check_tree(tmp_path, workers=1).published.exit_code == 1
    report = check_tree(tmp_path, options=CheckOptions(is_demo=True), workers=1)
    assert report.published.exit_code == 0
    assert not report.is_good
