"""Log files of both dialects against golden files of our own, for machines without the
reference logs. Set UPDATE_GOLDEN=1 to write them anew, and read the difference."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Era, Mode, Recording, Scenario, judge
from inferometer.logs import LogSettings, version, write_logs
from tests.support import short_settings, simulate

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES: dict[str, dict[str, Any]] = {
    "current-singlestream": {"scenario": Scenario.SINGLE_STREAM},
    "current-multistream-submission": {
        "scenario": Scenario.MULTI_STREAM,
        "mode": Mode.SUBMISSION,
        "multi_stream_samples_per_query": 2,
    },
    "current-server": {"scenario": Scenario.SERVER, "server_target_qps": 1000.0},
    "current-offline-concatenate": {
        "scenario": Scenario.OFFLINE,
        "sample_concatenate_permutation": True,
    },
    "current-server-find-peak": {
        "scenario": Scenario.SERVER,
        "mode": Mode.FIND_PEAK,
        "server_target_qps": 800.0,
        "server_target_latency_ns": 3_000_000,
        "server_find_peak_qps_decimals_of_precision": 0,
    },
    "v05-multistream": {"scenario": Scenario.MULTI_STREAM, "era": Era.V05},
    "v05-server-invalid": {
        "scenario": Scenario.SERVER,
        "era": Era.V05,
        "server_target_qps": 1000.0,
        "server_target_latency_ns": 1000,
    },
    "v05-offline-accuracy": {
        "scenario": Scenario.OFFLINE,
        "era": Era.V05,
        "mode": Mode.ACCURACY,
    },
}


def at_rest(recording: Recording) -> Recording:
    """The recording as if it had been made in process 1 at a fixed time."""
    series = tuple(
        dataclasses.replace(one, wall_start_s=1.6e9 + n, wall_stop_s=1.6e9 + n + 1)
        for n, one in enumerate(recording.series)
    )
    return dataclasses.replace(
        recording, series=series, wall_start_s=1.6e9, notes={"process_id": 1}
    )


@pytest.mark.parametrize("name", CASES)
def test_log_files_equal_the_golden_ones(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("inferometer.logs.version._version", lambda: "TEST")
    outcome = simulate(short_settings(**CASES[name]), 700_000)
    recording = at_rest(outcome.recording)
    logs = LogSettings(enable_trace=True, trace_sample_limit=3)
    written = write_logs(tmp_path, recording, judge(recording), outcome.responses, logs)
    folder = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for path in written.values():
            (folder / path.name).write_bytes(path.read_bytes())
    for path in written.values():
        assert path.read_text() == (folder / path.name).read_text(), path.name


@pytest.mark.parametrize("name", CASES)
def test_detail_and_trace_are_json_where_they_claim_to_be(name: str) -> None:
    if name.startswith("current"):
        for line in (GOLDEN / name / "mlperf_log_detail.txt").read_text().splitlines():
            assert line.startswith(":::MLLOG ")
            json.loads(line.removeprefix(":::MLLOG "))
    assert json.loads((GOLDEN / name / "mlperf_log_trace.json").read_text())["traceEvents"]
    assert isinstance(json.loads((GOLDEN / name / "mlperf_log_accuracy.json").read_text()), list)


def test_versions_never_pose_as_the_official_build() -> None:
    fields = version.version_fields()
    assert fields["version"].startswith("Inferometer ")


def test_a_hostile_system_name_stays_inside_its_string(tmp_path: Path) -> None:
    outcome = simulate(short_settings())
    recording = dataclasses.replace(outcome.recording, sut_name='a "quoted"\n{name}\\')
    write_logs(tmp_path, recording, judge(recording), outcome.responses)
    lines = (tmp_path / "mlperf_log_detail.txt").read_text().splitlines()
    records = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines]
    assert [r["value"] for r in records if r["key"] == "sut_name"] == [recording.sut_name]


def test_names_of_log_files(tmp_path: Path) -> None:
    outcome = simulate(short_settings())
    recording = at_rest(outcome.recording)
    names = LogSettings(prefix="x_", suffix="_y", prefix_with_datetime=True)
    written = write_logs(tmp_path, recording, judge(recording), outcome.responses, names)
    assert written["summary"].name == "x_2020-09-13T12:26:40Z_summary_y.txt"
    assert written["trace"].read_text() == "", "off by default"


def test_copies_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = simulate(short_settings())
    names = LogSettings(copy_summary_to_stdout=True)
    write_logs(tmp_path, outcome.recording, judge(outcome.recording), outcome.responses, names)
    assert capsys.readouterr().out == (tmp_path / "mlperf_log_summary.txt").read_text()
