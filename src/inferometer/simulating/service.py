"""Service time: how long a call takes by the size of its batch, and what makes it longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Constant, Distribution, Quantiles, Reals

__all__ = ["BatchTime", "Drift", "Sampler", "ServiceTime", "SingleDraws"]

_GRID = 4096


@dataclass(frozen=True)
class BatchTime:
    """What calls of one batch size take: a mean, ns, and a shape whose mean is 1."""

    size: int
    mean_ns: float
    shape: Distribution


@dataclass(frozen=True)
class Drift:
    """A speed that wanders: what calls of a replica at about the same time have in common.

    Its logarithm is an Ornstein-Uhlenbeck process.

    spread:
        Standard deviation of the logarithm.
    period_s:
        How long it takes until little is left of what was.
    """

    spread: float
    period_s: float


@dataclass(frozen=True)
class ServiceTime:
    """Times of calls, ns.

    rows:
        By ascending batch size. Between two sizes the mean is interpolated, beyond the last it
        grows with the slope of the last two; the shape is that of the nearest size.
    contention:
        By how much of its time alone a call is longer for each other call of its replica that
        runs beside it.
    wake_ns:
        What a call takes besides if its worker was idle: waking a thread, and cold caches.
    preprocess_ns, postprocess_ns:
        For each sample, before and after the model, in the same worker.
    """

    rows: tuple[BatchTime, ...]
    contention: float = 0.0
    drift: Drift | None = None
    wake_ns: float = 0.0
    preprocess_ns: float = 0.0
    postprocess_ns: float = 0.0

    @classmethod
    def line(
        cls, setup_ns: float, per_sample_ns: float, shape: Distribution, contention: float = 0.0
    ) -> ServiceTime:
        """Give the times of calls whose mean is a setup and so much for each sample."""
        means = [BatchTime(n, setup_ns + n * per_sample_ns, shape) for n in (1, 2)]
        return cls(tuple(means), contention)

    def mean_ns(self, size: int) -> float:
        """Give the mean of a call alone with a batch of a size."""
        return self.model_mean_ns(size) + size * (self.preprocess_ns + self.postprocess_ns)

    def model_mean_ns(self, size: int) -> float:
        """Give the mean that the model takes of it."""
        sizes = [row.size for row in self.rows]
        means = [row.mean_ns for row in self.rows]
        if size > sizes[-1] and len(sizes) > 1:
            slope = (means[-1] - means[-2]) / (sizes[-1] - sizes[-2])
            return max(means[-1], means[-1] + slope * (size - sizes[-1]))
        if size < sizes[0]:
            return means[0] * size / sizes[0] if len(sizes) == 1 else means[0]
        if size > sizes[-1]:
            return means[0] * size / sizes[0]
        return float(np.interp(size, sizes, means))

    def slowness(self, running: int) -> float:
        """Give how much longer calls take while so many run side by side."""
        return 1.0 + self.contention * max(0, running - 1)

    def best_rate(self, workers: int, max_batch: int) -> float:
        """Give the most samples a second that a replica can answer, at its best batch size."""
        slow = self.slowness(workers)
        return max(workers * n / (self.mean_ns(n) * slow) * 1e9 for n in range(1, max_batch + 1))

    def nearest(self, size: int) -> int:
        """Give the number of the row whose size is nearest."""
        return int(np.argmin([abs(row.size - size) for row in self.rows]))

    def sampler(self, max_batch: int) -> Sampler:
        """Give what draws times of calls with up to so many samples."""
        return Sampler(self, max_batch)


class Sampler:
    """Draws times of calls, ns, without contention and drift."""

    def __init__(self, service: ServiceTime, max_batch: int):
        sizes = range(max_batch + 1)
        per_sample = service.preprocess_ns + service.postprocess_ns
        self._model = np.array([0.0, *(service.model_mean_ns(n) for n in sizes[1:])])
        self._around = np.array(sizes) * per_sample
        self._row = np.array([service.nearest(n) for n in sizes])
        self._shapes = [row.shape for row in service.rows]
        self._has_one_shape = all(shape == self._shapes[0] for shape in self._shapes)

    def draw(self, random: np.random.Generator, sizes: NDArray[np.int64]) -> Reals:
        """Draw a time for each batch size: float64 [n]."""
        means = self._model[sizes]
        if self._has_one_shape:
            shape = self._shapes[0]
            values = means if shape == Constant(1.0) else means * shape.draw(random, len(sizes))
        elif self._grid is not None:
            place = (random.random(len(sizes)) * _GRID).astype(np.int64)
            values = means * self._grid[self._row[sizes] * _GRID + place]
        else:
            values = means * self._mixed(random, sizes)
        total: Reals = values + self._around[sizes]
        return total

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

    def _mixed(self, random: np.random.Generator, sizes: NDArray[np.int64]) -> Reals:
        rows, values = self._row[sizes], np.empty(len(sizes))
        for number, shape in enumerate(self._shapes):
            places = np.flatnonzero(rows == number)
            if len(places):
                values[places] = shape.draw(random, len(places))
        return values


class SingleDraws:
    """Times of single calls, ns, drawn many at once and given one at a time."""

    _AT_ONCE = 512

    def __init__(self, sampler: Sampler, random: np.random.Generator):
        self._sampler, self._random = sampler, random
        self._left: dict[int, list[float]] = {}

    def next_ns(self, size: int) -> float:
        """Give the time of a call with a batch of a size."""
        left = self._left.get(size)
        if not left:
            sizes: Sequence[int] = [size] * self._AT_ONCE
            left = self._sampler.draw(self._random, np.array(sizes)).tolist()
            self._left[size] = left
        return left.pop()
