"""Running tests through the published API: calls, log files, switches, both eras."""

from __future__ import annotations

import ctypes
import itertools
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import (
    RunOptions,
    RunOutcome,
    SampleLibrary,
    Settings,
    SystemUnderTest,
    run_test,
)
from inferometer.mlperf_loadgen.adapter import set_runner
from tests.mlperf_loadgen.harness import (
    KINDS,
    MODES,
    OURS,
    OURS_V05,
    SCENARIOS,
    Seen,
    answer,
    library_of,
    logs_in,
    run,
    settings_for,
)

pytestmark = pytest.mark.realtime

V05_SCENARIOS = (*SCENARIOS, "MultiStreamFree")


@pytest.mark.parametrize("mode", [*MODES, "SubmissionRun"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_log_files_and_order_of_calls(scenario: str, mode: str, tmp_path: Path) -> None:
    seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode))
    assert {path.name for path in tmp_path.iterdir()} == {f"mlperf_log_{kind}" for kind in KINDS}
    assert seen.values("effective_scenario") == [scenario]
    assert seen.values("effective_test_mode") == [mode]
    assert ("Mode     : " + mode in seen.text("summary.txt")) == (mode != "AccuracyOnly")
    assert seen.text("summary.txt").endswith("\nNo errors encountered during test.\n")
    assert bool(seen.answers) == (mode != "PerformanceOnly")
    kinds = [kind for kind, _ in itertools.groupby(kind for kind, _ in seen.events)]
    series = {"PerformanceOnly": 1, "AccuracyOnly": 3, "SubmissionRun": 4}[mode]
    assert kinds == ["load", "issue", "flush", "unload"] * series
    assert seen.calls("load") == seen.calls("unload")
    assert seen.values("loaded_qsl_set") == seen.calls("load")
    assert sum(map(len, seen.calls("issue"))) == len(set(seen.ids))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_logged_as_they_lie_in_memory(scenario: str, tmp_path: Path) -> None:
    """From NumPy here; the harness answers from ``array``."""

    def issue(samples: list[Any]) -> None:
        data = np.array([[one.index, -1.5] for one in samples], np.float32)
        address, size = data.ctypes.data, data.strides[0]
        OURS.QuerySamplesComplete(
            [
                OURS.QuerySampleResponse(one.id, address + row * size, size)
                for row, one in enumerate(samples)
            ]
        )

    asked = settings_for(OURS, scenario, "AccuracyOnly")
    seen = run(OURS, tmp_path, asked, issue=issue)
    for entry in seen.answers:
        expected = np.array([entry["qsl_idx"], -1.5], np.float32).tobytes().hex().upper()
        assert entry["data"] == expected
    assert {entry["qsl_idx"] for entry in seen.answers} == set(range(50))
    plain = run(OURS, tmp_path, asked)
    for entry in plain.answers:
        assert bytes.fromhex(entry["data"]) == entry["qsl_idx"].to_bytes(4, "little")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_that_nobody_keeps_are_not_read(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        OURS.QuerySamplesComplete([OURS.QuerySampleResponse(one.id, 1, 8) for one in samples])

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "PerformanceOnly"), issue=issue)
    assert seen.answers == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_empty_answer_has_no_address(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        OURS.QuerySamplesComplete([OURS.QuerySampleResponse(one.id, 1, 0) for one in samples])

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly"), issue=issue)
    assert {entry["data"] for entry in seen.answers} == {""}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_response_callback_comes_before_the_bytes_are_read(
    scenario: str, mode: str, tmp_path: Path
) -> None:
    called: list[int] = []

    def issue(samples: list[Any]) -> None:
        buffers = {one.id: ctypes.create_string_buffer(2) for one in samples}

        def fill(response: Any) -> None:
            called.append(response.id)
            buffers[response.id].raw = b"\xab\x01"

        OURS.QuerySamplesComplete(
            [
                OURS.QuerySampleResponse(one.id, ctypes.addressof(buffers[one.id]), 2)
                for one in samples
            ],
            fill,
        )

    asked = settings_for(OURS, scenario, mode, accuracy_log_probability=0.3)
    seen = run(OURS, tmp_path, asked, issue=issue)
    assert {entry["data"] for entry in seen.answers} == {"AB01"}
    assert len(called) == len(set(called)) == len(seen.answers)
    if mode == "PerformanceOnly":
        assert 0 < len(called) < len(seen.ids)


def test_a_fast_system_gets_ids_and_indices(tmp_path: Path) -> None:
    for scenario in SCENARIOS:
        issued: list[int] = []

        def issue(ids: list[int], indices: list[int], issued: list[int] = issued) -> None:
            issued.extend(indices)
            answer(OURS, [OURS.QuerySample(*pair) for pair in zip(ids, indices, strict=True)])

        sut = OURS.ConstructFastSUT(issue, lambda: None)
        library = library_of(OURS, 50, 20)
        asked = settings_for(OURS, scenario, "AccuracyOnly")
        OURS.StartTestWithLogSettings(sut, library, asked, logs_in(OURS, tmp_path))
        OURS.DestroyFastSUT(sut)
        seen = Seen(tmp_path)
        assert set(issued) == set(range(50))
        assert seen.values("sut_name") == ["PyFastSUT"]
        for entry in seen.answers:
            assert bytes.fromhex(entry["data"]) == entry["qsl_idx"].to_bytes(4, "little")


def test_a_network_system_is_asked_for_its_name_twice(tmp_path: Path) -> None:
    asked_for: list[str] = []

    def name() -> str:
        asked_for.append("name")
        return "Network SUT: rack"

    sut = OURS.ConstructQDL(lambda samples: answer(OURS, samples), lambda: None, name)
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    OURS.StartTestWithLogSettings(sut, library_of(OURS, 50, 20), asked, logs_in(OURS, tmp_path))
    assert asked_for == ["name", "name"]
    assert "SUT name : Network SUT: rack\n" in Seen(tmp_path).text("summary.txt")
    assert Seen(tmp_path).values("sut_name") == ["Network SUT: rack"]


# ---- audit

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


# ---- log settings


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


# ---- several tests, other switches


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    ids: list[int] = []
    for scenario in SCENARIOS:
        for mode in ("SubmissionRun", "PerformanceOnly"):
            ids += run(OURS, tmp_path, settings_for(OURS, scenario, mode)).ids
    assert len(set(ids)) == len(ids)
    assert min(ids) > 0


def test_a_test_can_be_run_again_with_the_same_handles(tmp_path: Path) -> None:
    events: list[tuple[str, list[int]]] = []
    sut = OURS.ConstructSUT(lambda samples: answer(OURS, samples), lambda: None)
    library = library_of(OURS, 50, 20, events)
    for mode in MODES:
        asked = settings_for(OURS, "SingleStream", mode)
        OURS.StartTestWithLogSettings(sut, library, asked, logs_in(OURS, tmp_path))
    assert len(events) == 2 + 6
    OURS.DestroySUT(sut)
    OURS.DestroyQSL(library)


@pytest.mark.parametrize("kind", ["plain", "fast"])
def test_coalescing_merges_what_is_due(kind: str, tmp_path: Path) -> None:
    calls: list[list[int]] = []

    def issue(ids: list[int], indices: list[int]) -> None:
        if not calls:
            # At this rate many queries come due meanwhile.
            time.sleep(0.005)
        calls.append(indices)
        answer(OURS, [OURS.QuerySample(*pair) for pair in zip(ids, indices, strict=True)])

    if kind == "fast":
        sut = OURS.ConstructFastSUT(issue, lambda: None)
    else:
        sut = OURS.ConstructSUT(
            lambda samples: issue([one.id for one in samples], [one.index for one in samples]),
            lambda: None,
        )
    asked = settings_for(OURS, "Server", "PerformanceOnly", server_coalesce_queries=True)
    OURS.StartTestWithLogSettings(sut, library_of(OURS, 50, 20), asked, logs_in(OURS, tmp_path))
    seen = Seen(tmp_path)
    assert len(calls) < 100
    assert sum(map(len, calls)) == 100
    assert seen.values("result_query_count") == [100]
    one_by_one = run(OURS, tmp_path, settings_for(OURS, "Server", "PerformanceOnly"))
    assert [index for indices in calls for index in indices] == [
        index for indices in one_by_one.calls("issue") for index in indices
    ]


@pytest.mark.slow
def test_find_peak_comes_to_an_end(tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        time.sleep(0.0001)
        answer(OURS, samples)

    asked = settings_for(
        OURS,
        "Server",
        "FindPeakPerformance",
        server_target_qps=2000.0,
        server_target_latency_ns=5_000_000,
        server_find_peak_qps_decimals_of_precision=0,
        server_find_peak_qps_boundary_step_size=1.0,
    )
    seen = run(OURS, tmp_path, asked, issue=issue)
    assert seen.calls("load") == seen.calls("unload")
    told = [*seen.values("generic_message"), *seen.values("error_runtime")]
    assert told[0] == "Starting FindPeakPerformance mode"
    # On a machine that is busy at the wrong moment even the first rate is too high.
    endings = ("Found peak performance field", "Initial lower bound does not satisfy")
    assert any(ending in text for ending in endings for text in told)


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Offline"])
def test_find_peak_elsewhere_runs_nothing(scenario: str, tmp_path: Path) -> None:
    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "FindPeakPerformance"))
    assert seen.events == []
    assert len(seen.values("error_invalid_config")) == 1


