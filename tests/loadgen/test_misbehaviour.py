"""Systems that misbehave: each is a finding or an error, never a hang or a silent VALID."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import (
    Mode,
    Query,
    ResponseError,
    RunOptions,
    RunOutcome,
    Scenario,
    Verdict,
    VirtualClock,
    findings_of_incidents,
    findings_of_messages,
    judge,
    run_test,
)
from tests.support import Library, System, short_settings

ALL_CURRENT = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]


def run(issue: Callable[[Query], Any], scenario: Scenario, **changes: Any) -> RunOutcome:
    clock = VirtualClock()
    asked = short_settings(scenario, server_target_qps=1000.0, **changes)
    return run_test(System(issue), Library(), asked, RunOptions(clock=clock))


def verdict_of(outcome: RunOutcome) -> Verdict:
    verdict = judge(outcome.recording)
    assert verdict is not None
    return verdict


def rules_of(outcome: RunOutcome) -> set[str]:
    return {found.rule.id for found in verdict_of(outcome).findings}


@pytest.mark.parametrize("scenario", ALL_CURRENT)
def test_a_system_that_never_answers(scenario: Scenario) -> None:
    outcome = run(lambda query: None, scenario, outstanding_limit_s=5)
    assert not verdict_of(outcome).is_valid
    assert {"run.outstanding-limit", "sut.incomplete"} <= rules_of(outcome)


def test_a_virtual_test_that_would_wait_for_ever_says_so() -> None:
    outcome = run(lambda query: None, Scenario.OFFLINE, outstanding_limit_s=0)
    assert "no event left" in str(outcome.error)
    assert "sut.failed" in rules_of(outcome)


@pytest.mark.parametrize("scenario", ALL_CURRENT)
def test_answering_twice_keeps_the_first_time(scenario: Scenario) -> None:
    clock = VirtualClock()

    def twice(query: Query) -> None:
        clock.advance(1000)
        query.complete()
        clock.advance(1000)
        query.complete()

    asked = short_settings(scenario, server_target_qps=1000.0)
    outcome = run_test(System(twice), Library(), asked, RunOptions(clock=clock))
    verdict = verdict_of(outcome)
    assert not verdict.is_valid
    assert "sut.completed-twice" in rules_of(outcome)
    series = outcome.recording.performance
    assert series is not None
    assert (
        int((series.completed_ns - np.repeat(series.issued_ns, series.samples_per_query)).max())
        < 2000
    )
    if scenario is Scenario.OFFLINE:
        assert verdict.is_valid_as_published, "the published LoadGen only counts the error"


def test_answering_one_sample_twice_instead_of_another_leaves_one_missing() -> None:
    def wrong_part(query: Query) -> None:
        query.complete(positions=[0, 0, 2, 3, 4, 5, 6, 7])

    outcome = run(wrong_part, Scenario.MULTI_STREAM, outstanding_limit_s=1)
    assert {"sut.completed-twice", "sut.incomplete", "run.outstanding-limit"} <= rules_of(outcome)


def test_a_stale_query_from_an_ended_series_changes_nothing() -> None:
    kept: list[Query] = []

    def keep(query: Query) -> None:
        kept.append(query)
        query.complete()

    outcome = run(keep, Scenario.SINGLE_STREAM)
    before = outcome.recording.performance
    assert before is not None
    times = before.completed_ns.tolist()
    kept[0].complete()
    assert before.completed_ns.tolist() == times
    assert verdict_of(outcome).is_valid


@pytest.mark.parametrize("scenario", ALL_CURRENT)
def test_an_error_in_the_issue_call_ends_the_run(scenario: Scenario) -> None:
    def fail_later(query: Query) -> None:
        if query.id == 5 or scenario is Scenario.OFFLINE:
            raise RuntimeError("no more memory")
        query.complete()

    outcome = run(fail_later, scenario)
    assert isinstance(outcome.error, RuntimeError)
    assert not verdict_of(outcome).is_valid
    failed = [f for f in verdict_of(outcome).findings if f.rule.id == "sut.failed"]
    assert "no more memory" in failed[0].seen
    series = outcome.recording.performance
    assert series is not None
    assert series.query_count == (1 if scenario is Scenario.OFFLINE else 6)


def test_an_error_in_flush_ends_the_run() -> None:
    def flush() -> None:
        raise OSError("gone")

    outcome = run_test(
        System(Query.complete, flush), Library(), short_settings(), RunOptions(clock=VirtualClock())
    )
    assert "sut.failed" in rules_of(outcome)


def test_a_failed_query_ends_the_run() -> None:
    outcome = run(lambda query: query.fail(ValueError("bad input")), Scenario.SERVER)
    assert "bad input" in str(outcome.error)
    assert not verdict_of(outcome).is_valid


@pytest.mark.parametrize("mode", [Mode.ACCURACY, Mode.PERFORMANCE])
@pytest.mark.parametrize(
    ("scenario", "answer"),
    [
        (Scenario.MULTI_STREAM, b"one for eight"),
        (Scenario.MULTI_STREAM, [b"1", b"2"]),
        (Scenario.MULTI_STREAM, np.zeros((7, 4), np.float32)),
        (Scenario.SINGLE_STREAM, [b"1", b"2"]),
        (Scenario.SINGLE_STREAM, np.zeros((2, 4), np.float32)),
    ],
)
def test_the_wrong_number_of_responses(mode: Mode, scenario: Scenario, answer: Any) -> None:
    outcome = run(lambda query: query.complete(answer), scenario, mode=mode)
    if scenario is Scenario.SINGLE_STREAM and mode is Mode.PERFORMANCE:
        # The fast path doesn't look at responses that nobody keeps.
        assert verdict_of(outcome).is_valid
        return
    assert isinstance(outcome.error, ResponseError)


def test_responses_of_the_wrong_kind() -> None:
    answers: list[Any] = [["text"], [3.5], np.array([object()])]
    for answer in answers:

        def issue(query: Query, answer: Any = answer) -> None:
            query.complete(answer)

        outcome = run(issue, Scenario.SINGLE_STREAM, mode=Mode.ACCURACY)
        assert isinstance(outcome.error, ResponseError), answer


@pytest.mark.parametrize("positions", [[8], [-1], ["x"], [[1, 2]] * 2 + [[3]]])
def test_positions_out_of_range(positions: Any) -> None:
    outcome = run(lambda query: query.complete(positions=positions), Scenario.MULTI_STREAM)
    assert isinstance(outcome.error, ResponseError)
    assert not verdict_of(outcome).is_valid


@pytest.mark.parametrize("answer", [None, b"", [b""]])
def test_empty_answers_are_logged_and_reported(answer: Any) -> None:
    outcome = run(lambda query: query.complete(answer), Scenario.SINGLE_STREAM, mode=Mode.ACCURACY)
    responses = list(outcome.responses)
    assert len(responses) == 64
    assert {response.data for response in responses} == {b""}
    found = findings_of_incidents(outcome.recording.accuracy[0])
    assert [f.rule.id for f in found] == ["sut.empty-response"]


def test_answers_in_parts_in_any_order_from_any_thread() -> None:
    """On the real clock, since the virtual one has only one thread."""
    threads: list[threading.Thread] = []

    def answer(query: Query) -> None:
        def part(positions: list[int]) -> None:
            time.sleep(0.0005)
            query.complete(query.indices[positions].astype("<i4")[:, None], positions=positions)

        for positions in ([7, 0], [3], [1, 2, 6], [4, 5]):
            threads.append(threading.Thread(target=part, args=(positions,)))
            threads[-1].start()

    asked = short_settings(Scenario.MULTI_STREAM, min_query_count=20, mode=Mode.SUBMISSION)
    outcome = run_test(System(answer), Library(), asked)
    for thread in threads:
        thread.join()
    for series in outcome.recording.series:
        assert bool(series.is_complete.all())
        assert set(series.incident_counts) <= {
            kind for kind in series.incident_counts if kind.value == "ended_naturally"
        }
    values = {(r.sample_id, r.data) for r in outcome.responses}
    assert len(values) == 64


def test_answers_only_at_flush() -> None:
    held: list[Query] = []

    def flush() -> None:
        for query in held:
            query.complete()

    for scenario in (Scenario.SERVER, Scenario.OFFLINE):
        held.clear()
        asked = short_settings(scenario, server_target_qps=1000.0)
        outcome = run_test(
            System(held.append, flush), Library(), asked, RunOptions(clock=VirtualClock())
        )
        series = outcome.recording.performance
        assert series is not None
        assert bool(series.is_complete.all())


@pytest.mark.parametrize("count", [0, 1, -3, 5])
def test_token_counts(count: int) -> None:
    def answer(query: Query) -> None:
        query.first_token()
        query.complete(token_counts=count)

    outcome = run(answer, Scenario.SINGLE_STREAM, use_token_latencies=True)
    assert ("sut.tokens" in rules_of(outcome)) == (count < 2)
    verdict = verdict_of(outcome)
    assert verdict.tokens is not None
    assert verdict.tokens.total == (500 if count == 5 else 0)


def test_first_tokens_that_come_late_twice_or_never() -> None:
    def never(query: Query) -> None:
        query.complete(token_counts=3)

    def twice(query: Query) -> None:
        query.first_token()
        query.first_token()
        query.complete(token_counts=3)

    def late(query: Query) -> None:
        query.first_token()
        query.complete(token_counts=3)
        query.first_token()

    for issue in (never, twice, late):
        outcome = run(issue, Scenario.SINGLE_STREAM, use_token_latencies=True)
        assert "sut.tokens" in rules_of(outcome), issue
    offline = run(never, Scenario.OFFLINE, use_token_latencies=True)
    assert "sut.tokens" not in rules_of(offline), "Offline needs no first token"


def test_incidents_are_counted_in_bounded_memory() -> None:
    def thrice(query: Query) -> None:
        for _ in range(3):
            query.complete()

    outcome = run(thrice, Scenario.SINGLE_STREAM, min_query_count=3000)
    series = outcome.recording.performance
    assert series is not None
    assert sum(series.incident_counts.values()) == 6001
    assert len(series.incidents) == 1001


class FailingLibrary(Library):
    """Fails at a load or unload, counted from 0."""

    def __init__(self, at: int, error: BaseException):
        super().__init__()
        self._left, self._error = at, error

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise self._error

    def load(self, indices: Any) -> None:
        self._count()

    def unload(self, indices: Any) -> None:
        self._count()


@pytest.mark.parametrize("error", [MemoryError("too big"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", range(4))
def test_a_library_that_fails_ends_the_test_and_keeps_what_was_recorded(
    at: int, error: BaseException
) -> None:
    outcome = run_test(
        System(Query.complete),
        FailingLibrary(at, error),
        short_settings(mode=Mode.ACCURACY),
        RunOptions(clock=VirtualClock()),
    )
    assert outcome.error is error
    assert len(outcome.recording.series) == (at + 1) // 2
    assert judge(outcome.recording) is None
    (found,) = findings_of_messages(outcome.recording)
    interrupted = isinstance(error, KeyboardInterrupt)
    assert found.rule.id == ("run.interrupted" if interrupted else "library.failed")


def test_a_library_that_fails_before_a_performance_run_leaves_no_verdict() -> None:
    outcome = run_test(System(Query.complete), FailingLibrary(0, OSError("gone")), short_settings())
    assert judge(outcome.recording) is None
    assert isinstance(outcome.error, OSError)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_callback_raises_the_recording_is_kept(error: BaseException) -> None:
    def issue(query: Query) -> None:
        if query.id == 4:
            raise error
        query.complete()

    outcome = run_test(System(issue), Library(), short_settings())
    series = outcome.recording.performance
    assert series is not None
    assert series.query_count == 5
    assert not verdict_of(outcome).is_valid


def test_a_progress_function_that_fails_costs_nothing() -> None:
    def issue(query: Query) -> None:
        time.sleep(0.01)
        query.complete()

    def progress(_: Any) -> None:
        raise RuntimeError("no terminal")

    asked = short_settings(min_query_count=60)
    with pytest.warns(RuntimeWarning, match="no terminal"):
        outcome = run_test(System(issue), Library(), asked, RunOptions(progress=progress))
    assert outcome.error is None
    series = outcome.recording.performance
    assert series is not None
    assert series.query_count == 60
