"""Subset: some samples of a library as a library of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import InputLibrary

__all__ = ["SubsetLibrary"]


class SubsetLibrary:
    """Samples ``chosen``, int [n], of another library, counted from 0."""

    def __init__(self, base: InputLibrary, chosen: NDArray[np.integer[Any]], name: str):
        self._base = base
        self._chosen = np.asarray(chosen, np.int64)
        self.name = name
        self.total_sample_count = len(chosen)
        self.performance_sample_count = min(base.performance_sample_count, len(chosen))

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory; int64 [n]."""
        self._base.load(self._chosen[indices])

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let samples go."""
        self._base.unload(self._chosen[indices])

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples."""
        return self._base.inputs(self._chosen[indices])
