"""Batch: parts of queries that one call of the handler answers."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Query, ResponseError, Responses
from inferometer.serving.handler import Handler, as_timed

__all__ = ["Piece", "answer_batch", "complete_batch", "indices_of"]

_stop = operator.itemgetter(2)

Piece = tuple[Query, int, int]
"""A query with the first and one past the last position of the samples to answer."""


def answer_batch(handler: Handler, batch: Sequence[Piece]) -> None:
    """Have a batch answered, and complete its queries or these parts of them.

    Where the handler tells, the phases are put on record. Whatever goes wrong ends the
    run: nothing may wait for these queries any more.
    """
    try:
        indices = indices_of(batch)
        timed = as_timed(handler)
        if timed is None:
            responses = handler(indices)
        else:
            began = batch[0][0].now_ns()
            responses, preprocess_ns, infer_ns = timed.timed(indices)
            for query, start, stop in batch:
                query.note_phases(began, preprocess_ns, infer_ns, slice(start, stop))
        complete_batch(batch, responses, len(indices))
    except BaseException as error:
        for query, _, _ in batch:
            query.fail(error)


def indices_of(batch: Sequence[Piece]) -> NDArray[np.integer[Any]]:
    """Give the library indices of a batch, int [n]."""
    if len(batch) == 1:
        query, start, stop = batch[0]
        whole: NDArray[np.integer[Any]] = query.indices
        return whole if stop - start == len(whole) else whole[start:stop]
    if len(batch[0][0]) == 1 and max(batch, key=_stop)[2] == 1:
        return np.array([query.index for query, _, _ in batch])
    return np.concatenate([query.indices[start:stop] for query, start, stop in batch])


def complete_batch(batch: Sequence[Piece], responses: Responses, count: int) -> None:
    """Hand each piece its part of the responses, where anybody wants them."""
    given = 1 if isinstance(responses, bytes | bytearray | memoryview) else len(responses)
    if given != count:
        raise ResponseError(f"the handler gave {given} answers for {count} samples")
    if not batch[0][0].wants_responses:
        for query, start, stop in batch:
            query.complete(None, None if stop - start == len(query) else slice(start, stop))
        return
    place = 0
    for query, start, stop in batch:
        part = responses[place : place + stop - start]
        place += stop - start
        query.complete(part, None if stop - start == len(query) else slice(start, stop))
