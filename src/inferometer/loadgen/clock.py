"""Clocks: the real one, and a virtual one that runs a test without waiting."""

from __future__ import annotations

import heapq
import resource
import time
from collections.abc import Callable
from typing import Protocol

from inferometer.loadgen.cores import usable_cores
from inferometer.loadgen.waking import Waker, stay_awake

__all__ = ["Clock", "MonotonicClock", "VirtualClock"]

_SLICE_NS = 50_000_000
_GIVE_WAY_S = 1e-6
_LATE_NS = 20_000
_MOST_SKIPS = 256


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

    ``sleep_until`` sleeps until ``arrival_spin_ns`` before the due time and then polls the
    clock, without the interpreter lock: sleeping alone oversleeps by 25 to 100 µs. Where all
    cores are busy a thread that polls may lose its core for a time slice, while a sleeper
    gets one at once; there, and on a single core that is shared, it only sleeps.
    ``has_own_core`` tells that nothing else runs on the core of the issue thread.
    """

    def __init__(
        self,
        spin_ns: int = 100_000,
        *,
        arrival_spin_ns: int = 50_000,
        hand_off: bool = True,
        has_own_core: bool = False,
    ):
        self.spin_ns = spin_ns
        self._arrival_spin_ns = arrival_spin_ns if has_own_core or usable_cores() > 1 else 0
        self._hand_off = hand_off
        self._crowding = _Crowding()

    now_ns = staticmethod(time.perf_counter_ns)

    def sleep_until(self, due_ns: int, interrupted: Callable[[], bool]) -> int:
        """Sleep, then poll; look for an interruption every 50 ms."""
        now = time.perf_counter_ns
        spin_ns = self._arrival_spin_ns if self._crowding.allows_spin() else 0
        remaining = due_ns - now() - spin_ns
        while remaining > _SLICE_NS:
            # Slices let a stop request through while the next arrival is far away.
            time.sleep(_SLICE_NS * 1e-9)
            if interrupted():
                return now()
            remaining = due_ns - now() - spin_ns
        if remaining > 0:
            time.sleep(remaining * 1e-9)
        while (stamp := now()) < due_ns:
            stay_awake()
        if spin_ns:
            self._crowding.learn(stamp - due_ns > _LATE_NS)
        return stamp

    def wait(self, waker: Waker, deadline_ns: int | None) -> None:
        """Block until the waker is set or the deadline is reached."""
        if deadline_ns is None:
            waker.wait(None, self.spin_ns)
        else:
            waker.wait(max(0.0, (deadline_ns - time.perf_counter_ns()) * 1e-9), self.spin_ns)

    def give_way(self) -> None:
        """Really sleep, however shortly: a mere release of the lock may be taken back."""
        if self._hand_off:
            time.sleep(_GIVE_WAY_S)


class _Crowding:
    """Knows whether the issue thread loses its core where it polls.

    Each loss doubles for how many arrivals there is no polling, each success halves it.
    """

    def __init__(self) -> None:
        self._skips = 0
        self._step = 0
        self._switches = 0

    def allows_spin(self) -> bool:
        """Tell whether to poll for the next arrival."""
        if self._skips:
            self._skips -= 1
            return False
        return True

    def learn(self, was_late: bool) -> None:
        """Take in whether an arrival that was polled for came late."""
        if not was_late:
            self._step //= 2
            return
        # A thread that waits for the interpreter lock blocks; one that lost its core while
        # it could have gone on was switched against its will. Only the second counts.
        switches = _involuntary_switches()
        if switches > self._switches:
            self._step = min(max(1, 2 * self._step), _MOST_SKIPS)
            self._skips = self._step
        self._switches = switches


def _involuntary_switches() -> int:
    who = getattr(resource, "RUSAGE_THREAD", None)
    return 0 if who is None else resource.getrusage(who).ru_nivcsw


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
