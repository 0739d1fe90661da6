"""Rows: loaded samples out of one array, without a copy where they lie side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError

__all__ = ["take_rows"]


def take_rows(
    loaded: NDArray[Any], row_of_sample: NDArray[np.int64], indices: NDArray[np.integer[Any]]
) -> NDArray[Any]:
    """Give samples by their library indices, int [n], in this order: [n, *sample shape].

    ``loaded`` is [rows, *sample shape] and ``row_of_sample``, int64 [samples], says where each
    sample lies, negative where it isn't loaded. Samples that lie side by side, and so each
    single one, are a view; others are gathered. Raises `WorkloadError` for a sample that isn't
    loaded.
    """
    if len(indices) == 1:
        # Most calls of three scenarios: no array is made for a single number.
        first = row_of_sample.item(indices.item())
        _check_loaded(first)
        return loaded[first : first + 1]
    rows = row_of_sample[indices]
    if not len(rows):
        return loaded[:0]
    _check_loaded(int(rows.min()))
    if bool((np.diff(rows) == 1).all()):
        first = rows.item(0)
        return loaded[first : first + len(rows)]
    gathered: NDArray[Any] = loaded.take(rows, axis=0)
    return gathered


def _check_loaded(least_row: int) -> None:
    if least_row < 0:
        raise WorkloadError("a sample was asked for that isn't loaded")
