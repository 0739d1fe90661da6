"""Rows: the mean of recorded calls by the size of their batch, and how they scatter about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.calls import Calls
from inferometer.simulating.distribution import Constant, Distribution, Quantiles, Reals
from inferometer.simulating.service import BatchTime

__all__ = ["quantiles_of", "rows_of", "woken_excess_ns"]

Flags = NDArray[np.bool_]

_FRACTIONS = (0.0, 0.01, *(n / 20 for n in range(1, 19)), 0.925, 0.95, 0.97, 0.98, 0.985, 0.99,
              0.9925, 0.995, 0.9975, 0.999, 1.0)  # fmt: skip
_BUSY = 4
_FEWEST_FOR_A_MEAN = 20
_FEWEST_FOR_A_SHAPE = 150


def woken_excess_ns(calls: Calls) -> float:
    """Give by how much the mean of calls whose worker was idle lies above that of the others.

    Calls of one size are compared, of which both kinds were seen often.
    """
    total = weights = 0.0
    for size in np.unique(calls.size):
        here = calls.size == size
        woken, others = (calls.work_ns[here & kind] for kind in (calls.is_woken, ~calls.is_woken))
        weight = min(len(woken), len(others))
        if weight >= _FEWEST_FOR_A_MEAN:
            total += weight * float(woken.mean() - others.mean())
            weights += weight
    return total / weights if weights else 0.0


def rows_of(calls: Calls, use: Reals, max_batch: int) -> tuple[BatchTime, ...]:
    """Give a row for each size that was seen often enough, and one for the largest batch.

    ``use`` is the busy share of each series: busy ones count most for the means, which are those
    on a busy replica, where a little more makes queues much longer.

    Shapes are those of the size, or, where it was seen too seldom for one, of all sizes.
    """
    sizes, counts = np.unique(calls.size, return_counts=True)
    often = [int(n) for n, count in zip(sizes, counts, strict=True) if count >= _FEWEST_FOR_A_MEAN]
    if not often:
        often = [int(sizes[np.argmax(counts)])]
    weight = use[calls.series] ** _BUSY
    means = {
        size: float(np.average(calls.work_ns[here], weights=weight[here]))
        for size in often
        for here in [calls.size == size]
    }
    around = calls.work_ns / np.array([means.get(n, np.nan) for n in calls.size.tolist()])
    seen = ~np.isnan(around)
    of_all = _shapes(around[seen], calls.is_woken[seen])
    rows = []
    for size in often:
        here = calls.size == size
        shape, woken = _shapes(around[here], calls.is_woken[here], of_all)
        rows.append(BatchTime(size, means[size], shape, woken))
    if often[-1] < max_batch:
        rows.append(_largest(max_batch, rows, counts[np.isin(sizes, often)]))
    return tuple(rows)


def _shapes(
    around: Reals,
    is_woken: Flags,
    otherwise: tuple[Distribution, Distribution | None] | None = None,
) -> tuple[Distribution, Distribution | None]:
    """Give the shape of calls whose worker was busy, and that of the others if it is another."""
    if otherwise is not None and len(around) < _FEWEST_FOR_A_SHAPE:
        return otherwise
    parts = [around[kind] for kind in (~is_woken, is_woken)]
    if min(map(len, parts)) >= _FEWEST_FOR_A_SHAPE:
        busy, woken = (quantiles_of(part / part.mean()) for part in parts)
        return busy, woken
    if otherwise is not None and otherwise[1] is not None:
        # One kind was seen often, the other has the shape that it has at other sizes.
        shape = quantiles_of(around / around.mean())
        return (shape, otherwise[1]) if len(parts[0]) >= len(parts[1]) else (otherwise[0], shape)
    return quantiles_of(around / around.mean()), None


def _largest(max_batch: int, rows: Sequence[BatchTime], counts: NDArray[np.int64]) -> BatchTime:
    """Give a row for the largest batch by the line through the larger half of those seen."""
    last = rows[-1]
    sizes = np.array([row.size for row in rows])
    means = np.array([row.mean_ns for row in rows])
    upper = sizes * 2 >= last.size
    if len(rows) > 1 and upper.sum() < 2:
        upper[-2:] = True
    if upper.sum() < 2:
        mean = last.mean_ns / last.size * max_batch
    else:
        weights = np.sqrt(counts[upper])
        slope, setup = np.polyfit(sizes[upper], means[upper], 1, w=weights)
        mean = max(float(setup + slope * max_batch), last.mean_ns)
    return replace(last, size=max_batch, mean_ns=mean)


def quantiles_of(values: Reals) -> Distribution:
    """Give the distribution of values by its quantiles; its mean is theirs."""
    found = np.quantile(values, _FRACTIONS)
    if found[0] == found[-1]:
        return Constant(float(found[0]))
    kept = Quantiles(_FRACTIONS, tuple(float(value) for value in found))
    # Straight lines between the quantiles miss the mean of what they stand for a little.
    return kept.scaled(float(values.mean()) / kept.mean)
