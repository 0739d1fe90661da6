"""Tokens through the published API: first ones, counts, and what is wrong with them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mlperf_loadgen.completions import TWICE, is_right, response
from tests.mlperf_loadgen.harness import OURS, SCENARIOS, Seen, answer, run, settings_for

pytestmark = pytest.mark.realtime


def tokens(
    scenario: str,
    folder: Path,
    issue: Callable[[list[Any]], None],
    mode: str = "PerformanceOnly",
) -> Seen:
    asked = settings_for(OURS, scenario, mode, use_token_latencies=True, min_query_count=5)
    return run(OURS, folder, asked, issue=issue)


def first(samples: list[Any]) -> None:
    OURS.FirstTokenComplete([response(one) for one in samples])


def rest(samples: list[Any], count: int = 4) -> None:
    OURS.QuerySamplesComplete([response(one, count) for one in samples])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_token_latencies_are_reported(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        first(samples)
        rest(samples)

    seen = tokens(scenario, tmp_path, issue)
    keys = [key for key, _ in seen.records]
    offline = scenario == "Offline"
    for key in (
        "result_first_token_99.00_percentile_latency_ns",
        "result_time_per_output_token_99.00_percentile_ns",
    ):
        assert (key in keys) != offline
    assert ("result_tokens_per_second" in keys) == offline
    assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tokens_are_logged(scenario: str, tmp_path: Path) -> None:
    buffer = ctypes.create_string_buffer(bytes(range(1, 9)), 8)
    address = ctypes.addressof(buffer)

    def issue(samples: list[Any]) -> None:
        OURS.FirstTokenComplete([OURS.QuerySampleResponse(one.id, address, 4) for one in samples])
        OURS.QuerySamplesComplete(
            [OURS.QuerySampleResponse(one.id, address, 8, 2) for one in samples]
        )

    seen = tokens(scenario, tmp_path, issue, "AccuracyOnly")
    assert len(seen.answers) == len(seen.ids)
    for entry in seen.answers:
        assert entry["data"] == "0102030405060708"
        assert entry["token_count"] == 2
        assert entry.get("token_data") == (None if scenario == "Offline" else "01020304")


NO_FIRST = "Attempted to record a sample latency before it's first token latency"


NO_COUNT = "n_tokens argument missing or attempted to record 0 as number of tokens"


NEGATIVE = "Attempted to record a negative number of tokens"


TOO_FEW = "Number of tokens need to be greater than 1"


TOO_LATE = "Attempted to record token latency after sample was completed"


TOKEN_STEPS: list[tuple[list[Callable[[list[Any]], None]], list[str]]] = [
    ([first, rest], []),
    ([rest], [NO_FIRST]),
    ([first, lambda samples: rest(samples, 0)], [NO_COUNT]),
    ([first, lambda samples: rest(samples, -3)], [NEGATIVE]),
    ([first, lambda samples: rest(samples, 1)], [TOO_FEW]),
    ([first, rest, first], [TOO_LATE]),
    ([first, first, rest], [TWICE]),
    ([first, rest, rest], [TWICE]),
]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("steps", "errors"), TOKEN_STEPS)
def test_token_incidents(
    scenario: str,
    steps: list[Callable[[list[Any]], None]],
    errors: list[str],
    tmp_path: Path,
) -> None:
    def issue(samples: list[Any]) -> None:
        for step in steps:
            step(samples)

    seen = tokens(scenario, tmp_path, issue)
    if scenario == "Offline":
        # Nothing there needs a first token.
        errors = [text for text in errors if text != NO_FIRST]
    assert seen.values("error_runtime") == errors * len(seen.ids)
    assert seen.values("num_errors") == [len(errors) * len(seen.ids)]


def test_first_tokens_are_ignored_where_nobody_asks_for_them(tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        first(samples)
        answer(OURS, samples)
        first(samples)

    for scenario in SCENARIOS:
        asked = settings_for(OURS, scenario, "AccuracyOnly")
        assert is_right(run(OURS, tmp_path, asked, issue=issue))
