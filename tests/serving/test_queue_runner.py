"""Queue runner: the batching rule and the queue of the published v0.5 Python reference."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.loadgen import Mode, Scenario, run_test
from inferometer.serving import QueueRunnerOptions, QueueRunnerServing
from tests.serving.test_serving import ALL_CURRENT, accuracy, answers_of, echo
from tests.support import Library, short_settings


@pytest.mark.parametrize("scenario", ALL_CURRENT)
@pytest.mark.parametrize("most", [1, 5, 64])
def test_each_sample_gets_its_own_answer(scenario: Scenario, most: int) -> None:
    runner = QueueRunnerServing(echo, QueueRunnerOptions(threads=3, max_batch_size=most))
    try:
        outcome = run_test(runner, Library(), accuracy(scenario))
    finally:
        runner.close()
    assert answers_of(outcome) == {n: n for n in range(64)}


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(4, [3] * 4), (3, [3] * 4), (2, [1, 1, 1, 1, 2, 2, 2, 2]), (1, [1] * 12)],
)
def test_queries_never_share_a_call_and_large_ones_are_cut(most: int, sizes: list[int]) -> None:
    seen: list[int] = []

    def handler(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        seen.append(len(indices))
        return echo(indices)

    runner = QueueRunnerServing(handler, QueueRunnerOptions(threads=1, max_batch_size=most))
    asked = short_settings(
        Scenario.MULTI_STREAM,
        min_query_count=4,
        max_query_count=4,
        multi_stream_samples_per_query=3,
    )
    try:
        run_test(runner, Library(), asked)
    finally:
        runner.close()
    assert sorted(seen) == sizes


def test_issuing_waits_while_the_queue_is_full() -> None:
    open_up, began = threading.Event(), threading.Semaphore(0)

    def handler(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        began.release()
        assert open_up.wait(20)
        return echo(indices)

    runner = QueueRunnerServing(handler, QueueRunnerOptions(threads=2, max_batch_size=1))
    issued: list[int] = []

    class Counting:
        name = "counting"

        def issue(self, query: Any) -> None:
            issued.append(query.id)
            runner.issue(query)

        def flush(self) -> None:
            runner.flush()

    asked = short_settings(Scenario.SERVER, server_target_qps=1e5, min_query_count=30)
    test = threading.Thread(target=run_test, args=(Counting(), Library(), asked))
    test.start()
    try:
        for _ in range(2):
            assert began.acquire(timeout=20)
        # Two are being answered and eight are queued; the eleventh has to wait.
        while len(issued) < 11 and test.is_alive():
            began.acquire(timeout=0.001)
        assert len(issued) == 11
        assert not began.acquire(timeout=0.05)
        assert len(issued) == 11
    finally:
        open_up.set()
        test.join(20)
        runner.close()
    assert len(issued) == 30


def test_an_error_ends_the_run() -> None:
    def broken(indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        raise ValueError("the model is gone")

    runner = QueueRunnerServing(broken)
    try:
        outcome = run_test(runner, Library(), short_settings(Scenario.OFFLINE, mode=Mode.ACCURACY))
    finally:
        runner.close()
    assert isinstance(outcome.error, ValueError)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"max_batch_size": 0}])
def test_impossible_options_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        QueueRunnerOptions(**wrong)
