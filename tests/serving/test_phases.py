"""Phases: what a handler tells is on record for each sample, and adds up."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inferometer.loadgen import (
    Mode,
    PhaseSplit,
    Recording,
    Responses,
    RunOptions,
    Scenario,
    SeriesRecord,
    VirtualClock,
    run_test,
)
from inferometer.serving import (
    InlineServing,
    PoolOptions,
    PoolServing,
    QueueRunnerOptions,
    QueueRunnerServing,
    SimulatedSUT,
    TimedAnswer,
)
from tests.support import Library, short_settings

SCENARIOS = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]


class Telling:
    """Answers each sample with its index, and tells times that name the call."""

    def __init__(self) -> None:
        self.calls: list[NDArray[np.integer[Any]]] = []
        self._lock = threading.Lock()

    def __call__(self, indices: NDArray[np.integer[Any]]) -> Responses:
        return indices.astype("<i4").reshape(-1, 1)

    def timed(self, indices: NDArray[np.integer[Any]]) -> TimedAnswer:
        with self._lock:
            self.calls.append(indices.copy())
            number = len(self.calls)
        return self(indices), number, 1000 * number


def served(kind: str, handler: Any) -> InlineServing | PoolServing | QueueRunnerServing:
    if kind == "inline":
        return InlineServing(handler)
    if kind == "queue-runner":
        return QueueRunnerServing(handler, QueueRunnerOptions(threads=2, max_batch_size=5))
    return PoolServing(handler, PoolOptions(workers=2, max_batch_size=5))


def run(kind: str, handler: Any, scenario: Scenario, mode: Mode) -> Recording:
    serving = served(kind, handler)
    asked = short_settings(scenario, mode=mode, server_target_qps=5000.0, min_query_count=40)
    try:
        return run_test(serving, Library(), asked).recording
    finally:
        serving.close()


@pytest.mark.parametrize("mode", [Mode.ACCURACY, Mode.PERFORMANCE])
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("kind", ["inline", "pool", "queue-runner"])
def test_each_sample_has_the_phases_of_its_batch(kind: str, scenario: Scenario, mode: Mode) -> None:
    handler = Telling()
    recording = run(kind, handler, scenario, mode)
    numbers: set[int] = set()
    for series in recording.series:
        assert series.began_ns is not None
        assert series.preprocess_ns is not None
        assert series.infer_ns is not None
        assert series.infer_ns.tolist() == (1000 * series.preprocess_ns).tolist()
        for number in set(series.preprocess_ns.tolist()):
            of_call = series.preprocess_ns == number
            asked = handler.calls[number - 1]
            assert sorted(series.sample_index[of_call].tolist()) == sorted(asked.tolist())
            assert len(set(series.began_ns[of_call].tolist())) == 1
            numbers.add(number)
        issued = np.repeat(series.issued_ns, series.samples_per_query)
        assert bool((series.began_ns >= issued).all())
        assert bool((series.began_ns <= series.completed_ns).all())
    assert numbers == set(range(1, len(handler.calls) + 1))


def test_the_split_adds_up_to_the_time_from_issue_to_completion() -> None:
    (series,) = run("pool", Telling(), Scenario.SERVER, Mode.PERFORMANCE).series
    split = PhaseSplit.of(series)
    assert split is not None
    means = [split.wait, split.preprocess, split.infer, split.postprocess]
    whole_ns = float((series.completed_ns - series.issued_ns).mean())
    assert sum(part.mean_ns for part in means) == pytest.approx(whole_ns, abs=4)
    assert split.mean_ns() == sum(part.mean_ns for part in means)
    assert split.mean_ns(with_wait=False) == split.mean_ns() - split.wait.mean_ns
    assert list(split.shares()) == ["wait", "preprocess", "infer", "postprocess"]
    assert sum(split.shares().values()) == pytest.approx(1)
    assert list(split.shares(with_wait=False)) == ["preprocess", "infer", "postprocess"]


@given(
    st.integers(1, 3).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(
                st.tuples(*[st.integers(0, 10**9)] * 4, st.booleans()),
                min_size=size,
                max_size=24,
            ).map(lambda rows: rows[: len(rows) // size * size]),
        )
    )
)
def test_split_of_any_stamps(drawn: tuple[int, list[tuple[int, int, int, int, bool]]]) -> None:
    size, rows = drawn
    issued = [index * 10 for index in range(len(rows) // size)]
    began = [issued[at // size] + row[0] for at, row in enumerate(rows)]
    completed = [start + sum(row[1:4]) for start, row in zip(began, rows, strict=True)]
    series = series_of(
        size,
        issued,
        [end if row[4] else -1 for end, row in zip(completed, rows, strict=True)],
        began,
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    split = PhaseSplit.of(series)
    answered = [row for row in rows if row[4]]
    if not answered:
        assert split is None
        return
    assert split is not None
    for place, summary in enumerate((split.wait, split.preprocess, split.infer, split.postprocess)):
        values = [row[place] for row in answered]
        assert (summary.count, summary.min_ns, summary.max_ns) == (
            len(values),
            min(values),
            max(values),
        )
        assert summary.mean_ns == sum(values) // len(values)


def series_of(
    size: int,
    issued: list[int],
    completed: list[int],
    began: list[int],
    preprocess: list[int],
    infer: list[int],
) -> SeriesRecord:
    return SeriesRecord(
        mode=Mode.PERFORMANCE,
        samples_per_query=size,
        scheduled_ns=np.array(issued, np.int64),
        issued_ns=np.array(issued, np.int64),
        completed_ns=np.array(completed, np.int64),
        sample_index=np.zeros(len(completed), np.int32),
        generated_query_count=len(issued),
        generated_duration_ns=0,
        first_sample_id=0,
        wall_start_s=0.0,
        wall_stop_s=1.0,
        stop_ns=1,
        target_qps=1.0,
        began_ns=np.array(began, np.int64),
        preprocess_ns=np.array(preprocess, np.int64),
        infer_ns=np.array(infer, np.int64),
    )


def test_a_system_that_does_not_tell_leaves_the_phases_out() -> None:
    clock = VirtualClock()
    recording = run_test(
        SimulatedSUT(clock),
        Library(),
        short_settings(Scenario.SINGLE_STREAM),
        RunOptions(clock=clock),
    ).recording
    (series,) = recording.series
    assert series.began_ns is series.preprocess_ns is series.infer_ns is None
    assert PhaseSplit.of(series) is None
