"""Waker: a wake-up is never lost, whether the waiting thread sleeps or stays awake."""

from __future__ import annotations

import threading
import time

import pytest

from inferometer.loadgen.waking import Waker


def test_set_before_and_not_set_at_all() -> None:
    waker = Waker()
    waker.set()
    assert waker.wait(None)
    assert not waker.wait(0.001)
    waker.set()
    waker.set()
    assert waker.wait(5.0)


@pytest.mark.realtime
@pytest.mark.parametrize("spin_ns", [0, 50_000, pytest.param(2_000_000, marks=pytest.mark.slow)])
def test_no_wake_up_is_lost_between_two_threads(spin_ns: int) -> None:
    here, there = Waker(), Waker()
    turns, passed = 2000, []

    def other() -> None:
        for turn in range(turns):
            there.wait(None, spin_ns)
            passed.append(turn)
            if turn % 7 == 0:
                time.sleep(2e-5)
            here.set()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    for turn in range(turns):
        there.set()
        while len(passed) <= turn:
            assert here.wait(10.0, spin_ns) or len(passed) > turn, f"lost in turn {turn}"
    thread.join(10.0)
    assert passed == list(range(turns))
