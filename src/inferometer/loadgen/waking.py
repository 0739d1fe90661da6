"""Waker: lets a completing thread wake the issue thread with one system call."""

from __future__ import annotations

import contextlib
import os
import select
import sys

__all__ = ["Waker"]


class Waker:
    """A flag that one thread waits for and any thread, or a signal handler, sets.

    On Linux it is an eventfd, elsewhere a pipe. Either is preferred to a lock because
    writing to it releases the interpreter lock, which is what the woken thread needs.
    """

    def __init__(self) -> None:
        if sys.platform == "linux":
            self._read_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._write_fd = self._read_fd
        else:
            self._read_fd, self._write_fd = os.pipe()
            os.set_blocking(self._read_fd, False)
            os.set_blocking(self._write_fd, False)
        self._poll = select.poll()
        self._poll.register(self._read_fd, select.POLLIN)

    def set(self) -> None:
        """Wake the waiting thread, or the next one to wait."""
        # A full pipe or counter means that a wake-up is pending already; a closed one,
        # that the run is over.
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._write_fd, (1).to_bytes(8, sys.byteorder))

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until set, at most ``timeout_s`` seconds; tell whether it was set."""
        timeout_ms = None if timeout_s is None else max(0.0, timeout_s * 1e3)
        if not self._poll.poll(timeout_ms):
            return False
        with contextlib.suppress(BlockingIOError):
            os.read(self._read_fd, 4096)
        return True

    def __del__(self) -> None:
        # Only once nothing can set it any more: a late write to a descriptor that was
        # closed and given out again would land in somebody else's file.
        for descriptor in {self._read_fd, self._write_fd}:
            with contextlib.suppress(OSError):
                os.close(descriptor)
