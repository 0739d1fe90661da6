"""Process state: what the timed part changes in the interpreter, and puts back."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from inferometer.loadgen.c_library import c_call
from inferometer.loadgen.own_core import kept_core, on_core
from inferometer.loadgen.time_slice import short_slice

__all__ = [
    "TimingOptions",
    "end_with_parent",
    "punctual_thread",
    "quiet_interpreter",
    "stay_without_parent",
]

_PR_SET_PDEATHSIG = 1
_PR_SET_TIMERSLACK = 29
_PR_GET_TIMERSLACK = 30


@dataclass(frozen=True)
class TimingOptions:
    """How the generator keeps time; recorded with every run.

    spin_ns:
        How long a closed loop stays awake for the answer of a system that was as fast before.
    arrival_spin_ns:
        How long before a due time sleeping gives way to polling the clock.
    timer_slack_ns:
        Timer slack of the issue thread (Linux); the system's default of 50,000 makes
        every sleep late by as much.
    slice_ns:
        Time slice that the issue thread asks for (Linux from 6.12): a thread with a short one
        gets a core that others use sooner. It gets no larger share of it.
    switch_interval_s:
        Thread switch interval during the run; ``None`` leaves it as it is.
    hand_off:
        A thread that completes a query while another is overdue sleeps for a moment, so
        that the issue thread gets the interpreter lock. It helps where the system's pieces
        of Python work are short; a short switch interval, where they are long.
    collect_garbage:
        Leave the cyclic garbage collector on during the run.
    core:
        The core that the issue thread keeps to, `kept_core` by default; ``None`` for any.
    """

    spin_ns: int = 100_000
    arrival_spin_ns: int = 50_000
    timer_slack_ns: int = 1
    slice_ns: int = 100_000
    switch_interval_s: float | None = None
    hand_off: bool = True
    collect_garbage: bool = False
    core: int | None = field(default_factory=kept_core)


@contextlib.contextmanager
def quiet_interpreter(options: TimingOptions) -> Iterator[None]:
    """Set garbage collection and switch interval of the process; restore them at the end."""
    interval_s = sys.getswitchinterval()
    was_collecting = gc.isenabled()
    try:
        if options.switch_interval_s is not None:
            sys.setswitchinterval(options.switch_interval_s)
        if not options.collect_garbage:
            # Frozen without a collection first, which would cost more than a short test.
            gc.freeze()
            gc.disable()
        yield
    finally:
        if not options.collect_garbage:
            gc.unfreeze()
            if was_collecting:
                gc.enable()
        sys.setswitchinterval(interval_s)


@contextlib.contextmanager
def punctual_thread(options: TimingOptions) -> Iterator[None]:
    """Set core, timer slack and time slice of the calling thread; restore them at the end."""
    with on_core(options.core), _fine_timer(options), short_slice(options.slice_ns):
        yield


@contextlib.contextmanager
def _fine_timer(options: TimingOptions) -> Iterator[None]:
    slack_ns = _timer_slack_ns()
    if slack_ns is None:
        yield
        return
    _prctl(_PR_SET_TIMERSLACK, options.timer_slack_ns)
    try:
        yield
    finally:
        _prctl(_PR_SET_TIMERSLACK, slack_ns)


def end_with_parent(number: int) -> None:
    """Have this process sent a signal once the thread that started it is gone (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, number)


def stay_without_parent() -> None:
    """Take `end_with_parent` back."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def _timer_slack_ns() -> int | None:
    slack_ns = _prctl(_PR_GET_TIMERSLACK, 0)
    return slack_ns if slack_ns is not None and slack_ns > 0 else None


def _prctl(operation: int, argument: int) -> int | None:
    """Call prctl where there is one; ``None`` elsewhere."""
    return c_call("prctl", operation, ctypes.c_ulong(argument), 0, 0, 0)
