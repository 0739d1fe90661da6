"""Fitting: a description of the system that a run was recorded on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario, SeriesRecord
from inferometer.runs import Session, TestResult
from inferometer.simulating.batches import Batches
from inferometer.simulating.circumstances import contention_of, wake_ns_of
from inferometer.simulating.distribution import Constant, Distribution, Quantiles, Reals
from inferometer.simulating.service import BatchTime, Drift, ServiceTime
from inferometer.simulating.system import Batching, Network, SimulatedSystem, SimulationError

__all__ = ["batching_of", "fit_run", "fit_system"]

Integers = NDArray[np.int64]

_FRACTIONS = (0.0, 0.01, *(n / 20 for n in range(1, 19)), 0.925, 0.95, 0.97, 0.98, 0.985, 0.99,
              0.9925, 0.995, 0.9975, 0.999, 1.0)  # fmt: skip
_FEWEST = 150
_TURNS = 4
_BLOCK_NS = 250e6
_FEWEST_BLOCKS = 20
_FEWEST_IN_A_BLOCK = 5
_LEAST_DRIFT = 0.03


@dataclass(frozen=True)
class _Calls:
    """Calls of all series, one after the other; work is what each would have taken alone."""

    size: Integers
    work_ns: Reals
    at_ns: Reals
    series: Integers


def fit_run(session: Session) -> SimulatedSystem:
    """Fit a description to the performance tests of a session.

    Tests of Server count if there are any, else those of the first scenario that has some.
    Raises `SimulationError` where none tells when its calls began.
    """
    usable = [
        test
        for test in session.tests
        if test.recording.performance is not None
        and test.recording.performance.began_ns is not None
    ]
    if not usable:
        raise SimulationError(
            f"{session.folder}: no performance test tells where its time went; measure one with "
            "`inferometer run`"
        )
    wanted = [test for test in usable if test.scenario is Scenario.SERVER]
    if not wanted:
        wanted = [test for test in usable if test.scenario is usable[0].scenario]
    series = [test.recording.performance for test in wanted]
    batching = batching_of(wanted[0])
    return fit_system(
        [one for one in series if one is not None], batching, str(session.workload["name"])
    )


def batching_of(test: TestResult) -> Batching:
    """Give how batches were formed, as the recording notes it."""
    noted = test.recording.notes.get("serving", {})
    if noted.get("kind") == "pool":
        return Batching(
            int(noted["workers"]), int(noted["max_batch_size"]), float(noted["max_wait_s"]) * 1e9
        )
    if noted.get("kind") == "inline":
        return Batching(1, test.recording.effective.samples_per_query)
    raise SimulationError(
        f"{test.folder}: batches of a serving {noted.get('kind', 'unknown')!r} can't be put "
        "together again; record a run with --serving pool"
    )


def fit_system(
    series: Sequence[SeriesRecord],
    batching: Batching,
    name: str,
    overloaded: Sequence[SeriesRecord] = (),
) -> SimulatedSystem:
    """Fit a description to recorded series of one system.

    Times of calls go by the size of their batch, as quantiles; how much calls slow each other
    down is told from those that ran alone. What the generator was late by is on the network,
    but for runs with more load than can be answered, which only tell of calls.
    """
    found = [Batches.of(one, batching) for one in (*series, *overloaded)]
    batches = [one for one in found if one is not None]
    if not batches:
        raise SimulationError(f"{name}: the recording doesn't tell when calls began")
    contention = contention_of(batches, batching.workers)
    wake_ns = wake_ns_of(batches, contention)
    calls = _Calls(
        np.concatenate([one.size for one in batches]),
        np.concatenate(
            [np.maximum(1.0, one.work_ns(contention) - wake_ns * one.is_woken) for one in batches]
        ),
        np.concatenate([one.closed_ns for one in batches]),
        np.repeat(np.arange(len(batches)), [len(one.size) for one in batches]),
    )
    drift, factors = _drift(calls)
    rows = _rows(calls.size, calls.work_ns / factors, batching.max_batch)
    late = np.concatenate([one.lateness_ns for one in series])
    return SimulatedSystem(
        service=ServiceTime(rows, contention, drift, wake_ns),
        name=name,
        batching=batching,
        network=Network(request=_quantiles(np.maximum(0, late).astype(np.float64))),
    )


def _drift(calls: _Calls) -> tuple[Drift | None, Reals]:
    """Find how the speed wanders, and the factor of it that each call shares with others.

    The median call of a quarter second, against the median of its size, is what wanders; as much
    as chance alone gives it is taken off. Sizes and quarter seconds are told apart in turns,
    because batches are large when all is slow.
    """
    block = (calls.at_ns // _BLOCK_NS).astype(np.int64) + calls.series * 1_000_000
    names, place, counts = np.unique(block, return_inverse=True, return_counts=True)
    full = np.flatnonzero(counts >= _FEWEST_IN_A_BLOCK)
    none = np.ones(len(calls.size))
    if len(full) < _FEWEST_BLOCKS:
        return None, none
    logs = np.log(np.maximum(1.0, calls.work_ns))
    by_size, by_block = _Groups(calls.size), _Groups(place)
    shared = np.zeros(len(names))
    for _ in range(_TURNS):
        left = logs - by_size.spread(by_size.medians(logs - shared[place]))
        middle = by_block.medians(left)
        chance = by_block.median_variances(left)
        by_chance = float(np.mean(chance[full]))
        variance = float(np.var(middle[full])) - by_chance
        if variance < max(_LEAST_DRIFT**2, by_chance):
            return None, none
        centred = middle - middle[full].mean()
        shared = centred * variance / (variance + chance)
    pairs = full[:-1][np.diff(names[full]) == 1]
    kept = float(np.mean(centred[pairs] * centred[pairs + 1]) / variance) if len(pairs) else 0.0
    kept = min(max(kept, 0.05), 0.98)
    period_s = -_BLOCK_NS / 1e9 / math.log(kept)
    return Drift(round(math.sqrt(variance), 4), round(period_s, 3)), np.exp(shared)[place]


class _Groups:
    """Values by group; ``keys`` is int64 [values]."""

    def __init__(self, keys: Integers):
        self._place = np.unique(keys, return_inverse=True)[1]
        self._order = np.argsort(self._place, kind="stable")
        self._cuts = np.cumsum(np.bincount(self._place))[:-1]

    def _parts(self, values: Reals) -> list[Reals]:
        return np.split(values[self._order], self._cuts)

    def medians(self, values: Reals) -> Reals:
        """Give the median of each group."""
        return np.array([float(np.median(part)) for part in self._parts(values)])

    def median_variances(self, values: Reals) -> Reals:
        """Give about the variance of each of them by chance."""
        return np.array([_median_variance(part) for part in self._parts(values)])

    def spread(self, of_groups: Reals) -> Reals:
        """Give each value that of its group."""
        return of_groups[self._place]


def _median_variance(values: Reals) -> float:
    """Give about the variance of a median, from how far the middle half spreads."""
    low, high = np.quantile(values, [0.25, 0.75])
    deviation = float(high - low) / 1.349
    return math.pi / 2 * deviation**2 / len(values)


def _rows(size: Integers, work_ns: Reals, max_batch: int) -> tuple[BatchTime, ...]:
    """Give a row for each size that was seen often, and one for the largest batch."""
    sizes, counts = np.unique(size, return_counts=True)
    often = [int(each) for each, count in zip(sizes, counts, strict=True) if count >= _FEWEST]
    if not often:
        often = [int(sizes[np.argmax(counts)])]
    rows = []
    for each in often:
        values = work_ns[size == each]
        mean = float(values.mean())
        rows.append(BatchTime(each, mean, _quantiles(values / mean)))
    if often[-1] < max_batch:
        rows.append(_largest(size, work_ns, max_batch, rows))
    return tuple(rows)


def _largest(
    size: Integers, work_ns: Reals, max_batch: int, rows: Sequence[BatchTime]
) -> BatchTime:
    """Give a row for the largest batch by the line through all calls that were seen."""
    last = rows[-1]
    if len(np.unique(size)) == 1:
        return BatchTime(max_batch, last.mean_ns / last.size * max_batch, last.shape)
    slope, setup = np.polyfit(size, work_ns, 1)
    mean = max(float(setup + slope * max_batch), last.mean_ns)
    return BatchTime(max_batch, mean, last.shape)


def _quantiles(values: Reals) -> Distribution:
    found = np.quantile(values, _FRACTIONS)
    if found[0] == found[-1]:
        return Constant(float(found[0]))
    kept = Quantiles(_FRACTIONS, tuple(float(value) for value in found))
    # Straight lines between the quantiles miss the mean of what they stand for a little.
    return kept.scaled(float(values.mean()) / kept.mean)
