"""Batches are those of the real pool, and of a reference that is written as plainly as can be."""

from __future__ import annotations

import heapq
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import VirtualClock
from inferometer.serving import PoolOptions, PoolServing
from inferometer.simulating import Cluster, SimulatedSystem
from tests.simulating.systems import MS, system_of


class Asked:
    """A query of some samples, which notes when each was answered."""

    wants_responses = False

    def __init__(self, size: int, clock: VirtualClock | None = None):
        self.indices = np.arange(size)
        self.index = 0
        self.answered: list[tuple[Any, int]] = []
        self._clock = clock

    def __len__(self) -> int:
        return len(self.indices)

    def note_phases(self, *_: object) -> None:
        pass

    def complete(self, _: object = None, positions: slice | None = None) -> None:
        now = 0 if self._clock is None else self._clock.now_ns()
        self.answered.append((positions, now))

    def fail(self, error: BaseException) -> None:
        raise error


def simulated(system: SimulatedSystem, due: list[int]) -> list[int]:
    """When each of these queries of one sample is answered."""
    clock = VirtualClock(0)
    cluster = Cluster(system, clock)
    asked = [Asked(1, clock) for _ in due]
    for query, at in zip(asked, due, strict=True):
        clock.sleep_until(at, lambda: False)
        cluster.issue(query)
    clock.sleep_until(1 << 60, lambda: False)
    assert all(len(query.answered) == 1 for query in asked)
    return [query.answered[0][1] for query in asked]


def reference(
    due: list[int], workers: int, most: int, wait: int, setup: int, each: int
) -> list[int]:
    """First come, first served, a batch at a time; with a wait, one worker only."""
    free, done, head = [0] * workers, [], 0
    while head < len(due):
        start = max(heapq.heappop(free), due[head])
        if wait:
            full = due[head + most - 1] if head + most <= len(due) else 1 << 60
            start = max(start, min(start + wait, full))
        size = sum(1 for at in due[head : head + most] if at <= start)
        end = start + setup + size * each
        done += [end] * size
        heapq.heappush(free, end)
        head += size
    return done


# Whole µs, and waits and calls a ns longer: what comes at the very end may go either way.
GAPS = st.lists(st.integers(1, 3_000).map(lambda us: us * 1000), min_size=1, max_size=40)
WAITS = st.integers(1, 4_000).map(lambda us: us * 1000 + 1)


@given(GAPS, st.integers(1, 3), st.sampled_from([1, 2, 5]))
@settings(max_examples=60, deadline=None)
def test_events_are_those_of_the_reference(gaps: list[int], workers: int, most: int) -> None:
    due = np.cumsum(gaps).tolist()
    system = system_of(setup_ms=2.000001, sample_ms=0.7, workers=workers, max_batch=most)
    found = simulated(system, due)
    assert found == reference(due, workers, most, 0, 2_000_001, 700_000)


@given(GAPS, st.sampled_from([2, 5]), WAITS)
@settings(max_examples=60, deadline=None)
def test_batches_that_wait_are_those_of_the_reference(
    gaps: list[int], most: int, wait: int
) -> None:
    due = np.cumsum(gaps).tolist()
    system = system_of(setup_ms=2.000001, sample_ms=0.7, max_batch=most, max_wait_ms=wait / MS)
    assert simulated(system, due) == reference(due, 1, most, wait, 2_000_001, 700_000)


def test_workers_that_wait_take_turns() -> None:
    # Both wait: the first batch has the first and the third query, the second the others.
    system = system_of(sample_ms=1.0, workers=2, max_batch=2, max_wait_ms=10.0)
    found = simulated(system, [0, 1_000_000, 2_000_000, 3_000_000])
    assert found == [4_000_000, 5_000_000, 4_000_000, 5_000_000]


def real_batches(options: PoolOptions, sizes: list[int]) -> list[int]:
    """Batch sizes of the real pool, which answers the first query while all others come."""
    begun, go_on, found = threading.Event(), threading.Event(), []

    def handler(indices: Any) -> Any:
        found.append(len(indices))
        begun.set()
        go_on.wait(10)
        return np.zeros((len(indices), 1), np.uint8)

    pool = PoolServing(handler, options)
    queries = [Asked(size) for size in sizes]
    pool.issue(queries[0])  # type: ignore[arg-type]
    assert begun.wait(10)
    for query in queries[1:]:
        pool.issue(query)  # type: ignore[arg-type]
    go_on.set()
    pool.close()
    return found


@pytest.mark.parametrize("sizes", [[1] * 8, [3] * 5, [4] * 3, [7, 7], [1]])
def test_batches_are_those_of_the_real_pool(sizes: list[int]) -> None:
    clock = VirtualClock(0)
    cluster = Cluster(system_of(max_batch=4), clock)
    found: list[int] = []
    answer = cluster._answer

    def noting(replica: Any, call: Any) -> None:
        found.append(call.worker.count)
        answer(replica, call)

    for replica in cluster.replicas:
        replica._done = noting
    queries = [Asked(size, clock) for size in sizes]
    for query in queries:
        cluster.issue(query)
    clock.sleep_until(1 << 60, lambda: False)
    assert found == real_batches(PoolOptions(max_batch_size=4), sizes)
    assert all(
        sum(len(query) if at is None else at.stop - at.start for at, _ in query.answered)
        == len(query)
        for query in queries
    )
