"""Queue-runner serving: the way of the published v0.5 Python reference, to compare with."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Queue

from inferometer.loadgen import Query
from inferometer.serving.batch import Piece, answer_batch
from inferometer.serving.handler import Handler

__all__ = ["QueueRunnerOptions", "QueueRunnerServing"]

_PLACES_PER_THREAD = 4


@dataclass(frozen=True)
class QueueRunnerOptions:
    """How the runner is set up.

    threads:
        Threads that answer what is queued; the reference starts one for each core.
    max_batch_size:
        Most samples in one call.
    """

    threads: int = 1
    max_batch_size: int = 32

    def __post_init__(self) -> None:
        if self.threads < 1 or self.max_batch_size < 1:
            raise ValueError(f"{self}: threads and max_batch_size have to be at least 1")


class QueueRunnerServing:
    """Answers each query by itself, on threads that a bounded queue feeds.

    A query of fewer samples than the largest batch goes whole, another is cut into largest
    batches; samples of different queries never share a call. The queue holds four pieces a
    thread, and issuing waits while it is full. Inputs are fetched for a whole batch in the
    thread that answers it.

    Source: the Python reference of round v0.5, whose SingleStream answers inline. There, a
    batch that raises an error is answered with nothing; here the error ends the run.
    """

    def __init__(
        self,
        handler: Handler,
        options: QueueRunnerOptions | None = None,
        name: str = "queue-runner",
    ):
        self._handler = handler
        self._options = options or QueueRunnerOptions()
        self.name = name
        self._pieces: Queue[Piece | None] = Queue(_PLACES_PER_THREAD * self._options.threads)
        self._threads = [
            threading.Thread(target=self._work, name=f"inferometer-runner-{n}", daemon=True)
            for n in range(self._options.threads)
        ]
        for thread in self._threads:
            thread.start()

    def issue(self, query: Query) -> None:
        """Queue a query, whole or in pieces; wait while the queue is full."""
        size, most = len(query), self._options.max_batch_size
        for start in range(0, size, most):
            self._pieces.put((query, start, min(start + most, size)))

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """End the threads, after what is queued."""
        for _ in self._threads:
            self._pieces.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            answer_batch(self._handler, [piece])
