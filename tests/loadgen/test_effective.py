"""Effective settings: the published derivations, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from inferometer.loadgen import Era, Scenario, Settings, SettingsError, derive


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"single_stream_expected_latency_ns": 500_000},
            {"target_qps": 2000.0, "samples_per_query": 1, "max_async_queries": 1},
        ),
        (
            {"scenario": Scenario.MULTI_STREAM},
            {"target_qps": 125.0, "samples_per_query": 8, "min_sample_count": 800},
        ),
        (
            {"scenario": Scenario.SERVER, "server_target_qps": 77.0, "server_max_async_queries": 9},
            {"target_qps": 77.0, "max_async_queries": 9, "target_latency_ns": 100_000_000},
        ),
        (
            {"scenario": Scenario.OFFLINE, "offline_expected_qps": 1000.0},
            {
                "samples_per_query": 11_000,
                "min_query_count": 1,
                "target_duration_ms": 0,
                "min_duration_ms": 10_000,
                "target_latency_percentile": 0.99,
            },
        ),
        (
            {"scenario": Scenario.OFFLINE, "performance_issue_unique": True},
            {"samples_per_query": 32},
        ),
        (
            {"scenario": Scenario.OFFLINE, "performance_issue_same": True, "min_query_count": 500},
            {"samples_per_query": 500},
        ),
        (
            {"scenario": Scenario.OFFLINE, "performance_issue_same": True, "era": Era.V05},
            {"samples_per_query": 32},
        ),
        (
            {"sample_concatenate_permutation": True, "min_duration_ms": 0},
            {"min_query_count": 128},
        ),
        (
            {
                "sample_concatenate_permutation": True,
                "min_duration_ms": 0,
                "min_query_count": 64,
                "performance_sample_count_override": 10,
            },
            {"min_query_count": 96, "performance_sample_count": 10},
        ),
        (
            {"scenario": Scenario.MULTI_STREAM, "era": Era.V05, "multi_stream_target_qps": 20.0},
            {"samples_per_query": 4, "target_qps": 20.0, "target_latency_ns": 50_000_000},
        ),
        (
            {"scenario": Scenario.MULTI_STREAM_FREE, "era": Era.V05},
            {"target_latency_ns": 100_000_000, "max_async_queries": 1},
        ),
    ],
)
def test_derivation(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    effective = derive(Settings(**changes), 64, 32)
    assert {name: getattr(effective, name) for name in expected} == expected


def test_contradictions_that_the_published_loadgen_runs_with_are_problems() -> None:
    asked = Settings(performance_issue_same=True, performance_issue_same_index=50)
    assert derive(asked.replace(performance_issue_same=False), 64, 10).problems == ()
    both = derive(asked.replace(performance_issue_unique=True), 64, 10).problems
    assert len(both) == 2
    assert "both cannot be true" in both[1]
    (problem,) = derive(asked, 64, 10).problems
    assert problem == (
        "Sample Idx to be repeated in performance_issue_same mode cannot be greater than loaded "
        "performance_sample_count. performance_issue_same_index: 50 performance_sample_count: 10"
    )


@pytest.mark.parametrize(("total", "performance"), [(0, 1), (1, 0)])
def test_empty_libraries_are_refused(total: int, performance: int) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        derive(Settings(), total, performance)
