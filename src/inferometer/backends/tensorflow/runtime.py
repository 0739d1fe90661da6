"""TensorFlow itself: imported quietly, with threads that belong to each session."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inferometer.backends.installed import missing

__all__ = ["EXTRA", "has_own_threads", "imported_tensorflow"]

EXTRA = "tensorflow"
"""The extra that installs TensorFlow."""

_IMPORT_ENVIRONMENT = {
    # Without this, all sessions of a process share the threads of whichever came first.
    "TF_OVERRIDE_GLOBAL_THREADPOOL": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_IMPORT_NOTES = (
    "oneDNN custom operations are on",
    "before absl::InitializeLog()",
    "optimized to use available CPU instructions",
    "To enable the following instructions",
)
_TASKS = Path("/proc/self/task")
_PROBE_THREADS = 5
_IMPORTING = threading.Lock()


def imported_tensorflow() -> Any:
    """Import TensorFlow, which takes several seconds, and let it say only what matters.

    Raises `MissingBackendError` with the command that installs it.
    """
    with _IMPORTING:
        return _imported()


@functools.cache
def _imported() -> Any:
    with _environment(_IMPORT_ENVIRONMENT), _without_notes():
        try:
            import tensorflow  # noqa: PLC0415
        except ImportError as error:
            raise missing("TensorFlow", EXTRA) from error
        # TensorFlow reads the setting when it makes its first device, and then never again.
        has_own_threads(tensorflow)
    return tensorflow


@functools.cache
def has_own_threads(tensorflow: Any) -> bool:
    """Tell whether sessions have threads of their own, by making one and counting.

    They haven't if TensorFlow had made a device in this process before.
    """
    config = tensorflow.compat.v1.ConfigProto(
        device_count={"GPU": 0}, intra_op_parallelism_threads=_PROBE_THREADS
    )
    # The first session also starts threads that all share, so that the second one counts.
    with tensorflow.compat.v1.Session(graph=tensorflow.Graph(), config=config):
        before = _thread_count()
        with tensorflow.compat.v1.Session(graph=tensorflow.Graph(), config=config):
            return _thread_count() - before >= _PROBE_THREADS


def _thread_count() -> int:
    return len(list(_TASKS.iterdir()))


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables that aren't set, for a while."""
    added = {name: text for name, text in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _without_notes() -> Iterator[None]:
    """Leave out what TensorFlow's libraries always write to stderr as they are loaded.

    They do so before any setting for messages counts. Everything else is written afterwards.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
                caught.seek(0)
                for line in caught:
                    if not any(note.encode() in line for note in _IMPORT_NOTES):
                        os.write(2, line)
    finally:
        os.close(kept)
