"""Answers given through the published API: when they are read, and what is logged of them."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.mlperf_loadgen.harness import (
    MODES,
    OURS,
    SCENARIOS,
    run,
    settings_for,
)

pytestmark = pytest.mark.realtime


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


def test_empty_answers_are_no_lines_of_the_detail_log(tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        OURS.QuerySamplesComplete([OURS.QuerySampleResponse(one.id, 0, 0) for one in samples])

    seen = run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly"), issue=issue)
    assert [text for text in seen.values("generic_message") if "empty" in text] == []
