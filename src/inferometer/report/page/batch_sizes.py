"""Batch sizes: how many samples each call of the model answered, from the phases' stamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import SeriesRecord

__all__ = ["BatchSizes"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BatchSizes:
    """How often each size of batch was: both int64 [n], sizes rising.

    The samples of a batch have one beginning and the same durations on record; batches that
    agree in all of them to the ns would be taken for one.
    """

    sizes: Integers
    batches: Integers

    @classmethod
    def of(cls, series: SeriesRecord) -> BatchSizes | None:
        """Count the batches of a series; ``None`` if its system did not tell."""
        began, preprocess, infer = series.began_ns, series.preprocess_ns, series.infer_ns
        if began is None or preprocess is None or infer is None or not bool((began >= 0).any()):
            return None
        told = [column[began >= 0] for column in (infer, preprocess, began)]
        order = np.lexsort(told)
        is_first = np.zeros(len(order), np.bool_)
        is_first[0] = True
        for column in told:
            ordered = column[order]
            is_first[1:] |= ordered[1:] != ordered[:-1]
        members = np.diff(np.append(np.flatnonzero(is_first), len(order)))
        sizes, batches = np.unique(members, return_counts=True)
        return cls(sizes.astype(np.int64), batches.astype(np.int64))

    @property
    def mean(self) -> float:
        """Mean samples a batch."""
        return float((self.sizes * self.batches).sum() / self.batches.sum())
