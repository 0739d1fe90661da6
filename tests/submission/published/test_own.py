"""Own runs stand in the same table as published ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Interval, Mode, Scenario, judge
from inferometer.runs import Session, TestResult
from inferometer.runs.findings import findings_of_test
from inferometer.runs.folder import RECORDING, RESULT, SESSION, RunFolderError, write_json
from inferometer.submission.published import import_folder, merged
from inferometer.submission.published.own import own_rows
from inferometer.workloads import AccuracyResult
from tests.submission.published.trees import Made, ids
from tests.support import short_settings, simulate

ACCURACY = AccuracyResult(
    "top-1", 0.93, Interval(0.92, 0.94), 100, 0, 0, 0, 0.9, "accuracy=93%", 93
)


def a_test(
    scenario: Scenario, accuracy: AccuracyResult | None = None, **changes: Any
) -> TestResult:
    asked = short_settings(scenario, server_target_qps=1000.0, min_query_count=500, **changes)
    if accuracy is not None:
        asked = asked.replace(mode=Mode.ACCURACY)
    recording = simulate(asked, 300_000).recording
    verdict = judge(recording)
    findings = findings_of_test(recording, verdict, accuracy)
    return TestResult(None, "quick", recording, verdict, accuracy, findings)


def session_of(*tests: TestResult, **changes: Any) -> Session:
    session = Session(
        folder=Path("run"),
        workload={"name": "resnet50", "title": "ResNet-50"},
        backend={"name": "onnxruntime", "framework": "ONNX Runtime", "version": "1.2",
                 "device": "cpu", "precision": "fp32"},
        label="quick",
        system={"host": "here", "processor": "AMD EPYC", "operating_system": "Debian 12"},
        command="inferometer run",
        started_at="2026-01-01",
        tests=tests,
    )  # fmt: skip
    return dataclasses.replace(session, **changes)


def test_a_session_gives_a_row_a_scenario() -> None:
    single, server = Scenario.SINGLE_STREAM, Scenario.SERVER
    session = session_of(a_test(single, ACCURACY), a_test(single), a_test(server))
    first, second = own_rows(session, "me")
    assert (first.submitter, first.is_own, first.round, first.division) == (
        "me",
        True,
        "quick",
        None,
    )
    assert (first.benchmark, first.benchmark_written) == ("resnet", "resnet50")
    assert (first.processor_kind, first.accelerator, first.hardware) == ("CPU", None, "AMD EPYC")
    assert (first.framework, first.framework_family) == ("ONNX Runtime 1.2", "ONNX Runtime")
    assert (first.accuracy, first.accuracy_target, first.meets_target) == (93.0, 90.0, True)
    assert first.precision == "fp32"
    assert (first.metric, first.metric_unit, first.latency_percentile) == (
        "p90 latency",
        "ns",
        90.0,
    )
    assert first.latency_ms == 0.3
    assert first.latency_bound_ms is None
    assert second.scenario == "Server"
    assert second.latency_bound_ms == 100.0
    assert "own.accuracy-of-other-scenario" in ids(second)


def test_of_several_runs_the_worst_counts() -> None:
    runs = [a_test(Scenario.SERVER), a_test(Scenario.SERVER, schedule_rng_seed=5)]
    (row,) = own_rows(session_of(*runs), "own")
    assert row.run_count == 2
    assert row.metric_value == min(row.run_values)
    assert row.run_values[0] != row.run_values[1]
    runs.append(a_test(Scenario.SERVER, server_target_latency_ns=90_000_000))
    (row,) = own_rows(session_of(*runs), "own")
    assert "own.runs-differ" in ids(row)


@pytest.mark.parametrize(
    ("backend", "kind", "accelerator"),
    [
        ({"name": "pytorch", "device": "cuda:0"}, "GPU", "cuda:0"),
        ({"name": "armnn", "device": "CpuAcc"}, "CPU", None),
        ({"name": "openvino", "device": "NPU"}, "ASIC", "NPU"),
        ({"name": "x"}, "unknown", None),
        ({"name": "x", "device": "abacus"}, "unknown", "abacus"),
    ],
)
def test_devices_have_kinds(backend: dict[str, str], kind: str, accelerator: str | None) -> None:
    (row,) = own_rows(session_of(a_test(Scenario.OFFLINE), backend=backend), "own")
    assert (row.processor_kind, row.accelerator) == (kind, accelerator)
    assert row.accuracy is None


def test_a_run_folder_is_imported_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = a_test(Scenario.OFFLINE)
    place = folder / "Offline" / "performance" / "run_1"
    place.mkdir(parents=True)
    result.recording.save(place / RECORDING)
    write_json(place / RESULT, result.to_mapping())
    write_json(folder / SESSION, session_of().to_mapping())
    rows = import_folder(folder).rows
    assert [row.scenario for row in rows] == ["Offline"]
    assert import_folder(tmp_path).rows == rows, "a suite is a folder of such folders"
    published = import_folder(Made(tmp_path / "round").root).rows
    table = merged(merged([], published), rows)
    assert merged(table, rows) == [*published, *rows]
    (other,) = import_folder(folder, name="lab").rows
    assert merged(table, [other]) == [*published, other]


def test_a_damaged_run_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / SESSION).write_text("{")
    with pytest.raises(RunFolderError, match="damaged"):
        import_folder(tmp_path)
