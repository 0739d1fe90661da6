"""Supervised child: the process that loads the model and measures, as its parent asked."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import io
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

from inferometer.loadgen import InferometerError, SeriesProgress, keep_core
from inferometer.loadgen.process_state import end_with_parent, stay_without_parent
from inferometer.runs.request import RunRequest
from inferometer.runs.result import Session, TestResult
from inferometer.runs.runner import Runner

__all__ = ["LOADING", "SIGNALS", "STARTING", "WARMING_UP", "Telling", "main"]

STARTING = "while starting"
LOADING = "while loading the model"
WARMING_UP = "while warming up"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Telling:
    """Tells the parent how the run goes; once it is gone, ends the run in order.

    Each message is the name of what happened, and its values.
    """

    def __init__(self, connection: Connection[Any, Any]):
        self._connection = connection
        self._lock = threading.Lock()
        self._is_alone = False

    def _tell(self, name: str, *values: Any) -> None:
        if self._is_alone:
            return
        try:
            with self._lock:
                self._connection.send((name, values))
        except OSError:
            self._is_alone = True
            signal.raise_signal(signal.SIGTERM)

    def phase(self, words: str) -> None:
        """Tell what is done from now on."""
        self._tell("phase", words)

    def note(self, text: str) -> None:
        """Tell a remark for the user."""
        self._tell("note", text)

    def begin(self, name: str, expected_s: float) -> None:
        """Tell that a test begins."""
        # Up to here there is nothing to keep; from now on a recording has to be saved.
        stay_without_parent()
        self._tell("begin", name, expected_s)

    def progress(self, progress: SeriesProgress) -> None:
        """Tell how far the test has come."""
        self._tell("progress", progress)

    def end(self, result: TestResult) -> None:
        """Tell what a test came to."""
        self._tell("end", result)

    def finished(self, session: Session) -> None:
        """Tell that everything is done; the tests have been told already."""
        self._tell("finished", dataclasses.replace(session, tests=()))

    def interrupted(self) -> None:
        """Tell that a signal ended the run outside a test."""
        self._tell("interrupted")

    def failed(self, error: Exception) -> None:
        """Tell the error that ended the run."""
        self._tell("failed", _portable(error))


def main(connection: int, signals: int, stacks: int, parent: int) -> None:
    """Run the request that comes through a connection, and tell how it goes.

    connection, signals, stacks:
        File descriptors: of the connection to the parent, of a pipe that gets the number of
        each signal that arrives, and of a file for the stacks if the process dies.
    """
    faulthandler.enable(stacks)
    signal.set_wakeup_fd(signals, warn_on_full_buffer=False)
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    channel: Connection[Any, Any] = Connection(connection)
    telling = Telling(channel)
    try:
        # The parent starts it with these blocked, so that none comes before it is ready.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        request, core = channel.recv()
        _run(request, core, telling)
    except KeyboardInterrupt:
        telling.interrupted()
    except Exception as error:
        telling.failed(error)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _run(request: RunRequest, core: int | None, telling: Telling) -> None:
    """Carry a request out; ``core`` is the one that the parent keeps for the generator."""
    with contextlib.nullcontext() if core is None else keep_core(core):
        telling.phase(LOADING)
        runner = Runner(request, telling)
        telling.phase(WARMING_UP)
        telling.finished(runner.run())


def _portable(error: Exception) -> Exception:
    """Give an error that reaches another process, with where it was raised if it isn't ours."""
    if not isinstance(error, InferometerError | OSError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:
        kind = InferometerError if isinstance(error, InferometerError) else RuntimeError
        plain = kind(str(error))
        for note in getattr(error, "__notes__", ()):
            plain.add_note(note)
        return plain
    return error
