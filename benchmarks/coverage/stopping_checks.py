"""Checks of runs that end themselves: the rules' own code on drawn latencies.

The rules look at a ledger that holds what it would hold at that moment of a run, so that no
query has to be issued.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.coverage.processes import INDEPENDENT, MS, SLOW_CHANGES, Process
from benchmarks.coverage.queues import mm1, single_queue
from benchmarks.coverage.tally import Check, Experiment, Outcome, outcome_of
from inferometer.loadgen import (
    BoundDecision,
    BoundRule,
    Looks,
    PrecisionRule,
    series_interval,
)
from inferometer.loadgen.ledger import Ledger

__all__ = ["bound_checks", "precision_checks", "stopped_after"]

Trials = Iterator[tuple[int, Outcome]]
Integers = NDArray[np.int64]

_ERROR_RATE = 0.05
_CAUTIOUS = "a sequential test leaves room for looks that were never needed"
_WIDER = "a twentieth more of width makes up for ending at a lucky moment"
_MOST, _AT_ONCE = 60_000, 10


def precision_checks() -> Iterator[Experiment]:
    """Give intervals of SingleStream runs that ended once they were precise enough."""
    cases = (
        (INDEPENDENT[0], 0.9, 0.05),
        (INDEPENDENT[1], 0.9, 0.03),
        (INDEPENDENT[1], 0.99, 0.05),
        (SLOW_CHANGES[0], 0.9, 0.01),
    )
    for process, fraction, precision in cases:
        name = f"p{fraction * 100:g} to {precision:.0%}, {process.name}"
        check = Check("ended by precision", name, 0.95, _WIDER)
        yield Experiment((check,), 2000, partial(_stopped, process, fraction, precision))


def bound_checks() -> Iterator[Experiment]:
    """Give decisions about bounds that are missed, or met, by a little or by more."""
    for name, load, process, fraction in (
        ("SingleStream, independent", None, INDEPENDENT[0], 0.9),
        ("Server, M/M/1 at 50%", 0.5, mm1(0.5), 0.99),
        ("Server, M/M/1 at 80%", 0.8, mm1(0.8), 0.9),
    ):
        for factor, words in ((0.999, "just missed"), (1.001, "just met"), (1.5, "met clearly")):
            bound_ns = round(process.truth(fraction) * factor)
            title = f"{name}, p{fraction * 100:g}, {words}"
            check = Check("decided bounds", title, 1 - _ERROR_RATE, _CAUTIOUS)
            yield Experiment(
                (check,), 2000, partial(_decided, load, fraction, bound_ns, factor > 1.0)
            )


def _stopped(
    process: Process, fraction: float, precision: float, source: Generator, runs: int
) -> Trials:
    truth = process.truth(fraction)
    for _ in range(0, runs, _AT_ONCE):
        for values in process.latencies(source, _AT_ONCE, _MOST):
            rule = PrecisionRule(fraction, precision, Looks(300, 0.0, 3600.0))
            seen = values[: stopped_after(rule, values)]
            interval = series_interval(seen, np.sort(seen), fraction, ended_itself=True)
            yield 0, outcome_of(interval, truth)


def stopped_after(rule: PrecisionRule, latencies: Integers) -> int:
    """Give after how many queries of a closed loop a rule ends it, at most all of them."""
    ledger, issued = cast(Ledger, _Ledger(latencies, None)), 0
    while issued < len(latencies):
        issued = min(len(latencies), rule.next_look(issued, 0)[0])
        if rule.wants_to_stop(ledger, issued, 0):
            break
    return issued


def _decided(
    load: float | None,
    fraction: float,
    bound_ns: int,
    is_met: bool,
    source: Generator,
    runs: int,
) -> Trials:
    looks = Looks(700, 0.0, 10.0, growth=1.2)
    for _ in range(runs):
        rule = BoundRule(BoundDecision(fraction, _ERROR_RATE), bound_ns, looks)
        reason = _reason(rule, _closed(source) if load is None else _opened(load, source))
        said_met, said_missed = " is at most " in reason and "open" not in reason, "above" in reason
        yield 0, Outcome(not (said_missed if is_met else said_met))


def _closed(source: Generator) -> _Ledger:
    return _Ledger(np.maximum(1, source.exponential(MS, 20_000)).astype(np.int64), None)


def _opened(load: float, source: Generator) -> _Ledger:
    count = 20_000
    gaps = source.exponential(1.0 / load, (1, count))
    latencies = single_queue(source.exponential(1.0, (1, count)), gaps)[0]
    due = np.cumsum(gaps[0])
    return _Ledger((latencies * MS).astype(np.int64) + 1, (due * MS).astype(np.int64))


def _reason(rule: BoundRule, ledger: _Ledger) -> str:
    issued, elapsed_ns = 0, 0
    while True:
        count, time_ns = rule.next_look(issued, elapsed_ns)
        issued = min(count, int(np.searchsorted(ledger.due_ns, time_ns)) + 1)
        elapsed_ns = int(ledger.due_ns[issued - 1])
        ledger.elapsed_ns = elapsed_ns
        reason = rule.wants_to_stop(cast(Ledger, ledger), issued, elapsed_ns)
        if reason is not None:
            return reason


class _Ledger:
    """What a rule sees of a run: ``latencies``, int64 [n], and when they were due, in ns.

    ``due_ns`` is ``None`` in a closed loop, in which each query waits for the one before.
    """

    start_ns = 0
    samples_per_query = 1

    def __init__(self, latencies: Integers, due_ns: Integers | None):
        self._latencies = latencies
        ends = np.cumsum(latencies)
        self.due_ns = ends - latencies if due_ns is None else due_ns
        self._done_ns = self.due_ns + latencies
        self.plan = _Plan(due_ns)
        self.issued_array = self.due_ns
        self.elapsed_ns = 0

    @property
    def completed_array(self) -> Integers:
        """When queries were answered; 0 for those that aren't yet."""
        return np.where(self._done_ns <= self.elapsed_ns, self._done_ns, 0)

    def now_ns(self) -> int:
        """Give the time of the look."""
        return self.elapsed_ns

    def query_latencies_ns(self, count: int) -> Integers:
        """Give the latencies of the first queries."""
        return self._latencies[:count]


@dataclass(frozen=True)
class _Plan:
    schedule_ns: Any
