"""Log files of tests run through the published API, and audit files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import (
    OURS,
    SCENARIOS,
    Seen,
    answer,
    library_of,
    logs_in,
    run,
    settings_for,
)

pytestmark = pytest.mark.realtime


AUDIT = "*.*.mode = 2\n*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 3\n"


@pytest.mark.parametrize("way", ["keyword", "position", "working folder"])
def test_an_audit_file_overrides_the_settings(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("audit.config" if way == "working folder" else "other.config")
    path.write_text(AUDIT)
    seen = Seen(tmp_path)

    def issue(samples: list[Any]) -> None:
        seen.events.append(("issue", [one.index for one in samples]))
        answer(OURS, samples)

    sut = OURS.ConstructSUT(issue, lambda: None)
    library = library_of(OURS, 50, 20, seen.events)
    asked = settings_for(OURS, "SingleStream", "AccuracyOnly")
    monkeypatch.chdir(tmp_path)
    match way:
        case "keyword":
            OURS.StartTest(sut, library, asked, audit_config_filename=str(path))
        case "position":
            OURS.StartTest(sut, library, asked, str(path))
        case _:
            OURS.StartTest(sut, library, asked)
    (loaded,) = seen.calls("load")
    assert {index for indices in seen.calls("issue") for index in indices} == {loaded[3]}
    assert seen.values("effective_test_mode") == ["PerformanceOnly"]
    (warning,) = seen.values("warning_generic_message")
    assert warning.startswith("Found Audit Config file")
    assert "\n1 warning encountered. See detailed log.\n" in seen.text("summary.txt")
    assert asked.mode == OURS.TestMode.AccuracyOnly, "the caller's own settings stay"
    assert not asked.performance_issue_same


def test_names_of_the_log_files(tmp_path: Path) -> None:
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    logs = logs_in(OURS, tmp_path, prefix="run7_", suffix="_a", prefix_with_datetime=True)
    run(OURS, tmp_path, asked, logs=logs)
    names = sorted(path.name for path in tmp_path.iterdir())
    date = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    expected = ("accuracy_a.json", "detail_a.txt", "summary_a.txt", "trace_a.json")
    for name, end in zip(names, expected, strict=True):
        assert re.fullmatch(f"run7_{date}_{re.escape(end)}", name), name


@pytest.mark.parametrize("kind", ["summary", "detail"])
def test_copies_to_standard_output(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = logs_in(OURS, tmp_path, **{f"copy_{kind}_to_stdout": True})
    seen = run(OURS, tmp_path, settings_for(OURS, "Server", "PerformanceOnly"), logs=logs)
    assert capsys.readouterr().out == seen.text(f"{kind}.txt")


def test_timestamps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly", print_timestamps=True))
    lines = capsys.readouterr().out.splitlines()
    starts = [
        "Loadgen :: Perf mode start. system_clock Timestamp = ",
        "Loadgen :: Perf mode stop. systme_clock Timestamp = ",
        "Loadgen :: PerfClock Perf duration = ",
        "Loadgen :: system_clock Perf duration = ",
        "Loadgen :: PerfClock/system_clock ratio = ",
    ]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
    run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly", print_timestamps=True))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_trace_is_json_and_on_by_default(scenario: str, tmp_path: Path) -> None:
    asked = settings_for(OURS, scenario, "SubmissionRun")
    seen = run(OURS, tmp_path, asked, logs=logs_in(OURS, tmp_path))
    trace = json.loads(seen.text("trace.json"))
    begun = [e["args"]["sample_idx"] for e in trace["traceEvents"] if e.get("ph") == "b"]
    assert begun == [index for indices in seen.calls("issue") for index in indices]
    seen = run(OURS, tmp_path, asked, logs=logs_in(OURS, tmp_path, enable_trace=False))
    assert seen.text("trace.json") == ""


def test_broken_audit_file_is_reported_after_the_warning(tmp_path: Path) -> None:
    (tmp_path / "audit.config").write_text("*.*.min_query_count = many\n")
    seen = run(OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly"))
    keys = [key for key, _ in seen.records]
    assert keys.index("error_invalid_config") == keys.index("warning_generic_message") + 1


def test_requested_settings_are_logged_as_they_were(tmp_path: Path) -> None:
    seen = run(
        OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly", offline_expected_qps=-5.0)
    )
    assert seen.values("requested_offline_expected_qps") == [-5]
