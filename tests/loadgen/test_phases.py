"""Phase split: a recording's own numbers, exactly; nothing where nothing was told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inferometer.loadgen import (
    PhaseSplit,
    Query,
    Recording,
    RunOptions,
    Scenario,
    SeriesRecord,
    VirtualClock,
    judge,
    run_test,
)
from tests.support import Library, System, short_settings, simulate

WAIT_NS, PREPROCESS_NS, INFER_NS, POSTPROCESS_NS = 100, 20, 300, 40
SERVICE_NS = WAIT_NS + PREPROCESS_NS + INFER_NS + POSTPROCESS_NS


def telling(scenario: Scenario, *, by_parts: bool = False) -> Recording:
    """Run with a system that takes the same time for everything, and tells it."""
    clock = VirtualClock()

    def finish(query: Query, began: int) -> None:
        positions = [slice(0, 3), slice(3, len(query))] if by_parts else [None]
        for part in positions:
            query.note_phases(began, PREPROCESS_NS, INFER_NS, part)
            query.complete(positions=part)

    def issue(query: Query) -> None:
        issued = query.now_ns()
        clock.call_at(issued + SERVICE_NS, lambda: finish(query, issued + WAIT_NS))

    asked = short_settings(scenario, server_target_qps=1e4)
    return run_test(System(issue), Library(), asked, RunOptions(clock=clock)).recording


def series_of(recording: Recording) -> SeriesRecord:
    assert recording.performance is not None
    return recording.performance


@pytest.mark.parametrize("by_parts", [False, True])
@pytest.mark.parametrize("scenario", [Scenario.MULTI_STREAM, Scenario.OFFLINE])
def test_queries_of_several_samples_are_split(scenario: Scenario, by_parts: bool) -> None:
    check(telling(scenario, by_parts=by_parts))


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.SERVER])
def test_queries_of_one_sample_are_split(scenario: Scenario) -> None:
    check(telling(scenario))


def check(recording: Recording) -> None:
    series = series_of(recording)
    split = PhaseSplit.of(series)
    assert split is not None
    for summary, expected_ns in (
        (split.wait, WAIT_NS),
        (split.preprocess, PREPROCESS_NS),
        (split.infer, INFER_NS),
        (split.postprocess, POSTPROCESS_NS),
    ):
        assert summary.count == series.sample_count
        assert (summary.min_ns, summary.mean_ns, summary.max_ns) == (expected_ns,) * 3
    assert split.mean_ns() == SERVICE_NS
    assert split.mean_ns(with_wait=False) == SERVICE_NS - WAIT_NS
    assert split.shares()["wait"] == WAIT_NS / SERVICE_NS
    assert list(split.shares(with_wait=False)) == ["preprocess", "infer", "postprocess"]


@pytest.mark.parametrize(
    ("is_told", "is_answered", "counted"),
    [
        ([True, True, True], [True, True, True], [0, 1, 2]),
        ([True, False, True], [True, True, True], [0, 2]),
        ([True, False, True], [False, True, True], [2]),
        ([False, True, False], [True, False, True], []),
    ],
)
def test_samples_that_nothing_was_told_of_or_not_answered_are_left_out(
    is_told: list[bool], is_answered: list[bool], counted: list[int]
) -> None:
    base = series_of(simulate(short_settings(min_query_count=3)).recording)
    issued, infer = base.issued_ns[:3], np.array([300, 500, 900], np.int64)
    series = dataclasses.replace(
        base,
        scheduled_ns=issued,
        issued_ns=issued,
        completed_ns=np.where(is_answered, issued + infer + 11, -1),
        began_ns=np.where(is_told, issued + 5, -1),
        preprocess_ns=np.full(3, 4, np.int64),
        infer_ns=infer,
    )
    split = PhaseSplit.of(series)
    if not counted:
        assert split is None
        return
    assert split is not None
    assert split.infer.count == len(counted)
    assert split.infer.min_ns == infer[counted].min()
    assert split.infer.max_ns == infer[counted].max()
    assert split.postprocess.min_ns == split.postprocess.max_ns == 2


def test_queries_that_nothing_was_told_of_are_marked() -> None:
    clock = VirtualClock()

    def issue(query: Query) -> None:
        if query.id % 2:
            query.note_phases(query.now_ns(), PREPROCESS_NS, INFER_NS)
        query.complete()

    asked = short_settings(Scenario.SERVER, server_target_qps=1e4)
    recording = run_test(System(issue), Library(), asked, RunOptions(clock=clock)).recording
    series = series_of(recording)
    assert series.began_ns is not None
    assert set(series.began_ns[0::2].tolist()) == {-1}
    assert series.began_ns[1::2].tolist() == series.issued_ns[1::2].tolist()
    split = PhaseSplit.of(series)
    assert split is not None
    assert split.wait.count == series.sample_count // 2


def test_phases_change_no_verdict() -> None:
    recording = telling(Scenario.MULTI_STREAM)
    without = dataclasses.replace(
        recording,
        series=tuple(
            dataclasses.replace(series, began_ns=None, preprocess_ns=None, infer_ns=None)
            for series in recording.series
        ),
    )
    assert judge(without) == judge(recording)
