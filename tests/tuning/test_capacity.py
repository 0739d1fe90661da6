"""The search for a rate: on systems whose latency is known at every rate."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.tuning import find_capacity


class Queue:
    """A queue of exponential service: latency grows without limit towards ``limit_qps``."""

    def __init__(self, limit_qps: float, share_when_idle: float = 0.1):
        self.limit_qps, self.share_when_idle = limit_qps, share_when_idle
        self.rates: list[float] = []

    def __call__(self, rate: float) -> float:
        self.rates.append(rate)
        left = 1.0 - rate / self.limit_qps
        return self.share_when_idle / left if left > 0 else math.inf

    @property
    def capacity(self) -> float:
        return self.limit_qps * (1 - self.share_when_idle)


@given(limit=st.floats(1.0, 1e6), off=st.floats(-2.0, 2.0))
def test_the_rate_is_found_from_wherever_it_begins(limit: float, off: float) -> None:
    queue = Queue(limit)
    found = find_capacity(queue, queue.capacity * math.exp(off))
    assert found == pytest.approx(queue.capacity, rel=0.12)
    assert len(queue.rates) <= 9


def test_near_the_start_few_runs_are_enough() -> None:
    queue = Queue(1000.0)
    assert find_capacity(queue, 850.0) == pytest.approx(900.0, rel=0.03)
    assert len(queue.rates) == 3


def test_a_hopeless_system_is_given_up_with_an_upper_limit() -> None:
    queue = Queue(100.0)
    found = find_capacity(queue, 1000.0, give_up_below_qps=600.0)
    assert 90.0 < found <= 600.0
    assert len(queue.rates) <= 3


def test_a_system_without_limits_gives_the_highest_rate_tried() -> None:
    assert find_capacity(lambda _: 0.01, 10.0) > 1000.0


def test_a_system_that_never_keeps_the_bound_gives_the_lowest_rate_tried() -> None:
    assert find_capacity(lambda _: 5.0, 10.0) < 0.1
