"""Process replicas: copies of a model in processes of this machine, for what holds the lock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.serving.process_options import ProcessOptions
from inferometer.serving.process_replica import ReplicaProcess, Request
from inferometer.serving.replicas import (
    Back,
    Gone,
    Lost,
    Recipe,
    ReplicaError,
    Samples,
    Sink,
    nobody,
)
from inferometer.serving.shared_arrays import SharedArrays

__all__ = ["ProcessReplicas"]


class ProcessReplicas:
    """Processes with a replica each; a dead one is started anew, a few times.

    Samples lie once in memory that all of them map; requests and answers go through a socket
    each. Raises `ReplicaError` if not every process is ready within the limit, and what making
    the replica raised there.
    """

    def __init__(self, recipe: Recipe, count: int, options: ProcessOptions | None = None):
        self._options = options or ProcessOptions()
        self.count = count
        self._lock = threading.Lock()
        self._sink: Sink = nobody
        self._memory: SharedArrays | None = None
        self._request: Request | None = None
        self._gone: dict[int, str] = {}
        self._is_closed = False
        self._lines: list[ReplicaProcess] = []
        self._threads: list[threading.Thread] = []
        try:
            self._lines.extend(ReplicaProcess(n, recipe) for n in range(count))
            for line in self._lines:
                line.await_ready(self._options.limit_s)
        except BaseException:
            self.close()
            raise
        self.description: Mapping[str, Any] = {
            "replicas": count,
            "restarts": self._options.restarts,
        }
        self._threads = [
            threading.Thread(
                target=self._follow, args=(line,), name=f"inferometer-replica-{n}", daemon=True
            )
            for n, line in enumerate(self._lines)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The numbers of the processes as they are now."""
        return tuple(line.process_id for line in self._lines)

    def listen(self, sink: Sink) -> tuple[int, ...]:
        """Tell this sink from now on what happens; give the replicas that are ready."""
        with self._lock:
            self._sink = sink
            present = tuple(line.number for line in self._lines if line.is_present)
            gone = list(self._gone.items())
        for replica, what in gone:
            sink(Gone(replica, what))
        return present

    def take(self, samples: Samples) -> None:
        """Lay samples into memory that all processes map, and wait until each has."""
        before, request = self._memory, self._laid(samples)
        with self._lock:
            self._request = request
            asked = [line for line in self._lines if line.is_present]
            for line in asked:
                line.begin_take(request)
        deadline = time.monotonic() + self._options.limit_s
        for line in asked:
            if not line.has_taken.wait(max(0.0, deadline - time.monotonic())):
                raise ReplicaError(
                    f"process {line.process_id} has not taken {len(samples.indices)} samples "
                    f"within {self._options.limit_s:g} s; raise limit_s"
                )
            if line.trouble is not None:
                raise line.trouble
        if before is not None:
            before.close()

    def send(self, replica: int, ticket: int, indices: NDArray[np.integer[Any]]) -> None:
        """Have a process answer samples."""
        # A dead one is told by the thread that follows it.
        self._lines[replica].send((ticket, np.ascontiguousarray(indices)))

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._is_closed = True
            self._sink = nobody
        for line in self._lines:
            line.kill()
        for thread in self._threads:
            thread.join()
        for line in self._lines:
            line.release()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _laid(self, samples: Samples) -> Request:
        """Lay samples into new memory; processes that come back later find them there too."""
        if samples.inputs is None:
            self._memory = None
            return samples, b"", ""
        self._memory = SharedArrays.made("samples")
        layout = self._memory.put(samples.inputs)
        place = f"/proc/{os.getpid()}/fd/{self._memory.descriptor}"
        return Samples(samples.indices), layout, place

    def _follow(self, line: ReplicaProcess) -> None:
        """Pass on what a process answers; start it anew when it dies, as often as may be."""
        for restarts in range(self._options.restarts + 1):
            self._pass_on(line)
            with self._lock:
                if self._is_closed:
                    return
                line.is_present = False
                sink = self._sink
            what = line.reap()
            line.has_taken.set()
            sink(Lost(line.number, what))
            if restarts == self._options.restarts or not self._restarted(line):
                self._tell_gone(line, what)
                return

    def _pass_on(self, line: ReplicaProcess) -> None:
        while True:
            try:
                message = line.receive()
            except EOFError:
                return
            if message is None or isinstance(message, BaseException):
                line.trouble = message
                line.has_taken.set()
                continue
            self._sink(message)

    def _restarted(self, line: ReplicaProcess) -> bool:
        """Start a process anew, with the samples; tell whether that went well."""
        with self._lock:
            if self._is_closed:
                return False
            line.start()
        try:
            line.await_ready(self._options.limit_s)
            while True:
                request = self._request
                if request is not None:
                    line.take(request, self._options.limit_s)
                with self._lock:
                    if request is not self._request:
                        continue
                    line.is_present = True
                    sink = self._sink
                    break
        except Exception:
            line.kill()
            return False
        sink(Back(line.number))
        return True

    def _tell_gone(self, line: ReplicaProcess, what: str) -> None:
        with self._lock:
            self._gone[line.number] = what
            sink = self._sink
        sink(Gone(line.number, what))
