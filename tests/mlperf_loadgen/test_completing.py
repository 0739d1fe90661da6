"""Completions through the published API: in parts, late, twice, wrong, from other threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import ResponseError
from tests.mlperf_loadgen.completions import TWICE, is_right
from tests.mlperf_loadgen.harness import MODES, OURS, SCENARIOS, Seen, answer, run, settings_for

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_in_parts_out_of_order(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        backwards = samples[::-1]
        answer(OURS, backwards[::2])
        answer(OURS, backwards[1::2])

    assert is_right(run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly"), issue=issue))
    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "PerformanceOnly"), issue=issue)
    assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_from_another_thread(scenario: str, mode: str, tmp_path: Path) -> None:
    waiting: queue.Queue[list[Any] | None] = queue.Queue()

    def work() -> None:
        while (samples := waiting.get()) is not None:
            for start in range(0, len(samples), 7):
                answer(OURS, samples[start : start + 7])

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=waiting.put)
    finally:
        for _ in workers:
            waiting.put(None)
        for worker in workers:
            worker.join()
    if mode == "AccuracyOnly":
        assert is_right(seen)
    else:
        assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("mode", MODES)
def test_samples_of_several_queries_in_one_call(mode: str, tmp_path: Path) -> None:
    held: list[Any] = []

    def release() -> None:
        samples, held[:] = held[::-1], []
        answer(OURS, samples)

    def issue(samples: list[Any]) -> None:
        held.extend(samples)
        if len(held) == 7:
            release()

    asked = settings_for(OURS, "Server", mode)
    seen = run(OURS, tmp_path, asked, issue=issue, flush=release)
    if mode == "AccuracyOnly":
        assert is_right(seen)
    else:
        assert seen.values("num_errors") == [0]
        assert seen.values("result_query_count") == [100]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", ["Server", "Offline"])
def test_only_at_flush(scenario: str, mode: str, tmp_path: Path) -> None:
    held: list[Any] = []

    def flush() -> None:
        samples, held[:] = held[:], []
        answer(OURS, samples)

    asked = settings_for(OURS, scenario, mode)
    seen = run(OURS, tmp_path, asked, issue=held.extend, flush=flush)
    if mode == "AccuracyOnly":
        assert is_right(seen)
    else:
        assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("form", [list, tuple, OURS.VectorQuerySampleResponse])
def test_any_sequence_will_do(form: Callable[[Any], Any], tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        OURS.QuerySamplesComplete(form([OURS.QuerySampleResponse(one.id, 0, 0) for one in samples]))

    for scenario in SCENARIOS:
        seen = run(OURS, tmp_path, settings_for(OURS, scenario, "PerformanceOnly"), issue=issue)
        assert seen.values("num_errors") == [0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_completed_has_no_effect(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        nothing: list[Any] = [[], (), OURS.VectorQuerySampleResponse()]
        for empty in nothing:
            OURS.QuerySamplesComplete(empty)
            OURS.FirstTokenComplete(empty)
        answer(OURS, samples)

    assert is_right(run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly"), issue=issue))


WRONG_KINDS: list[Callable[[Any], Any]] = [
    lambda responses: (one for one in responses),
    lambda responses: 5,
    lambda responses: None,
]
WRONG_ENTRIES: list[Callable[[Any], Any]] = [
    lambda responses: [one.id for one in responses],
    lambda responses: [None for _ in responses],
    lambda responses: "x" * len(responses),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_anything_but_responses_is_refused_and_changes_nothing(
    scenario: str, mode: str, tmp_path: Path
) -> None:
    def issue(samples: list[Any]) -> None:
        responses = [OURS.QuerySampleResponse(one.id, 0, 0) for one in samples]
        for wrong in WRONG_KINDS if mode == "PerformanceOnly" else WRONG_KINDS + WRONG_ENTRIES:
            for complete in (OURS.QuerySamplesComplete, OURS.FirstTokenComplete):
                with pytest.raises(TypeError):
                    complete(wrong(responses))
        answer(OURS, samples)

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=issue)
    assert seen.text("summary.txt").endswith("\nNo errors encountered during test.\n")


def test_no_test_is_running(tmp_path: Path) -> None:
    response = OURS.QuerySampleResponse(1, 0, 0)
    run(OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly"))
    for complete in (OURS.QuerySamplesComplete, OURS.FirstTokenComplete):
        with pytest.raises(ValueError, match="no test is running"):
            complete([response])
        complete([])
        with pytest.raises(TypeError):
            complete(5)


@pytest.mark.parametrize("thread", ["same thread", "another thread"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_unknown_id_ends_the_test(scenario: str, mode: str, thread: str, tmp_path: Path) -> None:
    """Even where the system doesn't see the error, or answers nothing else."""
    raised: list[BaseException] = []

    def complete(samples: list[Any]) -> None:
        unknown = [OURS.QuerySampleResponse(one.id + 10**6, 0, 0) for one in samples]
        try:
            OURS.QuerySamplesComplete(unknown)
        except ValueError as error:
            raised.append(error)

    def issue(samples: list[Any]) -> None:
        if thread == "same thread":
            complete(samples)
            return
        worker = threading.Thread(target=complete, args=(samples,))
        worker.start()
        worker.join()

    with pytest.raises(ResponseError, match="never issued") as caught:
        run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=issue)
    assert caught.value is raised[0]
    assert "ERROR" in Seen(tmp_path).text("summary.txt")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sample_of_an_older_series(scenario: str, mode: str, tmp_path: Path) -> None:
    before = run(OURS, tmp_path, settings_for(OURS, scenario, mode))
    old = before.ids[-1]
    ids: list[int] = []

    def issue(samples: list[Any]) -> None:
        if not ids:
            OURS.QuerySamplesComplete([OURS.QuerySampleResponse(old, 1, 8)])
        ids.extend(one.id for one in samples)
        answer(OURS, samples)

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=issue)
    expected = (
        f"Received completion for an old sample. Min expected id: {seen.ids[0]} Actual id: {old}"
    )
    assert seen.values("error_runtime") == [expected]
    assert "\n1 ERROR encountered. See detailed log.\n" in seen.text("summary.txt")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_old_samples_among_others(scenario: str, mode: str, tmp_path: Path) -> None:
    ids = run(OURS, tmp_path, settings_for(OURS, scenario, mode)).ids
    old = [OURS.QuerySample(ids[0], 0), OURS.QuerySample(ids[1], 0)]

    def issue(samples: list[Any]) -> None:
        mixed = [*old[:1], *samples, *old[1:]]
        old.clear()
        answer(OURS, mixed)

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=issue)
    assert len(seen.values("error_runtime")) == 2
    assert len(seen.answers) == (len(seen.ids) if mode == "AccuracyOnly" else 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sample_completed_twice(scenario: str, mode: str, tmp_path: Path) -> None:
    count = 0

    def issue(samples: list[Any]) -> None:
        nonlocal count
        count += 1
        answer(OURS, samples)
        if count == 1:
            answer(OURS, samples[:1])

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, mode), issue=issue)
    assert seen.values("error_runtime") == [TWICE]
    assert len(seen.answers) == (len(seen.ids) if mode == "AccuracyOnly" else 0)
    assert "\n1 ERROR encountered. See detailed log.\n" in seen.text("summary.txt")


