"""Dynamic batching: requests of many clients, put together for the model by a pool.

The pool that serves a load generator's queries does it; here a request takes the place of a
query, and its rows the place of samples.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query
from inferometer.open_inference import ServerTiming
from inferometer.serving import PoolOptions, PoolServing

__all__ = ["Answer", "Batcher", "Rows"]

Arrays = Mapping[str, NDArray[Any]]
Answer = tuple[list[NDArray[Any]], ServerTiming]
"""Outputs in the model's order, and what the request's time was spent on."""

_ROW_BITS = 24
_ROW_MASK = (1 << _ROW_BITS) - 1
MOST_ROWS = 1 << _ROW_BITS
"""More rows can't be told apart in one request."""

Part = list[NDArray[Any]] | Exception
Model = Callable[[Arrays], list[NDArray[Any]]]


class Rows(Sequence[Part]):
    """Outputs of a batch, cut where its requests meet; a slice gives one request's part.

    In place of outputs there may be the error that the call ended with.
    """

    def __init__(self, parts: Mapping[int, Part], count: int):
        self._parts, self._count = parts, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return self._parts.get(place.start, [])


class _Request:
    """One request, in the place of a query."""

    def __init__(self, key: int, inputs: Arrays, rows: int, tell: Callable[[Any], None]):
        self.inputs, self._rows, self._tell = inputs, rows, tell
        self.indices = (key << _ROW_BITS) + np.arange(rows)
        self.wants_responses = True
        self._arrived_ns = self._began_ns = time.monotonic_ns()
        self._infer_ns = 0
        self._parts: dict[int, list[NDArray[Any]]] = {}
        self._left = rows
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._rows

    @property
    def index(self) -> int:
        return int(self.indices[0])

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def note_phases(self, began: int, preprocess_ns: int, infer_ns: int, _: Any = None) -> None:
        with self._lock:
            self._began_ns = began
            self._infer_ns += preprocess_ns + infer_ns

    def complete(self, responses: Part, positions: slice | None = None) -> None:
        if isinstance(responses, Exception):
            self._tell(responses)
            return
        with self._lock:
            start, stop = (0, self._rows) if positions is None else (positions.start, positions.stop)
            self._parts[start] = responses
            self._left -= stop - start
            if self._left:
                return
        parts = [self._parts[start] for start in sorted(self._parts)]
        outputs = parts[0]
        if len(parts) > 1:
            outputs = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
        infer_ns = self._infer_ns
        queue_ns = max(0, time.monotonic_ns() - self._arrived_ns - infer_ns)
        self._tell((outputs, ServerTiming(queue_ns, infer_ns)))

    def fail(self, error: BaseException) -> None:
        self._tell(error)


class Batcher:
    """Answers requests in batches.

    Only requests whose arrays fit together go to the model in one call: same inputs, types
    and shapes but for the first axis.
    """

    def __init__(
        self, model: Model, options: PoolOptions, note_batch: Callable[[int, int], None]
    ):
        self._model, self._note_batch = model, note_batch
        self._requests: dict[int, _Request] = {}
        self._next_key = 0
        self._lock = threading.Lock()
        self._pool = PoolServing(_Handler(self._answer), options, "hosted")

    def submit(self, inputs: Arrays, rows: int, tell: Callable[[Any], None]) -> None:
        """Queue a request; ``tell`` gets an `Answer` or the error, on another thread, once."""
        with self._lock:
            key = self._next_key
            self._next_key += 1

        def settled(found: Any) -> None:
            # Of a request in several batches, the first error is its answer.
            if self._requests.pop(key, None) is not None:
                tell(found)

        request = _Request(key, inputs, rows, settled)
        self._requests[key] = request
        # The pool asks of a query only what a request has as well.
        self._pool.issue(cast(Query, request))

    def close(self) -> None:
        """Answer what is queued, then end the workers."""
        self._pool.flush()
        self._pool.close()

    def _answer(self, indices: NDArray[np.integer[Any]]) -> tuple[Rows, int]:
        keys = indices >> _ROW_BITS
        starts = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(indices)]
        groups: dict[Any, list[tuple[int, Arrays]]] = {}
        for start, stop in zip(starts, starts[1:], strict=False):
            request = self._requests.get(int(keys[start]))
            if request is None:
                continue
            first = int(indices[start]) & _ROW_MASK
            inputs = request.inputs
            if stop - start < len(request):
                inputs = {name: a[first : first + stop - start] for name, a in inputs.items()}
            key = tuple((name, a.dtype, a.shape[1:]) for name, a in inputs.items())
            groups.setdefault(key, []).append((start, inputs))
        parts: dict[int, Part] = {}
        infer_ns = 0
        for group in groups.values():
            try:
                infer_ns += self._run(group, parts)
            except Exception as error:
                # The others in the batch have nothing to do with it.
                parts.update((start, error) for start, _ in group)
        return Rows(parts, len(indices)), infer_ns

    def _run(self, group: list[tuple[int, Arrays]], parts: dict[int, Part]) -> int:
        """Have one call of the model answer these; give its time, ns."""
        names = tuple(group[0][1])
        sizes = [len(inputs[names[0]]) for _, inputs in group]
        batch = (
            group[0][1]
            if len(group) == 1
            else {name: np.concatenate([inputs[name] for _, inputs in group]) for name in names}
        )
        begun_ns = time.monotonic_ns()
        outputs = self._model(batch)
        took_ns = time.monotonic_ns() - begun_ns
        self._note_batch(sum(sizes), took_ns)
        place = 0
        for (start, _), size in zip(group, sizes, strict=True):
            parts[start] = [output[place : place + size] for output in outputs]
            place += size
        return took_ns


class _Handler:
    """What the pool calls; it tells the time in the model."""

    def __init__(self, answer: Callable[[NDArray[np.integer[Any]]], tuple[Rows, int]]):
        self._answer = answer

    def __call__(self, indices: NDArray[np.integer[Any]]) -> Rows:
        return self._answer(indices)[0]

    def timed(self, indices: NDArray[np.integer[Any]]) -> tuple[Rows, int, int]:
        rows, infer_ns = self._answer(indices)
        return rows, 0, infer_ns
