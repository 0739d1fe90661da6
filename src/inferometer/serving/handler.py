"""Handler: what a serving calls to have samples answered."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Responses

__all__ = ["Handler"]


class Handler(Protocol):
    """Answers a batch of samples.

    It is called with library indices, int [n], and gives n responses: an array whose
    first axis runs over the samples, or a sequence with one bytes-like object or array a
    sample. It may be called from several threads at once.
    """

    def __call__(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Give the responses for the samples of these indices."""
        ...
