"""Pool serving: worker threads answer queries in batches that form as queries come."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query, ResponseError
from inferometer.serving.handler import Handler

__all__ = ["PoolOptions", "PoolServing"]

Piece = tuple[Query, int, int]
"""A query with the first and one past the last position of the samples to answer."""


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
        self._pieces: SimpleQueue[Piece | None] = SimpleQueue()
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

    def close(self) -> None:
        """End the workers, after what is queued."""
        for _ in self._workers:
            self._pieces.put(None)
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        leftover: Piece | None = None
        while True:
            first = leftover or self._pieces.get()
            if first is None:
                return
            batch, leftover, is_last = self._fill(first)
            self._answer(batch)
            if is_last:
                return

    def _fill(self, first: Piece) -> tuple[list[Piece], Piece | None, bool]:
        """Gather a batch; also give the piece that didn't fit, and whether to end."""
        if self._options.split_queries:
            # Putting shares together again would leave the other workers without any.
            return [first], None, False
        most = self._options.max_batch_size
        batch, count = [first], first[2] - first[1]
        deadline = time.monotonic() + self._options.max_wait_s if self._options.max_wait_s else 0.0
        while count < most:
            try:
                piece = self._next_piece(deadline)
            except Empty:
                break
            if piece is None:
                return batch, None, True
            size = piece[2] - piece[1]
            if count + size > most:
                return batch, piece, False
            batch.append(piece)
            count += size
        return batch, None, False

    def _next_piece(self, deadline: float) -> Piece | None:
        """Take the next piece, waiting until the deadline; raise Empty if none comes."""
        if not deadline or self._is_flushing:
            return self._pieces.get_nowait()
        return self._pieces.get(timeout=max(0.0, deadline - time.monotonic()))

    def _answer(self, batch: list[Piece]) -> None:
        try:
            responses = self._handler(_indices_of(batch))
            _complete(batch, responses)
        except BaseException as error:
            # Whatever went wrong, nothing may wait for these queries any more.
            for query, _, _ in batch:
                query.fail(error)


def _indices_of(batch: Sequence[Piece]) -> NDArray[np.integer[Any]]:
    if len(batch) == 1:
        query, start, stop = batch[0]
        return query.indices[start:stop]
    return np.concatenate([query.indices[start:stop] for query, start, stop in batch])


def _complete(batch: Sequence[Piece], responses: Any) -> None:
    """Hand each piece its part of the responses."""
    wanted = sum(stop - start for _, start, stop in batch)
    if len(responses) != wanted:
        raise ResponseError(f"the handler gave {len(responses)} answers for {wanted} samples")
    place = 0
    for query, start, stop in batch:
        part = responses[place : place + stop - start]
        place += stop - start
        if stop - start == len(query):
            query.complete(part)
        else:
            query.complete(part, positions=slice(start, stop))
