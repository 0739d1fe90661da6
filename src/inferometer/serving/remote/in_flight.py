"""In-flight serving: queries become requests to a server, many on their way at once."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query, ResponseError, Responses
from inferometer.serving.remote.transport import Arrays, Reply, Transport

__all__ = ["InFlightServing", "SplitHandler"]

Indices = NDArray[np.integer[Any]]


class SplitHandler(Protocol):
    """A handler in two halves, between which the model runs elsewhere.

    Both are called with library indices, int [n], from any thread.
    """

    def begin(self, indices: Indices) -> Arrays:
        """Give the model's inputs for samples."""
        ...

    def finish(self, indices: Indices, outputs: Arrays) -> Responses:
        """Give the responses from the model's outputs."""
        ...


class InFlightServing:
    """Sends queries to a server without waiting for the answers of earlier ones.

    A query of more samples than the largest batch goes in several requests. What exceeds
    the transport's limit of requests in flight waits, and waits in the latency. A request
    that isn't answered ends the run. The transport isn't closed with the serving.
    """

    def __init__(
        self,
        handler: SplitHandler,
        transport: Transport,
        max_batch_size: int = 32,
        name: str = "in-flight",
    ):
        self.handler, self._transport, self._most = handler, transport, max_batch_size
        self.name = name
        self._has_failed = False
        transport.start()

    def issue(self, query: Query) -> None:
        """Send a query, in as many requests as it takes."""
        size, most = len(query), self._most
        if size <= most:
            self._transport.submit(_Piece(self, query, 0, size))
            return
        for start in range(0, size, most):
            stop = min(start + most, size)
            self._transport.submit(_Piece(self, query, start, stop))

    def fail(self, query: Query, error: BaseException) -> None:
        """End the run; when a server dies, the first error is the one that says why."""
        if not self._has_failed:
            self._has_failed = True
            query.fail(error)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Forget what is on its way; nobody waits for it any more."""
        self._transport.stop()


class _Piece:
    """A request for some samples of a query."""

    __slots__ = ("_began", "_preprocess_ns", "_query", "_serving", "_start", "_stop")

    def __init__(self, serving: InFlightServing, query: Query, start: int, stop: int):
        self._serving, self._query, self._start, self._stop = serving, query, start, stop
        self._began = self._preprocess_ns = 0

    def inputs(self) -> Arrays:
        now_ns = self._query.now_ns
        self._began = now_ns()
        found = self._serving.handler.begin(self._indices())
        self._preprocess_ns = now_ns() - self._began
        return found

    def done(self, reply: Reply) -> None:
        query, start, stop = self._query, self._start, self._stop
        try:
            query.note_phases(
                self._began, self._preprocess_ns, reply.round_trip_ns, slice(start, stop)
            )
            responses = self._serving.handler.finish(self._indices(), reply.outputs)
            if _count(responses) != stop - start:
                raise ResponseError(  # noqa: TRY301
                    f"{_count(responses)} answers came for a request of {stop - start} samples"
                )
            whole = stop - start == len(query)
            query.complete(
                responses if query.wants_responses else None,
                None if whole else slice(start, stop),
            )
        except BaseException as error:
            self._serving.fail(query, error)

    def failed(self, error: BaseException) -> None:
        self._serving.fail(self._query, error)

    def _indices(self) -> Indices:
        indices: Indices = self._query.indices
        return (
            indices
            if self._stop - self._start == len(indices)
            else indices[self._start : self._stop]
        )


def _count(responses: Responses) -> int:
    is_one = isinstance(responses, bytes | bytearray | memoryview)
    return 1 if is_one else len(responses)