@pytest.mark.parametrize("scenario", ["MultiStream", "Offline"])
def test_a_sample_twice_in_one_call(scenario: str, tmp_path: Path) -> None:
    """The first counts, so what is missing has to follow."""

    def issue(samples: list[Any]) -> None:
        answer(OURS, [*samples[:3], samples[1]])
        answer(OURS, samples[3:])

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly"), issue=issue)
    assert seen.values("error_runtime") == [TWICE] * len(seen.calls("issue"))
    assert len(seen.answers) == len(seen.ids)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_old_samples_leave_the_answers_of_the_others_alone(scenario: str, tmp_path: Path) -> None:
    ids = run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly")).ids
    old = [OURS.QuerySample(ids[0], 77), OURS.QuerySample(ids[1], 78)]

    def issue(samples: list[Any]) -> None:
        mixed = [*old[:1], *samples, *old[1:]]
        old.clear()
        answer(OURS, mixed)

    seen = run(OURS, tmp_path, settings_for(OURS, scenario, "AccuracyOnly"), issue=issue)
    for entry in seen.answers:
        assert bytes.fromhex(entry["data"]) == entry["qsl_idx"].to_bytes(4, "little")


def test_old_samples_and_the_response_callback(tmp_path: Path) -> None:
    ids = run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly")).ids
    called: list[int] = []

    def issue(samples: list[Any]) -> None:
        responses = [
            OURS.QuerySampleResponse(one, 0, 0) for one in (ids[0], *(s.id for s in samples))
        ]
        OURS.QuerySamplesComplete(responses, lambda response: called.append(response.id))

    seen = run(OURS, tmp_path, settings_for(OURS, "Offline", "AccuracyOnly"), issue=issue)
    assert called == seen.ids


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_wrong_entries_in_performance_mode(scenario: str, tmp_path: Path) -> None:
    def issue(samples: list[Any]) -> None:
        responses = [OURS.QuerySampleResponse(one.id, 0, 0) for one in samples]
        for wrong in WRONG_ENTRIES:
            with pytest.raises(TypeError):
                OURS.QuerySamplesComplete(wrong(responses))
        answer(OURS, samples)

    run(OURS, tmp_path, settings_for(OURS, scenario, "PerformanceOnly"), issue=issue)
