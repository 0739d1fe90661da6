"""Reading logs back: what was written, the reference files, and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.loadgen import Era, Mode, Scenario, judge
from inferometer.logs import (
    AccuracyLogError,
    LogError,
    read_accuracy_log,
    read_detail,
    read_summary,
    timestamp_lines,
    write_logs,
)
from tests.support import shared_data, short_settings, simulate


@pytest.mark.parametrize("era", [Era.CURRENT, Era.V05])
def test_what_is_written_can_be_read(era: Era, tmp_path: Path) -> None:
    asked = short_settings(
        Scenario.SERVER, era=era, server_target_qps=1000.0, mode=Mode.SUBMISSION,
        server_target_latency_ns=10,
    )  # fmt: skip
    outcome = simulate(asked)
    verdict = judge(outcome.recording)
    assert verdict is not None
    paths = write_logs(tmp_path, outcome.recording, verdict, outcome.responses)
    summary = read_summary(paths["summary"])
    assert summary.is_valid is False
    assert summary.values["Scenario"] == "Server"
    assert summary.values["min_query_count"] == "100"
    assert summary.recommendations == ("Reduce target QPS to improve latency.",)
    assert (summary.warning_count, summary.error_count) == (0, 0)
    assert set(summary.sections) == {
        "MLPerf Results Summary",
        "Additional Stats",
        "Test Parameters Used",
    }
    detail = read_detail(paths["detail"])
    assert detail.is_v05 == era.is_v05
    assert detail.problems == ()
    assert float(detail.first("effective_target_qps")) == 1000.0
    assert str(detail.first("requested_server_target_latency_ns")) == "10"
    entries = list(read_accuracy_log(paths["accuracy"]))
    assert len(entries) == 64
    assert all(int.from_bytes(e.data, "little") == e.qsl_idx for e in entries)


def test_reference_logs_are_read() -> None:
    for folder in sorted(shared_data("loadgen-logs").glob("v*/*")):
        summary = read_summary(folder / "mlperf_log_summary.txt")
        detail = read_detail(folder / "mlperf_log_detail.txt")
        entries = list(read_accuracy_log(folder / "mlperf_log_accuracy.json"))
        assert detail.problems == (), folder
        assert len(detail.entries) > 40, folder
        assert summary.error_count == len(detail.errors), folder
        if folder.name.endswith("AccuracyOnly"):
            assert summary.is_valid is None
            assert len({e.qsl_idx for e in entries}) == 64
        if not detail.is_v05 and summary.is_valid is not None:
            validity = detail.first("result_validity")
            assert validity == ("VALID" if summary.is_valid else "INVALID"), folder


def test_logs_written_on_windows_are_the_same(tmp_path: Path) -> None:
    folder = shared_data("loadgen-logs", "v0.5", "SingleStream_PerformanceOnly")
    plain, windows = folder / "mlperf_log_detail.txt", tmp_path / "windows.txt"
    windows.write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))
    assert read_detail(windows) == read_detail(plain)


def test_every_error_of_a_v05_log_is_found(tmp_path: Path) -> None:
    asked = short_settings(era=Era.V05, max_query_count=5)
    outcome = simulate(asked)
    paths = write_logs(tmp_path, outcome.recording, judge(outcome.recording), outcome.responses)
    errors = read_detail(paths["detail"]).errors
    assert [e.value for e in errors] == ['Ending early: Max query count reached."query_count" : 5']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cut off or damaged after 0 entries"),
        ("{}", None),
        ('[{"seq_id": 1, "qsl_idx": 2, "data": "00"}', "cut off or damaged after 1 entries"),
        ('[{"seq_id": 1, "qsl_idx": 2, "data": "0"}]', "entry 0 is not an object with"),
        ('[{"seq_id": 1, "qsl_idx": 2}]', "entry 0"),
        ("[5]", "entry 0"),
        ('[{"seq_id": "x", "qsl_idx": 2, "data": ""}]', "entry 0"),
        ("[\x00\xff]", "cut off or damaged"),
    ],
)
def test_damaged_accuracy_logs(text: str, message: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mlperf_log_accuracy.json"
    path.write_bytes(text.encode("latin-1"))
    if message is None:
        assert list(read_accuracy_log(path)) == []
        return
    with pytest.raises(AccuracyLogError, match=message) as caught:
        list(read_accuracy_log(path))
    assert str(path) in str(caught.value)


def test_any_layout_of_an_accuracy_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    entry = {"seq_id": 3, "qsl_idx": 4, "data": "0a0B", "token_data": "FF", "token_count": 9}
    path.write_text(json.dumps([entry], indent=7))
    found = next(iter(read_accuracy_log(path)))
    assert (found.data, found.token_data, found.token_count) == (b"\x0a\x0b", b"\xff", 9)


def test_damaged_detail_logs_keep_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mlperf_log_detail.txt"
    good = (
        ':::MLLOG {"key": "k", "value": 1, "time_ms": 0.5, "metadata": '
        '{"is_error": false, "is_warning": true}}'
    )
    path.write_text(f"{good}\nnot a record\n:::MLLOG {{broken\n:::MLLOG []\n")
    detail = read_detail(path)
    assert detail.first("k") == 1
    assert detail.entries[0].is_warning
    assert len(detail.problems) == 3
    assert "line 2" in detail.problems[0]


def test_missing_logs_are_errors_that_name_the_file(tmp_path: Path) -> None:
    for read in (read_summary, read_detail):
        with pytest.raises(LogError, match=r"none\.txt: No such file"):
            read(tmp_path / "none.txt")
    with pytest.raises(AccuracyLogError, match="No such file"):
        list(read_accuracy_log(tmp_path / "none.json"))


def test_a_foreign_summary_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "summary.txt"
    path.write_bytes(b"\xff\xfe nothing of the kind")
    summary = read_summary(path)
    assert summary.is_valid is None
    assert summary.error_count is None


def test_timestamp_lines() -> None:
    recording = simulate(short_settings(print_timestamps=True)).recording
    lines = timestamp_lines(recording)
    assert len(lines) == 5
    assert lines[1].startswith("Loadgen :: Perf mode stop. systme_clock Timestamp = ")
    assert lines[2] == "Loadgen :: PerfClock Perf duration = 50ms"
    assert timestamp_lines(simulate(short_settings()).recording) == []
