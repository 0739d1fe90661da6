"""Dynamic batching: requests of many clients, put together for the model by a pool.

The pool that serves a load generator's queries does it; here a request takes the place of a
query, and its rows the place of samples.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendError
from inferometer.loadgen import Query
from inferometer.open_inference import ServerTiming
from inferometer.serving import PoolOptions, PoolServing

__all__ = ["Answer", "Batcher", "Tell"]

Arrays = Mapping[str, NDArray[Any]]
Outputs = list[NDArray[Any]]
Answer = tuple[Outputs, ServerTiming]
"""Outputs in the model's order, and what the request's time was spent on."""

Tell = Callable[[Answer | BaseException], None]
_Found = Outputs | Exception


class _Batch(Sequence[_Found]):
    """What a batch came to, by the place where each request's rows begin in it."""

    def __init__(self, by_start: Mapping[int, _Found], count: int):
        self._by_start, self._count = by_start, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return self._by_start[place.start]


class _Request:
    """One request, in the place of a query of so many samples.

    One of ``rows`` 0 is answered in a call of its own, and counts as one sample.
    """

    def __init__(self, key: int, inputs: Arrays, rows: int, tell: Tell):
        self.inputs, self.is_alone, self._tell = inputs, not rows, tell
        self.indices = np.full(rows or 1, key)
        self.index = key
        self.wants_responses = True
        self._arrived_ns = self._began_ns = time.monotonic_ns()
        self._infer_ns = 0

    def __len__(self) -> int:
        return len(self.indices)

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def note_phases(self, began: int, _: int, infer_ns: int, __: Any) -> None:
        self._began_ns, self._infer_ns = began, infer_ns

    def complete(self, found: _Found, _: None) -> None:
        if isinstance(found, Exception):
            self._tell(found)
        else:
            queue_ns = self._began_ns - self._arrived_ns
            self._tell((found, ServerTiming(queue_ns, self._infer_ns)))

    def fail(self, error: BaseException) -> None:
        self._tell(error)


class Batcher:
    """Answers requests in batches.

    Only requests whose arrays fit together go to the model in one call: same inputs, types
    and shapes but for the first axis. An error is told to those in its call alone.
    """

    def __init__(
        self,
        model: Callable[[Arrays], Outputs],
        options: PoolOptions,
        note_batch: Callable[[int, int], None],
    ):
        self._model, self._note_batch = model, note_batch
        self._most = options.max_batch_size
        self._requests: dict[int, _Request] = {}
        self._next_key = 0
        self._lock = threading.Lock()
        self._pool = PoolServing(_Handler(self._answer), options, "hosted")

    def submit(self, inputs: Arrays, rows: int, tell: Tell) -> None:
        """Queue a request; ``tell`` is called on another thread, once.

        rows:
            How many samples it holds, along the first axis of all inputs; 0 if it can't be put
            together with others. One larger than the largest batch isn't either.
        """
        with self._lock:
            key = self._next_key
            self._next_key += 1

        def settled(found: Answer | BaseException) -> None:
            del self._requests[key]
            tell(found)

        request = _Request(key, inputs, rows if rows <= self._most else 0, settled)
        self._requests[key] = request
        # The pool asks of a query only what a request has as well.
        self._pool.issue(cast(Query, request))

    def close(self) -> None:
        """Answer what is queued, then end the workers."""
        self._pool.flush()
        self._pool.close()

    def _answer(self, indices: NDArray[np.integer[Any]]) -> tuple[_Batch, int]:
        """Answer the requests of these keys; give also the time in the model, ns."""
        starts = [0, *(np.flatnonzero(np.diff(indices)) + 1).tolist()]
        groups: dict[Any, list[tuple[int, _Request]]] = {}
        for start in starts:
            request = self._requests[int(indices[start])]
            key = request.index if request.is_alone else _fitting(request.inputs)
            groups.setdefault(key, []).append((start, request))
        found: dict[int, _Found] = {}
        infer_ns = 0
        for group in groups.values():
            begun_ns = time.monotonic_ns()
            try:
                outputs = self._run([request for _, request in group])
            except Exception as error:
                outputs = [error] * len(group)
            infer_ns += time.monotonic_ns() - begun_ns
            found.update((start, one) for (start, _), one in zip(group, outputs, strict=True))
        return _Batch(found, len(indices)), infer_ns

    def _run(self, requests: list[_Request]) -> list[_Found]:
        """Have one call of the model answer these."""
        batch = requests[0].inputs
        if len(requests) > 1:
            batch = {
                name: np.concatenate([request.inputs[name] for request in requests])
                for name in batch
            }
        begun_ns = time.monotonic_ns()
        outputs = self._model(batch)
        sizes = [len(request) for request in requests]
        self._note_batch(sum(sizes), time.monotonic_ns() - begun_ns)
        if len(requests) == 1:
            return [outputs]
        for output in outputs:
            if len(output) != sum(sizes):
                raise BackendError(
                    f"the model gave an output of shape {output.shape} for {sum(sizes)} samples, "
                    "so requests can't be put together for it: serve it with --max-batch 1"
                )
        places = itertools.pairwise(itertools.accumulate(sizes, initial=0))
        return [[output[start:stop] for output in outputs] for start, stop in places]


def _fitting(inputs: Arrays) -> Any:
    """Give what has to be equal for requests to be put together."""
    return tuple([(name, array.dtype, array.shape[1:]) for name, array in inputs.items()])


class _Handler:
    """What the pool calls; it tells the time in the model."""

    def __init__(self, answer: Callable[[NDArray[np.integer[Any]]], tuple[_Batch, int]]):
        self._answer = answer

    def __call__(self, indices: NDArray[np.integer[Any]]) -> _Batch:
        return self._answer(indices)[0]

    def timed(self, indices: NDArray[np.integer[Any]]) -> tuple[_Batch, int, int]:
        found, infer_ns = self._answer(indices)
        return found, 0, infer_ns
