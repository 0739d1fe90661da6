"""Lifeline: a pipe by which a process ends with the one that started it."""

from __future__ import annotations

import fcntl
import os
import select
import signal

__all__ = ["end_with_parent"]


def end_with_parent(lifeline: int) -> None:
    """Have the system end this process with the parent, whatever holds the interpreter.

    Unlike the signal for a parent's death, it doesn't come when only the parent's thread
    that started this process ends. ``lifeline`` is the pipe's end here, which nobody writes to.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    is_gone = select.poll()
    is_gone.register(lifeline, 0)
    if is_gone.poll(0):
        os._exit(0)
