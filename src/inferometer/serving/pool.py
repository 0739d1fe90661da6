"""Pool serving: worker threads answer queries in batches that form as queries come."""

from __future__ import annotations

import contextlib
import enum
import threading
import time
from dataclasses import dataclass
from queue import Empty, Queue, SimpleQueue

from inferometer.loadgen import Query
from inferometer.serving.batch import Piece, answer_batch
from inferometer.serving.handler import Handler

__all__ = ["PoolOptions", "PoolServing"]

_SLICE_S = 0.05


class _Signal(enum.Enum):
    """What a worker may find in the queue besides pieces."""

    FLUSH = "flush"
    STOP = "stop"


@dataclass(frozen=True)
class PoolOptions:
    """How a pool forms batches.

    workers:
        Threads that call the handler.
    max_batch_size:
        Most samples in one call.
    max_wait_s:
        How long a batch that isn't full waits for more; 0 takes what is there.
    split_queries:
        Share the samples of one query among the workers; a batch is then one share.
    """

    workers: int = 1
    max_batch_size: int = 32
    max_wait_s: float = 0.0
    split_queries: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1 or self.max_batch_size < 1 or self.max_wait_s < 0:
            raise ValueError(
                f"{self}: workers and max_batch_size have to be at least 1, max_wait_s at least 0"
            )


class PoolServing:
    """Answers queries on worker threads, in batches that form as queries come.

    A large query is cut into pieces that the workers take one after the other; small ones
    are put together. An error of the handler ends the run.
    """

    def __init__(self, handler: Handler, options: PoolOptions | None = None, name: str = "pool"):
        self._handler = handler
        self._options = options or PoolOptions()
        self.name = name
        # SimpleQueue is the faster one, but in CPython a timed get can wait for ever when
        # another thread takes what woke it.
        has_timed_gets = self._options.max_wait_s > 0
        self._pieces: Queue[Piece | _Signal] | SimpleQueue[Piece | _Signal] = (
            Queue() if has_timed_gets else SimpleQueue()
        )
        self._is_flushing = False
        self._workers = [
            threading.Thread(target=self._work, name=f"inferometer-worker-{n}", daemon=True)
            for n in range(self._options.workers)
        ]
        for worker in self._workers:
            worker.start()

    def issue(self, query: Query) -> None:
        """Queue a query for the workers."""
        self._is_flushing = False
        size = len(query)
        piece = self._options.max_batch_size
        if self._options.split_queries:
            piece = min(piece, -(-size // self._options.workers))
        if size <= piece:
            self._pieces.put((query, 0, size))
            return
        for start in range(0, size, piece):
            self._pieces.put((query, start, min(start + piece, size)))

    def issue_many(self, queries: list[Query]) -> None:
        """Queue several queries that are due together."""
        for query in queries:
            self.issue(query)

    def flush(self) -> None:
        """Answer what has come without waiting for fuller batches."""
        self._is_flushing = True
        for _ in self._workers:
            self._pieces.put(_Signal.FLUSH)

    def close(self) -> None:
        """End the workers, after what is queued."""
        for _ in self._workers:
            self._pieces.put(_Signal.STOP)
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        held: Piece | _Signal | None = None
        while True:
            first = held or self._pieces.get()
            held = None
            if first is _Signal.STOP:
                return
            if isinstance(first, tuple):
                batch, held = self._fill(first)
                answer_batch(self._handler, batch)

    def _fill(self, first: Piece) -> tuple[list[Piece], Piece | _Signal | None]:
        """Gather a batch; also give what was taken from the queue but isn't part of it."""
        if self._options.split_queries:
            # Putting shares together again would leave the other workers without any.
            return [first], None
        most = self._options.max_batch_size
        batch, count = [first], first[2] - first[1]
        deadline = time.monotonic() + self._options.max_wait_s if self._options.max_wait_s else 0.0
        while count < most:
            try:
                piece = self._next_piece(deadline)
            except Empty:
                break
            if not isinstance(piece, tuple) or count + piece[2] - piece[1] > most:
                return batch, piece
            batch.append(piece)
            count += piece[2] - piece[1]
        return batch, None

    def _next_piece(self, deadline: float) -> Piece | _Signal:
        """Take the next piece, waiting until the deadline; raise Empty if none comes."""
        while not self._is_flushing:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            # Another worker may take the signal to flush, so the wait is cut into slices.
            with contextlib.suppress(Empty):
                return self._pieces.get(timeout=min(left_s, _SLICE_S))
        return self._pieces.get_nowait()
