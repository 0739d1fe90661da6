"""Trees of v6.1 for the tests of its published verdict: just what that checker reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inferometer.rounds import load_round

ROUND = load_round("v6.1")
DETAIL, SUMMARY = "mlperf_log_detail.txt", "mlperf_log_summary.txt"
EDGE = ("SingleStream", "MultiStream", "Offline")
ACCURACY = {"resnet": "accuracy=76.500%, good=38250, total=50000", "yolo-99": "mAP=53.000%"}

_FIGURES: Mapping[str, Mapping[str, Any]] = {
    "SingleStream": {
        "early_stopping_latency_ss": 9_000_000,
        "early_stopping_met": True,
        "result_qps_without_loadgen_overhead": 125.0,
    },
    "MultiStream": {
        "early_stopping_latency_ms": 50_000_000,
        "early_stopping_met": True,
        "result_mean_query_latency_ns": 40_000_000,
    },
    "Server": {"result_completed_samples_per_sec": 480.0, "early_stopping_met": True},
    "Offline": {"result_samples_per_second": 400.0},
}
_SAMPLES = {"MultiStream": 8, "Offline": 24_576}

Change = Callable[[Path], object]
"""What a test does to the folder of a result."""


def record(key: str, value: Any, *, is_error: bool = False) -> str:
    """Write a record of a detail log."""
    metadata = {"is_error": is_error, "is_warning": False}
    return f":::MLLOG {json.dumps({'key': key, 'value': value, 'metadata': metadata})}\n"


def detail_log(scenario: str) -> str:
    """Write a detail log of a run that keeps the rules."""
    values = {
        "sut_name": "sut",
        "qsl_reported_total_count": 50_000,
        "effective_scenario": scenario,
        "effective_samples_per_query": _SAMPLES.get(scenario, 1),
        "effective_target_latency_ns": 15_000_000,
        "effective_min_duration_ms": 600_000,
        "effective_min_query_count": 1,
        "effective_performance_sample_count": 1024,
        **{f"effective_{name}_rng_seed": seed for name, seed in vars(ROUND.seeds).items()},
        **_FIGURES[scenario],
        "result_validity": "VALID",
    }
    return "".join(record(key, value) for key, value in values.items())


def make_current_tree(
    root: Path,
    division: str = "open",
    benchmark: str = "resnet",
    scenarios: Sequence[str] = ("SingleStream",),
) -> Path:
    """Write a submission that passes, and give the folder of its first result."""
    home = root / division / "ACME"
    for scenario in scenarios:
        result = home / "results/sysA" / benchmark / scenario
        _write_result(result, benchmark, scenario)
        if division != "open":
            for name in ("TEST01", "TEST04"):
                _write_run(result / name / "performance/run_1", scenario)
                for verdict in ROUND.audits[name].files:
                    (result / name / verdict).write_text("compared\nTEST PASS\n")
    system = dict.fromkeys(ROUND.system_keys.required, "1")
    system |= {"division": division, "submitter": "ACME", "status": "available"}
    (home / "systems").mkdir()
    (home / "systems/sysA.json").write_text(json.dumps({**system, "system_type": "edge"}))
    (home / "src").mkdir()
    return home / "results/sysA" / benchmark / scenarios[0]


def _write_result(result: Path, benchmark: str, scenario: str) -> None:
    _write_run(result / "performance/run_1", scenario)
    _write_run(result / "accuracy", scenario)
    line = ACCURACY.get(benchmark, ACCURACY["resnet"])
    (result / "accuracy/accuracy.txt").write_text(f"{line}\n\nhash=0a1b2c\n")
    (result / "accuracy/mlperf_log_accuracy.json").write_text("[\n]\n")
    (result / "measurements.json").write_text(
        json.dumps(dict.fromkeys(ROUND.measurement_keys, "fp32"))
    )
    for name in ROUND.files.filled:
        (result / name).write_text("# words\n")


def _write_run(folder: Path, scenario: str) -> None:
    folder.mkdir(parents=True)
    (folder / DETAIL).write_text(detail_log(scenario))
    (folder / SUMMARY).write_text("Result is : VALID\n")


def set_value(log: str, key: str, value: Any) -> Change:
    """Change the value of a key in a log of the result; it has to be there."""

    def change(result: Path) -> None:
        path = result / log
        line = record(key, value).strip()
        text, count = re.subn(
            rf'^.*"key": "{re.escape(key)}".*$', line, path.read_text(), flags=re.M
        )
        assert count == 1, f"{key} isn't in {log}"
        path.write_text(text)

    return change


def drop_key(log: str, key: str) -> Change:
    """Take a key out of a log of the result; it has to be there."""

    def change(result: Path) -> None:
        path = result / log
        text, count = re.subn(
            rf'^.*"key": "{re.escape(key)}".*\n', "", path.read_text(), flags=re.M
        )
        assert count == 1, f"{key} isn't in {log}"
        path.write_text(text)

    return change


def set_json(file: str, **changes: Any) -> Change:
    """Change names in a JSON file, given relative to the result; ``None`` takes one out."""

    def change(result: Path) -> None:
        path = result / file
        values = {**json.loads(path.read_text()), **changes}
        kept = {key: value for key, value in values.items() if value is not None}
        path.write_text(json.dumps(kept))

    return change


def write(file: str, text: str) -> Change:
    """Write a file, given relative to the result, whether it is there or not."""

    def change(result: Path) -> None:
        path = result / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def append(file: str, text: str) -> Change:
    """Write text behind that of a file."""

    def change(result: Path) -> None:
        path = result / file
        path.write_text(path.read_text() + text)

    return change
