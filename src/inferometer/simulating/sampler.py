"""Sampler: draws times of calls by the size of their batch."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Constant, Quantiles, Reals
from inferometer.simulating.service import ServiceTime

__all__ = ["Sampler", "SingleDraws"]

_GRID = 4096


class Sampler:
    """Draws times of calls, ns, alone on a busy, warm replica without drift."""

    def __init__(self, service: ServiceTime, max_batch: int):
        sizes = range(max_batch + 1)
        per_sample = service.preprocess_ns + service.postprocess_ns
        self._model = np.array([0.0, *(service.model_mean_ns(n) for n in sizes[1:])])
        self._around = np.array(sizes) * per_sample
        self._row = np.array([service.nearest(n) for n in sizes])
        self._shapes = [row.shape for row in service.rows]
        self.tells_woken = any(row.woken_shape is not None for row in service.rows)
        if self.tells_woken:
            self._shapes += [row.woken_shape or row.shape for row in service.rows]
        self._rows = len(service.rows)
        self._has_one_shape = all(shape == self._shapes[0] for shape in self._shapes)

    def means_ns(self, sizes: NDArray[np.int64]) -> Reals:
        """Give the mean for each batch size: float64 [n]."""
        found: Reals = self._model[sizes] + self._around[sizes]
        return found

    def draw(
        self,
        random: np.random.Generator,
        sizes: NDArray[np.int64],
        is_woken: NDArray[np.bool_] | None = None,
    ) -> Reals:
        """Draw a time for each batch size: float64 [n].

        ``is_woken``, bool [n], tells whose worker was idle; none was if it is left out.
        """
        means = self._model[sizes]
        if self._has_one_shape:
            shape = self._shapes[0]
            values = means if shape == Constant(1.0) else means * shape.draw(random, len(sizes))
        else:
            rows = self._row[sizes]
            if self.tells_woken and is_woken is not None:
                rows = rows + self._rows * is_woken
            values = means * self._around_mean(random, rows)
        total: Reals = values + self._around[sizes]
        return total

    def _around_mean(self, random: np.random.Generator, rows: NDArray[np.int64]) -> Reals:
        """Draw from the shape of each row, float64 [n]."""
        if self._grid is not None:
            place = (random.random(len(rows)) * _GRID).astype(np.int64)
            found: Reals = self._grid[rows * _GRID + place]
            return found
        values = np.empty(len(rows))
        for number, shape in enumerate(self._shapes):
            places = np.flatnonzero(rows == number)
            if len(places):
                values[places] = shape.draw(random, len(places))
        return values

    @cached_property
    def _grid(self) -> Reals | None:
        """Values at equally likely places, by row, where every shape is given by quantiles."""
        middles = (np.arange(_GRID) + 0.5) / _GRID
        tables = [
            np.interp(middles, shape.fractions, shape.values)
            for shape in self._shapes
            if isinstance(shape, Quantiles)
        ]
        return np.concatenate(tables) if len(tables) == len(self._shapes) else None


class SingleDraws:
    """Times of single calls, ns, drawn many at once and given one at a time."""

    _AT_ONCE = 512

    def __init__(self, sampler: Sampler, random: np.random.Generator):
        self._sampler, self._random = sampler, random
        self._left: dict[tuple[int, bool], list[float]] = {}

    def mean_ns(self, size: int) -> float:
        """Give the mean for a batch size."""
        return float(self._sampler.means_ns(np.array([size]))[0])

    def next_ns(self, size: int, *, is_woken: bool) -> float:
        """Give the time of a call with a batch of a size."""
        key = (size, is_woken and self._sampler.tells_woken)
        left = self._left.get(key)
        if not left:
            sizes = np.full(self._AT_ONCE, size)
            woken = np.full(self._AT_ONCE, key[1])
            left = self._sampler.draw(self._random, sizes, woken).tolist()
            self._left[key] = left
        return left.pop()
