"""Replica process, from the side of the one that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

from inferometer.serving.replicas import Recipe, ReplicaError, Samples

__all__ = ["ReplicaProcess", "Request"]

_BOOT = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from inferometer.serving.replica_process import main; main(*map(int, sys.argv[1:3]))"
)
_DYING_S = 5.0

Request = tuple[Samples, bytes, str]
"""Samples to take, their layout in shared memory, and the path of that memory."""


class ReplicaProcess:
    """A process with a replica, and the way to it; started anew it is another process.

    ``number`` is the replica's. ``has_taken`` is set once samples are taken, or can't be, and
    ``trouble`` then is why not.
    """

    def __init__(self, number: int, recipe: Recipe):
        self.number = number
        self.is_present = False
        self.has_taken = threading.Event()
        self.trouble: BaseException | None = None
        self._recipe = recipe
        self._sending = threading.Lock()
        self._channel: Connection[Any, Any] | None = None
        self.start()

    @property
    def process_id(self) -> int:
        """The process's number."""
        return self._process.pid

    def start(self) -> None:
        """Start the process; it makes the replica."""
        self.release()
        channel, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        warnings = [f"-W{option}" for option in sys.warnoptions]
        descriptors = (theirs.fileno(), lifeline)
        # A terminal's interrupt is for the parent, which then ends the process.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, *warnings, "-c", _BOOT, *map(str, descriptors), *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
            os.close(lifeline)
        self._death = os.pidfd_open(self._process.pid)
        with self._sending:
            self._channel = channel
        self.send(self._recipe)

    def send(self, message: object) -> None:
        """Send something; a process that is gone gets nothing."""
        with contextlib.suppress(OSError), self._sending:
            if self._channel is not None:
                self._channel.send(message)

    def receive(self) -> Any:
        """Wait for a message; raise `EOFError` once there won't be any."""
        assert self._channel is not None
        # A process that was forked off may hold the socket open, so its death is looked for.
        if self._channel not in wait([self._channel, self._death]):
            raise EOFError
        try:
            return self._channel.recv()
        except OSError as error:
            raise EOFError from error

    def await_ready(self, limit_s: float) -> None:
        """Wait until the replica is made; raise what making it raised."""
        self._await_reply(limit_s, "loaded the model")
        self.is_present = True

    def begin_take(self, request: Request) -> None:
        """Ask for samples to be taken; `has_taken` is set once they are, or can't be."""
        self.trouble = None
        self.has_taken.clear()
        self.send((None, request))

    def take(self, request: Request, limit_s: float) -> None:
        """Have samples taken, before anything else receives messages."""
        self.send((None, request))
        self._await_reply(limit_s, "taken its samples")

    def reap(self) -> str:
        """End the process, if it lives, and say how it ended."""
        self.kill()
        code = self._process.returncode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"process {self.process_id} ended by {signal.Signals(-code).name}"
        return f"process {self.process_id} ended with exit code {code}"

    def kill(self) -> None:
        """End the process for certain."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_S)

    def release(self) -> None:
        """Close the way to a process that is dead, and to which nobody listens."""
        with self._sending:
            if self._channel is None:
                return
            self._channel.close()
            self._channel = None
        os.close(self._lifeline)
        os.close(self._death)

    def _await_reply(self, limit_s: float, doing: str) -> None:
        assert self._channel is not None
        if not wait([self._channel, self._death], limit_s):
            raise ReplicaError(
                f"process {self.process_id} has not {doing} within {limit_s:g} s; raise limit_s"
            )
        try:
            reply = self.receive()
        except EOFError:
            raise ReplicaError(f"{self.reap()}, before it had {doing}") from None
        if reply is not None:
            raise reply
