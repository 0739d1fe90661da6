"""Beside the published package: what is logged of answers and tokens, audits, and how tests end."""

from __future__ import annotations

import array
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.harness import (
    MODES,
    OURS,
    SCENARIOS,
    answer,
    decided,
    run,
    settings_for,
)
from tests.mlperf_loadgen.pairs import WHEEL, logged, run_pair
from tests.support import V05_SEEDS

pytestmark = pytest.mark.realtime


LOG_SAMPLING: list[dict[str, Any]] = [
    {"accuracy_log_probability": 0.3},
    {"accuracy_log_probability": 1.0},
    {"accuracy_log_probability": 1e-9},
    {"accuracy_log_sampling_target": 17},
    {"accuracy_log_sampling_target": 1000},
    {"accuracy_log_sampling_target": 30, "accuracy_log_probability": 1.0},
]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["PerformanceOnly", "SubmissionRun"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_answers_are_logged(scenario: str, mode: str, tmp_path: Path) -> None:
    counts = set()
    for sampling in LOG_SAMPLING:
        for seed in (0, 720381539243781796):
            asked = {
                "scenario": scenario,
                "mode": mode,
                "accuracy_log_rng_seed": seed,
                "offline_expected_qps": 20_000.0,
                **V05_SEEDS,
                **sampling,
            }
            published, ours = run_pair(tmp_path, asked, 50, 20)
            assert logged(ours) == logged(published), asked
            counts.add(len(ours.answers))
    assert len(counts) > 3, "the settings differ in how much they log"


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "SubmissionRun"},
        {
            "mode": "AccuracyOnly",
            "test05": True,
            "test05_qsl_rng_seed": 5,
            "test05_sample_index_rng_seed": 6,
            "test05_schedule_rng_seed": 7,
        },
        {"server_max_async_queries": 3, "max_duration_ms": 60_000},
        {"print_timestamps": True},
    ],
    ids=",".join,
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_calls_and_records(scenario: str, changes: dict[str, Any], tmp_path: Path) -> None:
    asked = {"scenario": scenario, "mode": "PerformanceOnly", **V05_SEEDS, **changes}
    published, ours = run_pair(tmp_path, asked, 50, 20, enable_trace=True)
    assert ours.events == published.events
    assert decided(ours) == decided(published)
    assert [traced.sample_idx for traced in ours.traced] == [
        traced.sample_idx for traced in published.traced
    ]


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("SingleStream", {"performance_issue_same": True, "performance_issue_unique": True}),
        ("MultiStream", {"performance_issue_same": True, "performance_issue_unique": True}),
        ("Server", {"performance_issue_same": True, "performance_issue_unique": True}),
        ("Offline", {"performance_issue_same": True, "performance_issue_unique": True}),
        ("Offline", {"offline_expected_qps": -5.0}),
        # With this seed the second query comes at once, though the rate becomes 1 a second.
        ("Server", {"server_target_qps": -5.0, "min_query_count": 2, "schedule_rng_seed": 543}),
        ("SingleStream", {"offline_expected_qps": -5.0, "server_target_qps": -5.0}),
    ],
)
def test_same_word_about_contradictory_settings(
    scenario: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    asked = {"scenario": scenario, "mode": "PerformanceOnly", **V05_SEEDS, **changes}
    published, ours = run_pair(tmp_path, asked, 50, 20)
    assert ours.events == published.events
    mine, theirs = (
        [record for record in decided(seen) if record[0].startswith("error_")]
        for seen in (ours, published)
    )
    assert mine == theirs


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_same_end_with_too_many_outstanding(most: int, tmp_path: Path) -> None:
    asked = {"server_max_async_queries": most, **V05_SEEDS}
    pair = []
    for name, lg in (("published", WHEEL), ("ours", OURS)):
        held: list[Any] = []
        (tmp_path / name).mkdir()
        seen = run(
            lg,
            tmp_path / name,
            settings_for(lg, "Server", "PerformanceOnly", **asked),
            issue=held.extend,
            flush=partial(answer, lg, held),
        )
        assert len(seen.ids) == min(most + 1, 100)
        pair.append(seen)
    published, ours = pair
    assert ours.events == published.events
    assert decided(ours) == decided(published)


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream", "Offline"])
def test_find_peak_in_other_scenarios(scenario: str, tmp_path: Path) -> None:
    asked = {"scenario": scenario, "mode": "FindPeakPerformance"}
    published, ours = run_pair(tmp_path, asked, 50, 20)
    assert ours.events == published.events
    assert decided(ours) == decided(published)


@pytest.mark.parametrize(
    "text",
    [
        "*.*.mode = 2\n*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 3\n",
        "*.*.mode = 2\n*.*.accuracy_log_rng_seed = 7\n*.*.accuracy_log_sampling_target = 40\n",
        "*.*.qsl_rng_seed = 195\n*.*.accuracy_log_probability = 50\n*.*.test05 = 1\n",
        "*.Server.min_query_count = 30\n*.Offline.min_query_count = 60\n*.*.min_query_count = 9\n",
        "",
    ],
    ids=["same", "sampling", "locked", "by scenario", "empty"],
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_audit(scenario: str, text: str, tmp_path: Path) -> None:
    for name in ("published", "ours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "audit.config").write_text(text)
    asked = {"scenario": scenario, "mode": "AccuracyOnly", **V05_SEEDS}
    published, ours = run_pair(tmp_path, asked, 50, 20)
    assert ours.events == published.events
    assert decided(ours) == decided(published)
    assert logged(ours) == logged(published)


def test_a_broken_audit_file_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    for name in ("published", "ours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "audit.config").write_text("*.*.min_query_count = many\n*.*.mode = 1\n")
    asked = {"scenario": "SingleStream", "mode": "PerformanceOnly", **V05_SEEDS}
    published, ours = run_pair(tmp_path, asked, 50, 20)
    assert ours.events == published.events
    assert sorted(map(str, decided(ours))) == sorted(map(str, decided(published)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_tokens(scenario: str, mode: str, tmp_path: Path) -> None:
    """Each answer has as many tokens as it has bytes, and a first token of two bytes."""
    asked = {
        "scenario": scenario,
        "mode": mode,
        "use_token_latencies": True,
        "infer_token_latencies": True,
        "token_latency_scaling_factor": 3,
        "accuracy_log_probability": 0.4,
        **V05_SEEDS,
    }
    data = array.array("B", range(64))
    address, _ = data.buffer_info()
    pair = []
    for name, lg in (("published", WHEEL), ("ours", OURS)):

        def issue(samples: list[Any], lg: Any = lg) -> None:
            lg.FirstTokenComplete([lg.QuerySampleResponse(one.id, address, 2) for one in samples])
            lg.QuerySamplesComplete(
                [
                    lg.QuerySampleResponse(one.id, address, one.index + 2, one.index + 2)
                    for one in samples
                ]
            )

        (tmp_path / name).mkdir()
        pair.append(run(lg, tmp_path / name, settings_for(lg, **asked), issue=issue))
    published, ours = pair
    assert ours.events == published.events
    assert decided(ours) == decided(published)
    assert ours.text("accuracy.json") == published.text("accuracy.json")
