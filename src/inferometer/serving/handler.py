"""Handler: what a serving calls to have samples answered."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Responses

__all__ = ["Handler", "TimedAnswer", "TimedHandler", "as_timed"]

TimedAnswer = tuple[Responses, int, int]
"""Responses, and the ns that fetching the inputs and running the model took of the call."""


class Handler(Protocol):
    """Answers a batch of samples.

    It is called with library indices, int [n], and gives n responses: an array whose
    first axis runs over the samples, or a sequence with one bytes-like object or array a
    sample. It may be called from several threads at once.
    """

    def __call__(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Give the responses for the samples of these indices."""
        ...


class TimedHandler(Handler, Protocol):
    """A handler that can also tell where its time went; servings then put that on record."""

    def timed(self, indices: NDArray[np.integer[Any]]) -> TimedAnswer:
        """Give the responses, and the ns spent on the inputs and in the model."""
        ...


def as_timed(handler: Handler) -> TimedHandler | None:
    """Give the handler as one that tells where its time went, if it is such."""
    return cast(TimedHandler, handler) if hasattr(handler, "timed") else None
