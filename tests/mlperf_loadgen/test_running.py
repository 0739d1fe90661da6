"""Running tests through the published API: calls, systems, switches."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

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
    SCENARIOS,
    Seen,
    answer,
    library_of,
    logs_in,
    run,
    settings_for,
)

pytestmark = pytest.mark.realtime


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