def test_another_runner_gets_the_test_and_the_logs_are_written(tmp_path: Path) -> None:
    outcomes: list[RunOutcome] = []

    def runner(
        sut: SystemUnderTest, library: SampleLibrary, settings: Settings, options: RunOptions
    ) -> RunOutcome:
        outcomes.append(run_test(sut, library, settings, options))
        return outcomes[-1]

    asked = settings_for(OURS, "SingleStream", "PerformanceOnly")
    set_runner(runner)
    try:
        seen = run(OURS, tmp_path, asked)
    finally:
        set_runner(None)
    (outcome,) = outcomes
    series = outcome.recording.performance
    assert series is not None
    assert series.sample_index.tolist() == [one for [one] in seen.calls("issue")]
    assert seen.values("result_query_count") == [100]
    run(OURS, tmp_path, asked)
    assert len(outcomes) == 1


# ---- v0.5


def start_v05(
    scenario: str, mode: str, folder: Path, **changes: Any
) -> tuple[Seen, list[list[int]]]:
    """Run a test of v0.5; give what was seen and what latencies were reported."""
    seen, reported = Seen(folder), list[list[int]]()

    def issue(samples: list[Any]) -> None:
        seen.events.append(("issue", [one.index for one in samples]))
        OURS_V05.QuerySamplesComplete(
            [OURS_V05.QuerySampleResponse(one.id, 0, 0) for one in samples]
        )

    def report(latencies: list[int]) -> None:
        seen.events.append(("report", []))
        reported.append(latencies)

    changes = {"multi_stream_target_qps": 1000.0, "min_query_count": 20, **changes}
    asked = settings_for(OURS_V05, scenario, mode, **changes)
    sut = OURS_V05.ConstructSUT(issue, lambda: seen.events.append(("flush", [])), report)
    library = library_of(OURS_V05, 50, 20, seen.events)
    OURS_V05.StartTestWithLogSettings(sut, library, asked, logs_in(OURS_V05, folder))
    OURS_V05.DestroySUT(sut)
    OURS_V05.DestroyQSL(library)
    return seen, reported


