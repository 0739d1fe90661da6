"""Servings: every sample answered once with its own answer, whatever the batching."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import (
    Mode,
    RunOptions,
    RunOutcome,
    Scenario,
    Settings,
    VirtualClock,
    run_test,
)
from inferometer.serving import InlineServing, PoolOptions, PoolServing, SimulatedSUT
from tests.support import Library, short_settings

ALL_CURRENT = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]


def echo(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
    return indices.astype("<i4").reshape(-1, 1)


def answers_of(outcome: RunOutcome) -> dict[int, int]:
    index = {}
    for series in outcome.recording.series:
        for place, sample in enumerate(series.sample_index.tolist()):
            index[series.first_sample_id + place] = sample
    return {index[r.sample_id]: int.from_bytes(r.data, "little") for r in outcome.responses}


def accuracy(scenario: Scenario) -> Settings:
    return short_settings(scenario, mode=Mode.ACCURACY, server_target_qps=20_000.0)


@pytest.mark.parametrize("scenario", ALL_CURRENT)
def test_inline_answers_each_sample_with_its_own_answer(scenario: Scenario) -> None:
    outcome = run_test(InlineServing(echo), Library(), accuracy(scenario))
    assert answers_of(outcome) == {n: n for n in range(64)}


@pytest.mark.parametrize("scenario", ALL_CURRENT)
@pytest.mark.parametrize(
    "options",
    [
        PoolOptions(),
        PoolOptions(workers=3, max_batch_size=5),
        PoolOptions(workers=2, max_batch_size=3, split_queries=True),
        PoolOptions(workers=2, max_batch_size=16, max_wait_s=0.001),
        PoolOptions(max_batch_size=1),
    ],
)
def test_pool_answers_each_sample_with_its_own_answer(
    scenario: Scenario, options: PoolOptions
) -> None:
    sizes: list[int] = []

    def handler(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        sizes.append(len(indices))
        return echo(indices)

    pool = PoolServing(handler, options)
    try:
        outcome = run_test(pool, Library(), accuracy(scenario))
    finally:
        pool.close()
    assert answers_of(outcome) == {n: n for n in range(64)}
    assert max(sizes) <= options.max_batch_size
    assert sum(sizes) == 64 or scenario is Scenario.MULTI_STREAM


def test_pool_forms_batches_of_what_has_come() -> None:
    sizes: list[int] = []

    def slow(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        sizes.append(len(indices))
        time.sleep(0.005)
        return echo(indices)

    pool = PoolServing(slow, PoolOptions(max_batch_size=64))
    asked = short_settings(Scenario.SERVER, server_target_qps=5000.0, min_query_count=200)
    try:
        run_test(pool, Library(), asked)
    finally:
        pool.close()
    assert sum(sizes) == 200
    assert max(sizes) > 4


def test_pool_waits_for_fuller_batches_but_not_at_the_end() -> None:
    sizes: list[int] = []

    def handler(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        sizes.append(len(indices))
        return echo(indices)

    pool = PoolServing(handler, PoolOptions(max_batch_size=50, max_wait_s=3600.0))
    asked = short_settings(Scenario.SERVER, server_target_qps=500.0, min_query_count=120)
    try:
        outcome = run_test(pool, Library(), asked.replace(outstanding_limit_s=60))
    finally:
        pool.close()
    assert sizes[:2] == [50, 50]
    series = outcome.recording.performance
    assert series is not None
    assert bool(series.is_complete.all())


def test_split_queries_share_a_query_among_workers() -> None:
    sizes: list[int] = []
    barrier = threading.Barrier(2, timeout=20)

    def handler(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        sizes.append(len(indices))
        barrier.wait()
        return echo(indices)

    pool = PoolServing(handler, PoolOptions(workers=2, max_batch_size=32, split_queries=True))
    asked = short_settings(Scenario.MULTI_STREAM, min_query_count=3)
    try:
        run_test(pool, Library(), asked)
    finally:
        pool.close()
    assert set(sizes) == {4}


@pytest.mark.parametrize("make", [InlineServing, PoolServing])
def test_an_error_of_the_handler_ends_the_run(make: Any) -> None:
    def broken(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        raise ValueError("cannot divide")

    serving = make(broken)
    outcome = run_test(serving, Library(), short_settings(Scenario.OFFLINE))
    serving.close()
    assert isinstance(outcome.error, ValueError)


@pytest.mark.parametrize("count", [0, 1, 31, 33])
def test_a_handler_that_gives_the_wrong_number_of_answers_ends_the_run(count: int) -> None:
    pool = PoolServing(lambda indices: np.zeros((count, 1), np.uint8))
    try:
        outcome = run_test(pool, Library(), short_settings(Scenario.OFFLINE, min_query_count=32))
    finally:
        pool.close()
    assert outcome.error is not None


@pytest.mark.parametrize("values", [{"workers": 0}, {"max_batch_size": 0}, {"max_wait_s": -1.0}])
def test_impossible_pool_options_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="have to be at least 1"):
        PoolOptions(**values)


def test_simulated_servers_work_in_parallel() -> None:
    clock = VirtualClock()
    sut = SimulatedSUT(clock, 1_000_000, servers=4)
    asked = short_settings(Scenario.SERVER, server_target_qps=3000.0, min_query_count=500)
    series = run_test(sut, Library(), asked, RunOptions(clock=clock)).recording.performance
    assert series is not None
    assert int(series.latency_ns.min()) == 1_000_000
    busy = 500 * 1_000_000 / 4
    assert int(series.completed_ns.max()) >= busy


@pytest.mark.realtime
def test_workers_that_wait_for_fuller_batches_never_stay_away() -> None:
    """Several timed gets from one queue, over and over, with flushes in between."""
    options = PoolOptions(workers=4, max_batch_size=4, max_wait_s=2e-4)
    pool = PoolServing(echo, options)
    try:
        for _ in range(20):
            asked = short_settings(
                Scenario.SERVER,
                server_target_qps=20_000.0,
                min_query_count=150,
                outstanding_limit_s=20,
            )
            outcome = run_test(pool, Library(), asked)
            assert outcome.error is None
            assert outcome.recording.series[0].is_complete.all()
    finally:
        pool.close()
