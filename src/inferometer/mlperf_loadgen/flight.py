"""Flight: the running series as the published calls see it, by opaque sample ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import string_at
from operator import attrgetter
from typing import Any

import numpy as np

from inferometer.loadgen import IncidentKind, ResponseError
from inferometer.loadgen.ledger import Ledger
from inferometer.mlperf_loadgen.samples import IssuedSample, QuerySample, QuerySampleResponse

__all__ = ["Flight", "fast_query_maker", "query_maker"]

_ID = attrgetter("id")
_TOKENS = attrgetter("n_tokens")
# From so many samples on, NumPy reads ids faster than a Python loop does.
_MANY = 32

Responses = Sequence[QuerySampleResponse]
ResponseCallback = Callable[[QuerySampleResponse], None]


class Flight:
    """Translates sample ids into places in the arrays of the running series.

    ``base`` is the id of the first sample of the series, ``size`` how many a query has.
    ``is_fast`` says that only times are kept, for which there are faster ways through
    `QuerySamplesComplete`; ``plain`` and ``completed_ns`` are the ledger's own, for them.
    """

    __slots__ = ("base", "completed_ns", "is_fast", "ledger", "plain", "size")

    def __init__(self, ledger: Ledger, base: int):
        self.ledger = ledger
        self.base = base
        self.plain = ledger.plain_outstanding
        self.completed_ns = ledger.completed_ns
        self.size = ledger.samples_per_query
        self.is_fast = ledger.counts_only

    def complete_in_order(self, responses: Responses, stamp: int) -> bool:
        """Complete a whole query if these are all its samples in order; tell whether."""
        size, base = self.size, self.base
        if size >= _MANY:
            return False
        try:
            ids = [*map(_ID, responses)]
        except AttributeError:
            return False
        first = ids[0]
        if ids != [*range(first, first + size)]:
            return False
        query, position = divmod(first - base, size)
        return not position and self.ledger.complete_query(query, stamp)

    def complete(
        self, responses: Responses, stamp: int, response_cb: ResponseCallback | None
    ) -> None:
        """Record completions; read only the answers that are logged."""
        places = self._places(responses)
        if self._has_old(places):
            places, responses = self._without_old(places, responses)
        if not len(places):
            return
        if self.is_fast and self._complete_whole(places, stamp):
            return

        def answer(row: int) -> bytes:
            response = responses[row]
            if response_cb is not None:
                response_cb(response)
            return _bytes_of(response)

        tokens = list(map(_TOKENS, responses)) if self.ledger.uses_tokens else None
        self.ledger.complete_samples(places, stamp, answer, tokens)

    def first_token(self, responses: Responses, stamp: int) -> None:
        """Record first tokens, and their bytes where the answer will be logged."""
        places = self._places(responses)
        if self._has_old(places):
            places, responses = self._without_old(places, responses)
        if len(places):
            self.ledger.first_tokens(places, stamp, lambda row: _bytes_of(responses[row]))

    def _places(self, responses: Responses) -> Any:
        """Give where the samples stand in the series: a list, or int64 [n] for many."""
        base = self.base
        try:
            if len(responses) < _MANY:
                return [response.id - base for response in responses]
            return np.fromiter(map(_ID, responses), np.int64, len(responses)) - base
        except AttributeError:
            kinds = {type(response).__name__ for response in responses}
            raise TypeError(
                f"a sequence of QuerySampleResponse is wanted, not of {', '.join(sorted(kinds))}"
            ) from None
        except OverflowError:
            error = ResponseError("an id is too large: no sample with it was ever issued")
            self.ledger.end_by(error)
            raise error from None

    def _complete_whole(self, places: Any, stamp: int) -> bool:
        """Complete a large query if these are all its samples in order; tell whether.

        `complete_in_order` has seen to the small ones.
        """
        query, position = divmod(int(places[0]), self.size)
        if isinstance(places, list) or len(places) != self.size or position:
            return False
        return bool((np.diff(places) == 1).all()) and self.ledger.complete_query(query, stamp)

    def _has_old(self, places: Any) -> bool:
        return bool((min(places) if isinstance(places, list) else places.min()) < 0)

    def _without_old(self, places: Any, responses: Responses) -> tuple[Any, Responses]:
        """Leave out samples of series that have ended, and put them on record."""
        kept = [row for row, place in enumerate(places) if place >= 0]
        for place in places:
            if place < 0:
                self.ledger.note(
                    IncidentKind.OLD_SAMPLE, least=self.base, actual=int(self.base + place)
                )
        return [int(places[row]) for row in kept], [responses[row] for row in kept]


def _bytes_of(response: QuerySampleResponse) -> bytes:
    """Read the answer from its address; one without bytes may have any address."""
    return string_at(int(response.data), int(response.size)) if response.size else b""


def query_maker(ledger: Ledger, base: int) -> Callable[[int], list[QuerySample]]:
    """Give the function that makes the list of samples of a query."""
    size = ledger.samples_per_query
    if size > 1:
        indices_of = _index_lists(ledger)

        def make_many(number: int) -> list[QuerySample]:
            samples: list[QuerySample] = []
            add, sample_id = samples.append, base + number * size
            for index in indices_of(number):
                sample = IssuedSample()
                sample.id = sample_id
                sample.index = index
                add(sample)
                sample_id += 1
            return samples

        return make_many
    indices = ledger.sample_indices.data

    def make_one(number: int) -> list[QuerySample]:
        sample = IssuedSample()
        sample.id = base + number
        sample.index = indices[number]
        return [sample]

    return make_one


def fast_query_maker(ledger: Ledger, base: int) -> Callable[[int], tuple[list[int], list[int]]]:
    """Give the function that makes the ids and the indices of a query."""
    size = ledger.samples_per_query
    indices_of = _index_lists(ledger)

    def make(number: int) -> tuple[list[int], list[int]]:
        first = base + number * size
        return list(range(first, first + size)), indices_of(number)

    return make


def _index_lists(ledger: Ledger) -> Callable[[int], list[int]]:
    """Give the function that lists the library indices of a query.

    A large query repeats the samples of one set; they share their integers, which would
    otherwise take 32 bytes each.
    """
    size, indices = ledger.samples_per_query, ledger.sample_indices
    if size < _MANY:
        rows = indices[: len(indices) // size * size].reshape(-1, size)
        return lambda number: rows[number].tolist()
    shared = np.arange(int(indices.max()) + 1).astype(object)
    return lambda number: shared[indices[number * size : (number + 1) * size]].tolist()
