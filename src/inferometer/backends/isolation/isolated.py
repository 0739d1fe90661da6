"""Isolation: a backend's session in processes of its own, whose death is only an error here."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.isolation.worker_process import BackendFault, Limits, WorkerProcess
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, Session

__all__ = ["CALL_LIMIT_S", "LOAD_LIMIT_S", "BackendFault", "load_isolated"]

LOAD_LIMIT_S = 600.0
"""Longest that loading a model may take, s."""

CALL_LIMIT_S = 1800.0
"""Longest that a call may take, s."""


def load_isolated(
    backend_place: str,
    model: ModelFile,
    options: BackendOptions,
    *,
    processes: int = 1,
    load_timeout_s: float | None = LOAD_LIMIT_S,
    call_timeout_s: float | None = CALL_LIMIT_S,
    memory_limit_bytes: int | None = None,
) -> Session:
    """Load a model in processes of its own; a call takes an idle one, or waits for one.

    Each is a fresh interpreter, not a fork. Arrays go through memory that both sides share.

    backend_place:
        The backend's class, ``module:Class``, made without arguments in each process.
    processes:
        How many, each with the whole model: more than one helps a framework that holds the
        interpreter's lock.
    load_timeout_s, call_timeout_s:
        After which a process is ended that doesn't answer; ``None`` waits for ever.
    memory_limit_bytes:
        Memory that a process may have for itself, without what lies in files; looked at
        every 20 ms.

    Raises `BackendFault` if a process crashes, hangs or takes too much memory, and otherwise
    what the backend raises, with the same type and message if it is Inferometer's or Python's.
    So do the calls; after a fault no further call is answered.
    """
    if processes < 1:
        raise BackendError(f"processes is {processes}; it takes a whole number from 1 up")
    limits = Limits(load_timeout_s, call_timeout_s, memory_limit_bytes)
    workers: list[WorkerProcess] = []
    try:
        for _ in range(processes):
            workers.append(WorkerProcess(backend_place, model, options, limits))  # noqa: PERF401
        facts = [worker.loaded() for worker in workers]
    except BaseException:
        _end(workers, os.getpid())
        raise
    return IsolatedSession(workers, *facts[0])


class IsolatedSession:
    """A model that is loaded in one or several processes.

    They end when it is closed or collected, at the latest with this process.
    """

    def __init__(
        self,
        workers: Sequence[WorkerProcess],
        input_names: tuple[str, ...],
        output_names: tuple[str, ...],
        description: Mapping[str, Any],
    ):
        self.input_names, self.output_names = input_names, output_names
        self.description: Mapping[str, Any] = {
            **description,
            "isolation": "process",
            "processes": len(workers),
        }
        self.process_ids = tuple(worker.process_id for worker in workers)
        self._fault: BackendFault | None = None
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        for worker in workers:
            self._idle.put(worker)
        self._end = weakref.finalize(self, _end, tuple(workers), os.getpid())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch; the outputs are copies."""
        worker = self._idle.get()
        try:
            if self._fault is not None:
                raise self._fault.with_traceback(None)
            return worker.run(inputs)
        except BackendFault as fault:
            self._fault = fault
            raise
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes."""
        self._end()


def _end(workers: Sequence[WorkerProcess], owner: int) -> None:
    """End processes, all at once; a fork of the process that they belong to leaves them."""
    if os.getpid() != owner:
        return
    for worker in workers:
        worker.begin_end()
    for worker in workers:
        with contextlib.suppress(OSError):
            worker.end()
