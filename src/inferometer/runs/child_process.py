"""Child process: a fresh interpreter that is given a run request, and its ends of the pipes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from inferometer.loadgen import kept_core
from inferometer.runs.request import RunRequest
from inferometer.runs.supervised_child import SIGNALS

__all__ = ["ChildProcess"]

# The path is set before anything is imported, so that both find the same modules.
_BOOT = (
    "import sys; sys.path[:] = sys.argv[5:]; "
    "from inferometer.runs.supervised_child import main; main(*map(int, sys.argv[1:5]))"
)


class ChildProcess:
    """A process that carries out a request; it is gone when the context is left.

    messages:
        What it tells; see `Telling`.
    printed:
        Descriptor of what it prints, standard output and error together, not blocking.
    signals_seen:
        Descriptor with a byte for each signal that reached it, not blocking.
    death:
        Descriptor that can be read once it is dead.
    """

    def __init__(self, request: RunRequest):
        content = pickle.dumps((request, kept_core()))
        self.messages: Connection[Any, Any]
        self.messages, theirs = multiprocessing.Pipe()
        self.signals_seen, signals = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stacks = os.memfd_create("inferometer-stacks")
        descriptors = (theirs.fileno(), signals, self._stacks)
        arguments = [*map(str, (*descriptors, os.getpid())), *sys.path]
        warnings = [f"-W{option}" for option in sys.warnoptions]
        # A signal waits until the child is ready for it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, *warnings, "-c", _BOOT, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=descriptors,
            )
        finally:
            theirs.close()
            os.close(signals)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.stdout is not None
        self.printed = self._process.stdout.fileno()
        os.set_blocking(self.printed, False)
        self.process_id = self._process.pid
        self.death = os.pidfd_open(self.process_id)
        self.peak_bytes = 0
        self._has_left = False
        with contextlib.suppress(OSError):
            self.messages.send_bytes(content)

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.signal(signal.SIGKILL)
        if not self.is_over:
            self.reap()
        self.messages.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        for descriptor in (self.signals_seen, self.death, self._stacks):
            os.close(descriptor)

    @property
    def is_over(self) -> bool:
        """Whether it is dead, or left to itself."""
        return self._has_left or self._process.returncode is not None

    @property
    def exit_code(self) -> int:
        """How it ended: an exit code, or the negative number of a signal."""
        code = self._process.returncode
        return -signal.SIGKILL if code is None else code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is dead."""
        if not self.is_over:
            os.kill(self.process_id, number)

    def reap(self) -> None:
        """Take how it ended, and the most memory that it had; waits for its end."""
        _, status, usage = os.wait4(self.process_id, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_bytes = usage.ru_maxrss * 1024

    def leave(self) -> None:
        """Leave it to itself: the system can't end it now, such as within a driver."""
        self._has_left = True

    def stacks(self) -> str:
        """Give the stacks that it left when it died."""
        return Path(f"/proc/self/fd/{self._stacks}").read_text("utf-8", "replace")
