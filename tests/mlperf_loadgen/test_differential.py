"""Beside the published package: the same calls, the same samples, the same schedule.

Whatever is compared here was decided before the clock started, so both sides agree to the
last bit, on a busy machine too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import (
    MODES,
    OURS,
    SCENARIOS,
    Seen,
    answer,
    decided,
    library_of,
    logs_in,
    settings_for,
)
from tests.mlperf_loadgen.pairs import WHEEL, run_pair
from tests.support import V05_SEEDS

pytestmark = pytest.mark.realtime

SEEDS: list[dict[str, int]] = [
    {},
    V05_SEEDS,
    {
        "qsl_rng_seed": 2085463073848966840,
        "sample_index_rng_seed": 2747215439041700203,
        "schedule_rng_seed": 16159082839903944936,
    },
    {"qsl_rng_seed": 195, "sample_index_rng_seed": 235, "schedule_rng_seed": 634},
    {
        "qsl_rng_seed": 2**64 - 1,
        "sample_index_rng_seed": 2**32,
        "schedule_rng_seed": 2**32 - 1,
    },
]

# Each with the library's total and performance sample counts. None gives the published
# package a loaded set smaller than a unique pass over it, which it does not survive.
SHAPES: dict[str, tuple[int, int, dict[str, Any]]] = {
    "plain": (50, 20, {}),
    "unique": (64, 32, {"performance_issue_unique": True}),
    "same": (
        50,
        20,
        {
            "performance_issue_same": True,
            "performance_issue_same_index": 3,
            "min_query_count": 45,
        },
    ),
    "concatenate": (
        40,
        16,
        {
            "sample_concatenate_permutation": True,
            "min_query_count": 50,
            "multi_stream_samples_per_query": 5,
        },
    ),
    "overrides": (
        50,
        20,
        {
            "performance_sample_count_override": 13,
            "accuracy_sample_count_override": 30,
            "min_query_count": 77,
            "server_coalesce_queries": True,
        },
    ),
    "whole library": (
        300,
        300,
        {"min_query_count": 2, "multi_stream_samples_per_query": 1},
    ),
    "library smaller than a set": (
        7,
        100,
        {"min_query_count": 40, "multi_stream_samples_per_query": 9},
    ),
    "large library": (
        66_000,
        66_000,
        {
            "accuracy_sample_count_override": 500,
            "min_query_count": 200,
            "multi_stream_samples_per_query": 3,
        },
    ),
    "ends early": (
        33,
        33,
        {
            "min_query_count": 90,
            "max_query_count": 25,
            "sample_concatenate_permutation": True,
        },
    ),
    "by duration": (
        50,
        20,
        {
            "min_duration_ms": 20,
            "min_query_count": 5,
            "offline_expected_qps": 30_000.0,
            "server_target_qps": 25_000.0,
        },
    ),
}


def issued_one_by_one(seen: Seen) -> list[tuple[str, list[int]]]:
    """All calls; how many queries were due together is no decision of the settings."""
    calls: list[tuple[str, list[int]]] = []
    for kind, given in seen.events:
        calls.extend([(kind, [one]) for one in given] if kind == "issue" else [(kind, given)])
    return calls


def schedule(seen: Seen) -> list[list[int]]:
    """When each query of each series was due, in ns after the first one of the series."""
    traced = iter(seen.traced)
    series = []
    for planned in seen.values("generated_query_count"):
        due = [sample.due_ns for _, sample in zip(range(planned), traced, strict=False)]
        series.append([at - due[0] for at in due])
    return series


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_samples_sets_and_schedule(scenario: str, mode: str, tmp_path: Path) -> None:
    is_server = scenario == "Server"
    for shape, (total, performance, changes) in SHAPES.items():
        for seeds in SEEDS:
            asked = {"scenario": scenario, "mode": mode, **changes, **seeds}
            published, ours = run_pair(tmp_path, asked, total, performance, enable_trace=is_server)
            case = f"{shape}: {total} samples, {performance} at a time, {asked}"
            if ends_by_the_clock(asked):
                assert_same_as_far_as_both_came(published, ours, case)
                continue
            calls = issued_one_by_one if is_server else lambda seen: seen.events
            assert calls(ours) == calls(published), case
            assert decided(ours) == decided(published), case
            assert ours.text("accuracy.json") == published.text("accuracy.json"), case
            if is_server:
                assert schedule(ours) == schedule(published), case
                assert sum(map(len, schedule(ours))) == len(ours.ids), case


def ends_by_the_clock(asked: dict[str, Any]) -> bool:
    """Tell whether the speed of the system decides how many queries are issued."""
    one_after_the_other = asked["scenario"] in ("SingleStream", "MultiStream")
    is_timed = asked["mode"] == "PerformanceOnly" and asked.get("min_duration_ms", 0) > 0
    return one_after_the_other and is_timed


def assert_same_as_far_as_both_came(published: Seen, ours: Seen, case: str) -> None:
    pairs = list(zip(ours.calls("issue"), published.calls("issue"), strict=False))
    assert len(pairs) >= 5, case
    assert all(mine == theirs for mine, theirs in pairs), case
    for kind in ("load", "flush", "unload"):
        assert ours.calls(kind) == published.calls(kind), case
    endings = ("generic_message", "error_runtime")
    mine, theirs = (
        [record for record in decided(seen) if record[0] not in endings]
        for seen in (ours, published)
    )
    assert mine == theirs, case


@pytest.mark.parametrize("kind", ["fast", "network"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_with_other_systems(scenario: str, kind: str, tmp_path: Path) -> None:
    pair = []
    for name, lg in (("published", WHEEL), ("ours", OURS)):
        (tmp_path / name).mkdir()
        seen = Seen(tmp_path / name)
        asked = settings_for(lg, scenario, "SubmissionRun", **V05_SEEDS)
        library = library_of(lg, 50, 20, seen.events)
        construct = _construct_fast if kind == "fast" else _construct_network
        sut = construct(lg, seen.events)
        lg.StartTestWithLogSettings(
            sut, library, asked, logs_in(lg, seen.folder, enable_trace=False), "none"
        )
        (lg.DestroyFastSUT if kind == "fast" else lg.DestroyQDL)(sut)
        lg.DestroyQSL(library)
        pair.append(seen)
    published, ours = pair
    assert ours.events == published.events
    assert decided(ours) == decided(published)
    assert ours.text("accuracy.json") == published.text("accuracy.json")
    assert ours.text("summary.txt").splitlines()[3] == published.text("summary.txt").splitlines()[3]


def _construct_fast(lg: Any, events: list[tuple[str, list[int]]]) -> int:
    def issue(ids: list[int], indices: list[int]) -> None:
        events.append(("issue", list(indices)))
        answer(lg, [lg.QuerySample(*pair) for pair in zip(ids, indices, strict=True)])

    handle: int = lg.ConstructFastSUT(issue, lambda: events.append(("flush", [])))
    return handle


def _construct_network(lg: Any, events: list[tuple[str, list[int]]]) -> int:
    def issue(samples: list[Any]) -> None:
        events.append(("issue", [one.index for one in samples]))
        answer(lg, samples)

    handle: int = lg.ConstructQDL(
        issue, lambda: events.append(("flush", [])), lambda: "Network SUT: rack"
    )
    return handle
