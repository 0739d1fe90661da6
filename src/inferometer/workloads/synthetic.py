"""Synthetic photos: seeded noise in a model's true shape, where only speed is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.rows import take_rows

__all__ = ["SYNTHETIC", "SyntheticPhotos"]

SYNTHETIC = "synthetic"
"""What a user names in place of a data set's folder."""


class SyntheticPhotos:
    """Photos of noise as a sample library, preprocessed as a recipe says but never resized.

    The same seed gives the same samples. ``load`` makes [n, *sample_shape] in the recipe's
    dtype; only loaded samples take memory.
    """

    name = "synthetic photos"

    def __init__(
        self, recipe: Preprocessing, input_name: str, count: int, loaded_count: int, seed: int
    ):
        self._recipe = recipe
        self._input_name = input_name
        self._seed = seed
        self._table = recipe.table().astype(recipe.dtype)
        self.total_sample_count = count
        self.performance_sample_count = min(count, loaded_count)
        self._rows = np.full(count, -1, np.int64)
        self._loaded = np.empty((0, *recipe.sample_shape), recipe.dtype)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Make samples; int64 [n], repetitions allowed."""
        distinct = np.unique(indices)
        self._loaded = np.empty((len(distinct), *self._recipe.sample_shape), self._recipe.dtype)
        for row, index in enumerate(distinct.tolist()):
            self._make(index, self._loaded[row])
        self._rows[:] = -1
        self._rows[distinct] = np.arange(len(distinct))

    def _make(self, index: int, out: NDArray[Any]) -> None:
        random = np.random.RandomState((self._seed + index) % 2**32)
        size = (self._recipe.height_px, self._recipe.width_px)
        for channel in range(3):
            pixels = random.randint(0, 256, size, np.uint8)
            plane = out[channel] if self._recipe.layout == "NCHW" else out[..., channel]
            plane[...] = self._table[channel][pixels]

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the samples go."""
        self._rows[indices] = -1
        self._loaded = np.empty((0, *self._recipe.sample_shape), self._recipe.dtype)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's input for loaded samples, [n, *sample_shape]."""
        return {self._input_name: take_rows(self._loaded, self._rows, indices)}
