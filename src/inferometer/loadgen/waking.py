"""Waker: lets a completing thread wake the issue thread, with one system call at most."""

from __future__ import annotations

import contextlib
import os
import platform
import select
import sys
import time

import numpy as np

from inferometer.loadgen.cores import usable_cores

__all__ = ["Waker", "stay_awake"]

_ONE = (1).to_bytes(8, sys.byteorder)
# NumPy computes square roots of more than 500 numbers without the interpreter lock.
_ONES = np.ones(1024)
# A constant, so that a type checker looks at both branches.
_IS_LINUX = platform.system() == "Linux"
_CAN_SPIN = _IS_LINUX and usable_cores() > 1


def stay_awake() -> None:
    """Keep the core for about a microsecond, without the interpreter lock.

    It is the one way in Python that leaves the lock to others and keeps the core: whoever
    yields a core to a thread that wants it gets it back, on Linux 6.18, a time slice later,
    even where another core is idle.
    """
    np.sqrt(_ONES, out=_ONES)


class Waker:
    """A flag that one thread waits for and any thread, or a signal handler, sets.

    On Linux it is an eventfd, elsewhere a pipe. Either is preferred to a lock because
    writing to it releases the interpreter lock, which is what the woken thread needs.
    Linux reports each write once, so that waiting is one system call and nothing has to
    be read: every call more is one more hand-over of the interpreter lock.

    Waking a sleeping core costs more than a short query does. Where the wait before was
    short, the next one therefore begins awake.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._is_asleep = False
        self._last_wait_ns = 1 << 62
        if _IS_LINUX:
            self._read_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._write_fd = self._read_fd
            self._epoll = select.epoll()
            self._epoll.register(self._read_fd, select.EPOLLIN | select.EPOLLET)
        else:
            self._read_fd, self._write_fd = os.pipe()
            os.set_blocking(self._read_fd, False)
            os.set_blocking(self._write_fd, False)
            self._poll = select.poll()
            self._poll.register(self._read_fd, select.POLLIN)

    def set(self) -> None:
        """Wake the waiting thread, or the next one to wait."""
        self._is_set = True
        if not self._is_asleep:
            return
        try:
            os.write(self._write_fd, _ONE)
        except OSError:
            # A full pipe or counter means that a wake-up is pending already; a closed
            # one, that the run is over.
            return

    def wait(self, timeout_s: float | None, spin_ns: int = 0) -> bool:
        """Wait until set, at most ``timeout_s`` seconds; tell whether it was set.

        For up to ``spin_ns`` it stays awake, if the wait before was shorter than twice
        that and there is a second core for the others.
        """
        begun = time.perf_counter_ns()
        if _CAN_SPIN and self._last_wait_ns < 2 * spin_ns:
            while not self._is_set and time.perf_counter_ns() - begun < spin_ns:
                stay_awake()
        # Whoever sets the flag from here on sees that it has to wake this thread.
        self._is_asleep = True
        was_set = self._is_set or self._sleep(timeout_s)
        self._is_asleep = self._is_set = False
        self._last_wait_ns = time.perf_counter_ns() - begun
        return was_set

    def _sleep(self, timeout_s: float | None) -> bool:
        if _IS_LINUX:
            return bool(self._epoll.poll(timeout_s))
        timeout_ms = None if timeout_s is None else max(0.0, timeout_s * 1e3)
        if not self._poll.poll(timeout_ms):
            return False
        with contextlib.suppress(BlockingIOError):
            os.read(self._read_fd, 4096)
        return True

    def __del__(self) -> None:
        # Only once nothing can set it any more: a late write to a descriptor that was
        # closed and given out again would land in somebody else's file.
        if _IS_LINUX:
            self._epoll.close()
        for descriptor in {self._read_fd, self._write_fd}:
            with contextlib.suppress(OSError):
                os.close(descriptor)
