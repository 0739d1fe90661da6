"""Clocks: the real one, and a virtual one that runs a test without waiting."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable
from typing import Protocol

from inferometer.loadgen.waking import Waker

__all__ = ["Clock", "MonotonicClock", "VirtualClock"]

_SLICE_NS = 50_000_000
_GIVE_WAY_S = 1e-6


class Clock(Protocol):
    """What the issue room asks of time. All times are ns on one monotonic scale."""

    def now_ns(self) -> int:
        """Read the clock."""
        ...

    def sleep_until(self, due_ns: int, interrupted: Callable[[], bool]) -> int:
        """Return the time at or after ``due_ns``; earlier only once ``interrupted()``."""
        ...

    def wait(self, waker: Waker, deadline_ns: int | None) -> None:
        """Wait for the waker, for progress, or for the deadline."""
        ...

    def give_way(self) -> None:
        """Let the thread run that wants the interpreter lock."""
        ...


class MonotonicClock:
    """The system's monotonic clock.

    ``sleep_until`` sleeps until ``spin_ns`` before the due time and then polls the clock,
    yielding the processor between two looks: sleeping alone oversleeps by 50 µs or more.
    """

    def __init__(self, spin_ns: int = 100_000):
        self.spin_ns = spin_ns

    now_ns = staticmethod(time.perf_counter_ns)

    def sleep_until(self, due_ns: int, interrupted: Callable[[], bool]) -> int:
        """Sleep, then poll; look for an interruption every 50 ms."""
        now, pause = time.perf_counter_ns, os.sched_yield
        remaining = due_ns - now() - self.spin_ns
        while remaining > _SLICE_NS:
            # Slices let a stop request through while the next arrival is far away.
            time.sleep(_SLICE_NS * 1e-9)
            if interrupted():
                return now()
            remaining = due_ns - now() - self.spin_ns
        if remaining > 0:
            time.sleep(remaining * 1e-9)
        while (stamp := now()) < due_ns:
            pause()
        return stamp

    def wait(self, waker: Waker, deadline_ns: int | None) -> None:
        """Block until the waker is set or the deadline is reached."""
        if deadline_ns is None:
            waker.wait(None, self.spin_ns)
        else:
            waker.wait(max(0.0, (deadline_ns - time.perf_counter_ns()) * 1e-9), self.spin_ns)

    def give_way(self) -> None:
        """Really sleep, however shortly: a mere release of the lock may be taken back."""
        time.sleep(_GIVE_WAY_S)


class VirtualClock:
    """A clock that jumps from one planned event to the next.

    A simulated system plans its completions with `call_at`; they run, in order of time
    and then of planning, while the issue loop "sleeps" or "waits". Everything happens on
    one thread, so a run is exactly repeatable.
    """

    def __init__(self, start_ns: int = 1_000_000_000):
        self._now_ns = start_ns
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0

    def now_ns(self) -> int:
        """Give the virtual time."""
        return self._now_ns

    def advance(self, duration_ns: int) -> None:
        """Let time pass without running events, as work on the issue thread does."""
        self._now_ns += duration_ns

    def call_at(self, when_ns: int, action: Callable[[], None]) -> None:
        """Plan an action; a time that has passed means as soon as possible."""
        heapq.heappush(self._events, (when_ns, self._planned, action))
        self._planned += 1

    def call_later(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Plan an action ``delay_ns`` from now."""
        self.call_at(self._now_ns + delay_ns, action)

    def sleep_until(self, due_ns: int, interrupted: Callable[[], bool]) -> int:
        """Run the events that come before the due time, then jump there."""
        while self._events and self._events[0][0] <= due_ns and not interrupted():
            self._run_next()
        self._now_ns = max(self._now_ns, due_ns)
        return self._now_ns

    def wait(self, waker: Waker, deadline_ns: int | None) -> None:  # noqa: ARG002
        """Run the next event, or jump to the deadline if none comes before it."""
        if self._events and (deadline_ns is None or self._events[0][0] <= deadline_ns):
            self._run_next()
        elif deadline_ns is not None:
            self._now_ns = max(self._now_ns, deadline_ns)
        else:
            raise RuntimeError(
                "the virtual clock has no event left that could complete a query, and the "
                "test is set to wait for ever"
            )

    def give_way(self) -> None:
        """Do nothing: there is only one thread."""

    def _run_next(self) -> None:
        when, _, action = heapq.heappop(self._events)
        self._now_ns = max(self._now_ns, when)
        action()
