"""Query: what a system under test is handed, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.incident import IncidentKind

if TYPE_CHECKING:
    from inferometer.loadgen.ledger import Ledger

__all__ = [
    "Positions",
    "Query",
    "Responses",
    "SampleLibrary",
    "SystemUnderTest",
    "name_of",
    "query_maker",
]

Responses = bytes | bytearray | memoryview | NDArray[Any] | Sequence[Any]
"""Answers to a query: one bytes-like object for a query of one sample; an array whose
first axis runs over the samples (each row's bytes are one answer); or a sequence with one
bytes-like object or array a sample."""

Positions = slice | NDArray[np.integer[Any]] | Sequence[int]
"""Which samples of a query: a slice or whole numbers from 0; a slice costs least."""


class Query:
    """A query: one or more samples, and the way to answer them.

    It may be answered from any thread, at once or later, whole or in parts, in any order.
    The completion time is read on entry of `complete`.
    """

    __slots__ = ("_ledger", "id")

    id: int
    """Number of the query within its series, from 0."""

    def __init__(self, ledger: Ledger, number: int):
        self._ledger = ledger
        self.id = number

    def __len__(self) -> int:
        """Give the number of samples."""
        return self._ledger.samples_per_query

    @property
    def index(self) -> int:
        """Library index of the first sample; of the only one in a query of one sample."""
        ledger = self._ledger
        return int(ledger.sample_indices[self.id * ledger.samples_per_query])

    @property
    def indices(self) -> NDArray[np.int32] | NDArray[np.int64]:
        """Library index of each sample, int [len(self)]; a view, not to be changed."""
        size = self._ledger.samples_per_query
        return self._ledger.sample_indices[self.id * size : (self.id + 1) * size]

    @property
    def sample_ids(self) -> range:
        """Ids of the samples, unique in the whole test."""
        ledger = self._ledger
        first = ledger.first_sample_id + self.id * ledger.samples_per_query
        return range(first, first + ledger.samples_per_query)

    @property
    def wants_responses(self) -> bool:
        """Whether responses will be kept; otherwise only the completion counts."""
        return self._ledger.keeps_responses

    def now_ns(self) -> int:
        """Read the clock of the test, ns; only differences mean anything."""
        return self._ledger.now_ns()

    def note_phases(
        self, began: int, preprocess_ns: int, infer_ns: int, positions: slice | None = None
    ) -> None:
        """Say what the batch took that answers the query, or its samples at ``positions``.

        ``began`` is the reading of `now_ns` when work on the batch began; then how long its
        inputs took to fetch and lay out, and how long the model ran. Once for each sample,
        before its completion.
        """
        ledger = self._ledger
        size = ledger.samples_per_query
        first = self.id * size
        if size == 1:
            ledger.phases.note_one(first, began, preprocess_ns, infer_ns)
            return
        start, stop = (0, size) if positions is None else (positions.start, positions.stop)
        samples = slice(first + start, first + stop)
        ledger.phases.note(samples, began, preprocess_ns, infer_ns)

    def complete(
        self,
        responses: Responses | None = None,
        positions: Positions | None = None,
        token_counts: int | NDArray[np.integer[Any]] | Sequence[int] | None = None,
    ) -> None:
        """Answer the query, or only the samples at ``positions`` (0 … len-1).

        ``token_counts`` says how many tokens each answer has, one number for all of them
        or one for each. Raises `ResponseError` if the number of responses or positions
        doesn't fit; the run then ends as failed, so that nothing waits for the rest.
        """
        ledger = self._ledger
        stamp = ledger.now_ns()
        key = self.id
        plain = ledger.plain_outstanding
        if positions is None and key in plain:
            # The fast way of a query of one sample whose response nobody keeps. The time
            # is stored before the query stops being outstanding.
            ledger.completed_ns[key] = stamp
            if plain.pop(key, None) is None:
                ledger.note_completed_twice(key)
            elif ledger.wake_at >= 0 and len(plain) <= ledger.wake_at:
                ledger.waker.set()
            if stamp >= ledger.next_due_ns:
                ledger.give_way()
            return
        ledger.complete(key, stamp, responses, positions, token_counts)

    def first_token(
        self,
        responses: Responses | None = None,
        positions: Positions | None = None,
    ) -> None:
        """Say that the first token of each answer is out; ``responses`` hold its bytes."""
        ledger = self._ledger
        ledger.first_token(self.id, ledger.now_ns(), responses, positions)

    def note_replica_lost(self, replica: int, samples: int, what: str) -> None:
        """Say that a replica of the system died, and how many samples are issued again for it."""
        self._ledger.note(IncidentKind.REPLICA_LOST, replica=replica, samples=samples, what=what)

    def fail(self, error: BaseException) -> None:
        """Say that the query cannot be answered; the run ends as failed."""
        self._ledger.fail(error)

    def __repr__(self) -> str:
        return f"Query(id={self.id}, samples={len(self)})"


class _IssuedQuery(Query):
    """A query that a test issues; it is filled in after it is made, which costs less."""

    __slots__ = ()
    __init__ = object.__init__


_IssuedQuery.__name__ = _IssuedQuery.__qualname__ = Query.__name__


class SystemUnderTest(Protocol):
    """What a load generator drives.

    A system may also have a ``name``; ``issue_many(queries: list[Query])``, called with
    all queries that are due when ``server_coalesce_queries`` is set;
    ``report_latencies(latencies_ns)``, called with the sample latencies of the performance
    series, int64 [samples]; and ``query_maker(ledger)``, which gives a function from a
    query's number to what `issue` is called with in place of a `Query`.
    """

    def issue(self, query: Query) -> None:
        """Take a query; answer it now or later, from any thread."""
        ...

    def flush(self) -> None:
        """Answer what is still held back: no more queries come in this series."""
        ...


def name_of(sut: SystemUnderTest) -> str:
    """Give the name of a system for reports and logs; its class's if it has none."""
    return str(getattr(sut, "name", type(sut).__name__))


def query_maker(sut: SystemUnderTest, ledger: Ledger) -> Callable[[int], Any]:
    """Give the function that makes what a system is issued, from a query's number."""
    own = getattr(sut, "query_maker", None)
    if own is not None:
        return cast(Callable[[int], Any], own(ledger))

    def make(number: int) -> Query:
        query: Query = _IssuedQuery()
        query._ledger = ledger
        query.id = number
        return query

    return make


class SampleLibrary(Protocol):
    """The samples that queries refer to by index (the field's QSL)."""

    @property
    def name(self) -> str:
        """Name for reports and logs."""
        ...

    @property
    def total_sample_count(self) -> int:
        """Number of samples of the whole data set; accuracy mode issues each of them."""
        ...

    @property
    def performance_sample_count(self) -> int:
        """Number of samples that are sure to fit in memory together."""
        ...

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory, untimed; int64 [n]."""
        ...

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the same samples go, untimed; int64 [n]."""
        ...
