"""Alterations: the same samples under another name, in another place, or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads import InputLibrary

__all__ = ["ExchangedLibrary", "NoticingLibrary", "RenamedLibrary", "WrappedLibrary"]


class WrappedLibrary:
    """A library that passes everything on."""

    def __init__(self, base: InputLibrary):
        self._base = base
        self.name = base.name
        self.total_sample_count = base.total_sample_count
        self.performance_sample_count = base.performance_sample_count

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory; int64 [n]."""
        self._base.load(indices)

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let samples go."""
        self._base.unload(indices)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples."""
        return self._base.inputs(indices)


class RenamedLibrary(WrappedLibrary):
    """Samples under another name."""

    def __init__(self, base: InputLibrary, name: str):
        super().__init__(base)
        self.name = name


class NoticingLibrary(WrappedLibrary):
    """A library that is told when the first query is issued."""

    def begin(self) -> None:
        """Take note that the timed part begins."""


class ExchangedLibrary(NoticingLibrary):
    """Samples that change places once the first query is issued.

    Until then, so while they are loaded, all lie where they belong. From then on the content
    of another loaded sample stands at each index; ``stands_for`` says whose. What was computed
    from the contents before, or is known of the indices, is then out of date.
    """

    def __init__(self, base: InputLibrary, seed: int):
        super().__init__(base)
        self._random = np.random.default_rng(seed)
        self._place = np.arange(base.total_sample_count)
        self._loaded = np.empty(0, np.int64)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory, each in its own place."""
        self._base.load(indices)
        self._loaded = np.unique(indices)

    def begin(self) -> None:
        """Let the loaded samples change places: each moves on by one in a random circle."""
        circle = self._random.permutation(self._loaded)
        self._place[circle] = np.roll(circle, 1)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the inputs of the samples that stand at these indices."""
        return self._base.inputs(self._place[indices])

    @property
    def stands_for(self) -> dict[int, int]:
        """Whose content stands at each loaded index."""
        return {int(index): int(self._place[index]) for index in self._loaded}