@pytest.mark.parametrize("mode", [*MODES, "SubmissionRun"])
@pytest.mark.parametrize("scenario", V05_SCENARIOS)
def test_v05(scenario: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen, reported = start_v05(scenario, mode, tmp_path)
    kinds = [kind for kind, _ in itertools.groupby(kind for kind, _ in seen.events)]
    accuracy = ["load", "issue", "flush", "unload"] * 3
    performance = ["load", "issue", "flush", "report", "unload"]
    expected = {
        "AccuracyOnly": accuracy,
        "PerformanceOnly": performance,
        "SubmissionRun": [*accuracy, *performance],
    }
    assert kinds == expected[mode]
    assert seen.text("detail.txt").startswith('"pid": ')
    if mode == "AccuracyOnly":
        assert reported == []
        return
    (latencies,) = reported
    assert isinstance(latencies, list)
    assert {type(latency) for latency in latencies} == {int}
    samples = {"MultiStream": 80, "MultiStreamFree": 80, "Offline": 20}.get(scenario, 20)
    assert len(latencies) == samples
    assert min(latencies) >= 0
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", scenario)
    assert f"Scenario : {words}\n" in seen.text("summary.txt")


def test_v05_audit_file_may_hold_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain, _ = start_v05("SingleStream", "PerformanceOnly", tmp_path)
    (tmp_path / "audit.config").write_text("*.*.qsl_rng_seed = 195\n")
    audited, _ = start_v05("SingleStream", "AccuracyOnly", tmp_path)
    assert plain.calls("load")[0] != audited.calls("load")[0]
    assert "qsl_rng_seed : 195" in audited.text("detail.txt")


def test_v05_takes_no_audit_path_and_no_keywords(tmp_path: Path) -> None:
    asked = settings_for(OURS_V05, "Offline", "PerformanceOnly")
    for arguments, keywords in (((0, 0, asked, "audit.config"), {}), ((0, 0), {"settings": asked})):
        with pytest.raises(TypeError):
            OURS_V05.StartTest(*arguments, **keywords)
    with pytest.raises(TypeError):
        OURS_V05.ConstructSUT(lambda samples: None, lambda: None)
    with pytest.raises(TypeError):
        OURS_V05.QuerySamplesComplete([], None)


@pytest.mark.parametrize("whole", [int, np.int64, np.uint64])
def test_addresses_may_be_numpy_integers(whole: Any, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        data = np.array([one.index for one in samples], np.int32)
        OURS.QuerySamplesComplete(
            [
                OURS.QuerySampleResponse(one.id, whole(data.ctypes.data + 4 * row), np.int64(4))
                for row, one in enumerate(samples)
            ]
        )

    seen = run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly"), issue=issue)
    assert len(seen.answers) == 50


def test_names_of_a_network_system(tmp_path: Path) -> None:
    calls: list[str] = []

    def name() -> str:
        calls.append("name")
        return f"name {calls.count('name')}"

    sut = OURS.ConstructQDL(
        lambda samples: answer(OURS, samples), lambda: calls.append("flush"), name
    )
    library = OURS.ConstructQSL(
        50, 20, lambda _: calls.append("load"), lambda _: calls.append("unload")
    )
    OURS.StartTestWithLogSettings(
        sut, library, settings_for(OURS, "Offline", "PerformanceOnly"), logs_in(OURS, tmp_path)
    )
    assert Seen(tmp_path).values("sut_name") == ["name 1"]
    assert "SUT name : name 2\n" in Seen(tmp_path).text("summary.txt")
    assert calls == ["name", "load", "flush", "name", "unload"]
    calls.clear()
    OURS.StartTestWithLogSettings(
        sut, library, settings_for(OURS, "Offline", "AccuracyOnly"), logs_in(OURS, tmp_path)
    )
    assert calls.count("name") == 1


def test_query_seq_runs_on(tmp_path: Path) -> None:
    seen = run(
        OURS, tmp_path, settings_for(OURS, "Server", "AccuracyOnly"), logs=logs_in(OURS, tmp_path)
    )
    assert [one.query_seq for one in seen.traced] == list(range(50))


def test_empty_answers_are_no_lines_of_the_detail_log(tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        OURS.QuerySamplesComplete([OURS.QuerySampleResponse(one.id, 0, 0) for one in samples])

    seen = run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly"), issue=issue)
    assert [text for text in seen.values("generic_message") if "empty" in text] == []


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


def test_a_probability_above_one_is_kept(tmp_path: Path) -> None:
    seen = run(
        OURS,
        tmp_path,
        settings_for(OURS, "Offline", "PerformanceOnly", accuracy_log_probability=1.5),
    )
    assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_index_alone_is_no_error(scenario: str, tmp_path: Path) -> None:
    seen = run(
        OURS,
        tmp_path,
        settings_for(OURS, scenario, "PerformanceOnly", performance_issue_same_index=90),
    )
    assert seen.values("error_invalid_test_settings") == []


def test_unique_and_same_offline(tmp_path: Path) -> None:
    seen = run(
        OURS,
        tmp_path,
        settings_for(
            OURS,
            "Offline",
            "PerformanceOnly",
            performance_issue_same=True,
            performance_issue_unique=True,
        ),
    )
    (issued,), (loaded,) = seen.calls("issue"), seen.calls("load")
    assert issued == [loaded[0]] * 20
