"""Worker process: started, asked and ended by the process that wants a model run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.isolation.worker import DONE, LARGEST_MESSAGE_BYTES, READY
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile
from inferometer.serving.shared_arrays import NotShareableError, SharedArrays

__all__ = ["BackendFault", "Limits", "WorkerProcess"]

CRASHED, HUNG, HUNG_AT_LOAD, OUT_OF_MEMORY = "crashed", "hung", "hung-at-load", "out-of-memory"

# The path is set before anything is imported, so that both find the same modules.
_BOOT = (
    "import sys; sys.path[:] = sys.argv[5:]; "
    "from inferometer.backends.isolation.worker import main; main(*map(int, sys.argv[1:5]))"
)
_LOADING, _CALLING = "while loading the model", "in a call"
_LOOK_S = 0.5
_MEMORY_LOOK_S = 0.02
_STACKS_S = 1.0
_CLOSING_S = 2.0
_DYING_S = 5.0
_KEPT_BYTES = 16_384
_LONGEST_OUTPUT_BYTES = 1 << 20
_KEPT_LINES = 20
_MIB = 2**20


class BackendFault(BackendError):  # noqa: N818
    """The process that runs a model is gone, or had to be ended; no more calls can be made.

    kind:
        ``crashed``, ``hung-at-load``, ``hung`` or ``out-of-memory``.
    ending:
        How the process ended: a signal's name, or ``exit code 1``.
    printed:
        The last lines that it printed, with its Python stack if it had time to leave one.
    """

    def __init__(self, message: str, kind: str = CRASHED, ending: str = "", printed: str = ""):
        super().__init__(message)
        self.kind, self.ending, self.printed = kind, ending, printed


@dataclass(frozen=True)
class Limits:
    """What a worker process may take: seconds to load and to answer a call, bytes of its own."""

    load_s: float | None
    call_s: float | None
    memory_bytes: int | None


class WorkerProcess:
    """A process that runs a model, one call at a time."""

    def __init__(self, place: str, model: ModelFile, options: BackendOptions, limits: Limits):
        self._name = place.rpartition(":")[2]
        self._limits = limits
        self._lock = threading.Lock()
        self._tail = b""
        self._requests = SharedArrays.made("requests")
        self._replies = SharedArrays.made("replies")
        self._printed = os.memfd_create("inferometer-printed")
        fcntl.fcntl(self._printed, fcntl.F_SETFL, os.O_APPEND)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        lifeline, self._lifeline = os.pipe()
        with theirs:
            self._process = self._started(theirs.fileno(), lifeline)
        os.close(lifeline)
        self._look_s = _LOOK_S if limits.memory_bytes is None else _MEMORY_LOOK_S
        self._next_look_s = self._wait_s = 0.0
        with contextlib.suppress(OSError):
            self._control.send(pickle.dumps((place, model, options)))

    @property
    def process_id(self) -> int:
        """The process's number."""
        return self._process.pid

    def loaded(self) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]:
        """Wait until the model is loaded; give names of inputs and outputs, and description.

        Raises `BackendFault`, or what loading raised there.
        """
        with self._lock:
            answer = self._answer(_LOADING, self._limits.load_s)
            if not answer.startswith(READY):
                raise self._error(answer, _LOADING)
            facts: tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]
            facts = pickle.loads(answer[1:])  # noqa: S301
            return facts

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch; raise `BackendFault`, or what the model's session raised there."""
        with self._lock:
            layout = self._layout(inputs)
            with contextlib.suppress(ConnectionError):  # told by the missing answer
                self._control.send(layout)
            answer = self._answer(_CALLING, self._limits.call_s)
            if answer.startswith(DONE):
                return [view.copy() for view in self._replies.views(answer[1:]).values()]
            raise self._error(answer, _CALLING)

    def _layout(self, inputs: Mapping[str, NDArray[Any]]) -> bytes:
        try:
            return self._requests.put(inputs)
        except NotShareableError as error:
            raise BackendError(str(error)) from error

    def begin_end(self) -> None:
        """Have it end by itself, if it is idle."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """End it for certain, and let everything go that it had; a second time does nothing."""
        is_idle = self._lock.acquire(blocking=False)
        if is_idle:
            self._lock.release()
            self.begin_end()
            self._died_within(_CLOSING_S)
        self._kill()
        with self._lock:
            if self._control.fileno() < 0:
                return
            self._control.close()
            self._requests.close()
            self._replies.close()
            os.close(self._lifeline)
            os.close(self._printed)

    def _started(self, control: int, lifeline: int) -> subprocess.Popen[bytes]:
        descriptors = (control, lifeline, self._requests.descriptor, self._replies.descriptor)
        warnings = [f"-W{option}" for option in sys.warnoptions]
        # A terminal's interrupt is for the parent, which then ends the worker.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-u", *warnings, "-c", _BOOT, *map(str, descriptors), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                pass_fds=descriptors,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _answer(self, doing: str, limit_s: float | None) -> bytes:
        """Wait for the next message; raise `BackendFault` if it can't come or mayn't."""
        try:
            return self._awaited(doing, limit_s)
        except BackendFault:
            raise
        except BaseException:
            # An answer that nobody waits for would be taken for that of the next call.
            self._kill()
            raise

    def _awaited(self, doing: str, limit_s: float | None) -> bytes:
        """Wait for the next message; look now and then whether the process may go on."""
        look_s = self._look_s if limit_s is None else min(self._look_s, limit_s)
        self._wait_at_most(look_s)
        silent_s = 0.0
        while True:
            message = self._received()
            if message == b"" or (message is None and self._process.poll() is not None):
                raise self._crashed(doing)
            if message is None or time.monotonic() >= self._next_look_s:
                self._look(doing)
            if message is not None:
                return message
            # While this process is stopped, so is the other: that time doesn't count.
            silent_s += look_s
            if limit_s is not None and silent_s >= limit_s:
                raise self._hung(doing, limit_s)

    def _wait_at_most(self, wait_s: float) -> None:
        """Have the system end each wait for a message, which costs a call nothing."""
        if wait_s != self._wait_s:
            self._wait_s = wait_s
            times = struct.pack("ll", int(wait_s), int(wait_s % 1 * 1e6))
            self._control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, times)

    def _received(self) -> bytes | None:
        """Take a message; ``None`` if there was none in time, nothing if there will be none."""
        try:
            return self._control.recv(LARGEST_MESSAGE_BYTES)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def _look(self, doing: str) -> None:
        """Keep what it printed small, and end it if it has taken too much memory."""
        self._next_look_s = time.monotonic() + self._look_s
        if os.fstat(self._printed).st_size > _LONGEST_OUTPUT_BYTES:
            self._tail = self._last_printed()
            os.ftruncate(self._printed, 0)
        limit = self._limits.memory_bytes
        if limit is None:
            return
        has = self._private_bytes()
        if has > limit:
            self._kill()
            raise self._broken(
                OUT_OF_MEMORY,
                f"took {has / _MIB:,.0f} MiB of memory {doing}, and at most "
                f"{limit / _MIB:,.0f} MiB may be",
            )

    def _private_bytes(self) -> int:
        """Give the memory that it shares with no file and no process; 0 once it is dead."""
        try:
            pages = Path(f"/proc/{self.process_id}/statm").read_text("ascii").split()
        except OSError:
            return 0
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")

    def _error(self, answer: bytes, doing: str) -> Exception:
        """Give the error that it told."""
        error: Exception = pickle.loads(answer[1:])  # noqa: S301
        if isinstance(error, MemoryError):
            self._kill()
            return self._broken(OUT_OF_MEMORY, f"ran out of memory {doing}: {error}")
        return error

    def _crashed(self, doing: str) -> BackendFault:
        if not self._died_within(_DYING_S):
            self._kill()
        ending = self._ending
        if self._process.returncode == -signal.SIGKILL:
            ending += ", as when memory runs out"
        return self._broken(CRASHED, f"ended by {ending} {doing}")

    def _hung(self, doing: str, limit_s: float) -> BackendFault:
        self._process.send_signal(signal.SIGABRT)  # leaves its stacks
        self._died_within(_STACKS_S)
        self._kill()
        kind = HUNG_AT_LOAD if doing == _LOADING else HUNG
        return self._broken(kind, f"hung {doing}: no answer after {limit_s:g} s")

    def _broken(self, kind: str, what: str) -> BackendFault:
        """Make the fault, with what is known of the end."""
        lines = self._last_printed().decode("utf-8", "replace").splitlines()
        kept = [line for line in lines if line.strip() and not line.startswith("Extension modul")]
        printed = "\n".join(kept[-_KEPT_LINES:])
        said = f"; the last that it printed:\n{printed}" if printed else ""
        message = f"the process that ran the model for {self._name} {what}{said}"
        return BackendFault(message, kind, self._ending, printed)

    def _last_printed(self) -> bytes:
        size = os.fstat(self._printed).st_size
        content = os.pread(self._printed, _KEPT_BYTES, max(0, size - _KEPT_BYTES))
        return (self._tail + content)[-_KEPT_BYTES:]

    @property
    def _ending(self) -> str:
        """How it ended; nothing while it lives."""
        code = self._process.returncode
        if code is None:
            return ""
        if code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"

    def _died_within(self, limit_s: float) -> bool:
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _kill(self) -> None:
        """End it at once; the system may keep one that stands still within a driver."""
        self._process.kill()
        self._died_within(_DYING_S)
