"""Faults: each thing that can be wrong with a tree, by name, with the rule that finds it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.submission.checking.trees import (
    SYSTEM,
    Change,
    replace,
)

SUMMARY = "mlperf_log_summary.txt"


DETAIL = "mlperf_log_detail.txt"


LOG = "mlperf_log_accuracy.json"


CURRENT_RECORD = (
    ':::MLLOG {"key": "a", "value": 1, "time_ms": 1.0, '
    '"metadata": {"is_error": false, "is_warning": false}}\n'
)


def run_of(result: Path) -> Path:
    return result / "performance" / "run_1"


def home_of(result: Path) -> Path:
    return result.parents[3]


def in_both(result: Path, pattern: str, text: str) -> None:
    replace(run_of(result) / SUMMARY, pattern, text)
    replace(run_of(result) / DETAIL, pattern.replace(r"^", r" : "), " : " + text)


def _file_for_accuracy(result: Path) -> None:
    shutil.rmtree(result / "accuracy")
    (result / "accuracy").write_text("")


FAULTS: dict[str, tuple[Change, str]] = {
    "no accuracy.txt": (lambda r: (r / "accuracy/accuracy.txt").unlink(), "tree.file-missing"),
    "no detail log": (lambda r: (run_of(r) / DETAIL).unlink(), "tree.file-missing"),
    "empty detail log": (lambda r: (run_of(r) / DETAIL).write_text(""), "tree.empty-file"),
    "no accuracy folder": (lambda r: shutil.rmtree(r / "accuracy"), "tree.folder-missing"),
    "no performance": (lambda r: shutil.rmtree(r / "performance"), "tree.folder-missing"),
    "Performance": (
        lambda r: (r / "performance").rename(r / "Performance"),
        "tree.folder-missing",
    ),
    "run1": (lambda r: run_of(r).rename(r / "performance/run1"), "tree.run-folder-name"),
    "extra file": (lambda r: (run_of(r) / "notes.txt").write_text("x"), "tree.extra-file"),
    "file as accuracy": (
        _file_for_accuracy,
        "tree.not-a-folder",
    ),
    "invalid": (
        lambda r: replace(run_of(r) / SUMMARY, "Result is : VALID", "Result is : INVALID"),
        "result.invalid",
    ),
    "no verdict": (lambda r: replace(run_of(r) / SUMMARY, "^Result is.*", ""), "result.invalid"),
    "no headline": (lambda r: replace(run_of(r) / SUMMARY, "^90th.*", ""), "result.missing"),
    "another headline": (
        lambda r: replace(run_of(r) / SUMMARY, "^90th.*", "90th percentile latency (ns) : 800"),
        "result.contradiction",
    ),
    "falling percentiles": (
        lambda r: replace(run_of(r) / SUMMARY, r"^(95.00.*): \d+", r"\1: 8000000"),
        "result.contradiction",
    ),
    "another mean": (
        lambda r: replace(run_of(r) / SUMMARY, r"^(Mean.*): \d+", r"\1: 9000000"),
        "result.contradiction",
    ),
    "mean above the maximum": (
        lambda r: replace(run_of(r) / SUMMARY, r"^(Max.*): \d+", r"\1: 7500000"),
        "result.contradiction",
    ),
    "VALID though short": (
        lambda r: replace(
            run_of(r) / SUMMARY, "Min duration satisfied : Yes", "Min duration satisfied : NO"
        ),
        "result.contradiction",
    ),
    "short": (lambda r: replace(run_of(r) / DETAIL, "13:01:06", "13:00:50"), "result.duration"),
    "few queries": (
        lambda r: replace(run_of(r) / SUMMARY, r"^(QPS w/ .*): .*", r"\1: 10.0"),
        "result.query-count",
    ),
    "wrong seed": (
        lambda r: in_both(r, r"^qsl_rng_seed : \d+", "qsl_rng_seed : 1"),
        "settings.seeds",
    ),
    "seed that isn't the loaded set's": (
        lambda r: replace(run_of(r) / DETAIL, r"\[(\d+),(\d+),", r"[\2,\1,"),
        "replay.loaded-set",
    ),
    "seeds of the accuracy run": (
        lambda r: replace(
            r / "accuracy" / DETAIL, r"schedule_rng_seed : \d+", "schedule_rng_seed : 0"
        ),
        "settings.accuracy-seeds",
    ),
    "few loaded": (
        lambda r: in_both(r, r"^performance_sample_count : \d+", "performance_sample_count : 512"),
        "settings.sample-count",
    ),
    "short minimum": (
        lambda r: in_both(
            r,
            r"^min_duration \(ms\): 60000|^min_duration \(ms\) : 60000",
            "min_duration (ms): 1000",
        ),
        "settings.min-duration",
    ),
    "few queries asked": (
        lambda r: in_both(r, "^min_query_count : 1024", "min_query_count : 100"),
        "settings.query-count",
    ),
    "low percentile": (
        lambda r: replace(run_of(r) / DETAIL, "percentile : 0.9", "percentile : 0.5"),
        "settings.percentile",
    ),
    "audit flags": (
        lambda r: in_both(r, "^performance_issue_same : false", "performance_issue_same : true"),
        "settings.audit-flags",
    ),
    "other summary": (
        lambda r: replace(run_of(r) / SUMMARY, "^target_qps : 100", "target_qps : 99"),
        "settings.logs-differ",
    ),
    "scenario of the log": (
        lambda r: replace(run_of(r) / SUMMARY, "^Scenario : .*", "Scenario : Offline"),
        "log.scenario",
    ),
    "mode of the log": (
        lambda r: replace(run_of(r) / SUMMARY, "^Mode .*", "Mode     : Accuracy"),
        "log.mode",
    ),
    "performance log as accuracy": (
        lambda r: shutil.copy(run_of(r) / DETAIL, r / "accuracy" / DETAIL),
        "log.mode",
    ),
    "cut off": (lambda r: replace(run_of(r) / DETAIL, "^.*POWER_END.*\n", ""), "log.cut-off"),
    "later round": (
        lambda r: (run_of(r) / DETAIL).write_text(CURRENT_RECORD),
        "log.other-round",
    ),
    "errors": (
        lambda r: replace(
            run_of(r) / DETAIL,
            ": Starting",
            ': ERROR : Ending early: why\n"pid": 7, "tid": 7, "ts": 9ns : Starting',
        ),
        "log.errors",
    ),
    "changed LoadGen": (
        lambda r: replace(
            run_of(r) / DETAIL,
            ": Starting",
            ": ERROR : Loadgen built with uncommitted changes!\n"
            '"pid": 7, "tid": 7, "ts": 9ns : Starting',
        ),
        "log.loadgen-changed",
    ),
    "unknown revision": (
        lambda r: replace(run_of(r) / DETAIL, "61220457de", "0123456789"),
        "log.loadgen-revision",
    ),
    "two revisions": (
        lambda r: replace(run_of(r) / DETAIL, "61220457de", "5684c11e39"),
        "log.revisions-differ",
    ),
    "no accuracy": (
        lambda r: (r / "accuracy/accuracy.txt").write_text("accuracy is good\n"),
        "accuracy.no-line",
    ),
    "below target": (
        lambda r: (r / "accuracy/accuracy.txt").write_text(
            "accuracy=75.000%, good=37500, total=50000\n"
        ),
        "accuracy.below-target",
    ),
    "wrong share": (
        lambda r: (r / "accuracy/accuracy.txt").write_text(
            "accuracy=79.000%, good=38500, total=50000\n"
        ),
        "accuracy.line-contradiction",
    ),
    "part of the data set": (
        lambda r: (r / "accuracy/accuracy.txt").write_text(
            "accuracy=77.000%, good=770, total=1000\n"
        ),
        "accuracy.part-of-data-set",
    ),
    "damaged accuracy log": (
        lambda r: (r / "accuracy" / LOG).write_bytes((r / "accuracy" / LOG).read_bytes()[:9999]),
        "accuracy.log-damaged",
    ),
    "missing answers": (
        lambda r: replace(r / "accuracy" / LOG, r'^\{ "seq_id" : 4999\d, .*,\n', ""),
        "accuracy.coverage",
    ),
    "answers to no sample": (
        lambda r: replace(
            r / "accuracy" / LOG,
            r'"seq_id" : 7, "qsl_idx" : \d+',
            '"seq_id" : 7, "qsl_idx" : 50000',
        ),
        "accuracy.coverage",
    ),
    "answered twice": (
        lambda r: replace(r / "accuracy" / LOG, r"^\[\n(.*,\n)", r"[\n\1\1"),
        "accuracy.repeated",
    ),
    "another order": (
        lambda r: replace(r / "accuracy" / LOG, '"seq_id" : 7,', '"seq_id" : 8,'),
        "replay.accuracy-order",
    ),
    "wrong hash": (
        lambda r: (r / "accuracy/accuracy.txt").write_text(
            f"accuracy=77.000%, good=38500, total=50000\nhash={'0' * 64}\n"
        ),
        "accuracy.hash",
    ),
    "logged samples": (
        lambda r: (run_of(r) / LOG).write_text(
            '[\n{ "seq_id" : 0, "qsl_idx" : 49999, "data" : "00" },\n'
            '{ "seq_id" : 1, "qsl_idx" : 49999, "data" : "00" }\n]\n'
        ),
        "replay.performance-samples",
    ),
    "damaged log of performance": (
        lambda r: (run_of(r) / LOG).write_text("[\n{"),
        "accuracy.log-damaged",
    ),
    "no system": (
        lambda r: (home_of(r) / f"systems/{SYSTEM}.json").unlink(),
        "system.file-missing",
    ),
    "no measurements": (
        lambda r: shutil.rmtree(home_of(r) / "measurements"),
        "measurements.folder-missing",
    ),
    "no user.conf": (
        lambda r: next(home_of(r).glob("measurements/*/*/*/user.conf")).unlink(),
        "measurements.file-missing",
    ),
    "no implementation": (
        lambda r: next(home_of(r).glob("measurements/*/*/*/*.json")).unlink(),
        "measurements.file-missing",
    ),
    "code of no implementation": (
        lambda r: next(home_of(r).glob("measurements/*/*/*/*.json")).rename(
            home_of(r) / f"measurements/{SYSTEM}/resnet/SingleStream/{SYSTEM}_SingleStream.json"
        ),
        "",
    ),
    "README beside folders": (lambda r: (r.parent / "README").write_text(""), ""),
    "file as scenario": (lambda r: (r.parent / "Server").write_text(""), "tree.not-a-folder"),
    "no code": (lambda r: shutil.rmtree(home_of(r) / "code"), "code.folder-missing"),
    "scenario nobody knows": (
        lambda r: r.rename(r.with_name("Streaming")),
        "tree.unknown-scenario",
    ),
    "benchmark nobody knows": (
        lambda r: r.parent.rename(r.parent.with_name("alexnet")),
        "tree.unknown-benchmark",
    ),
}
