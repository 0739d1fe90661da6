"""Fitting: a description of the system that a run was recorded on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inferometer.loadgen import Scenario, SeriesRecord
from inferometer.runs import Session, TestResult
from inferometer.simulating.batches import Batches
from inferometer.simulating.calls import Calls
from inferometer.simulating.circumstances import circumstances_of
from inferometer.simulating.contention import contention_of
from inferometer.simulating.distribution import Reals
from inferometer.simulating.drifting import drift_of
from inferometer.simulating.rows import quantiles_of, rows_of, woken_excess_ns
from inferometer.simulating.scattering import evened_out, scatter_of
from inferometer.simulating.service import ServiceTime, Slack
from inferometer.simulating.stalling import stalls_of
from inferometer.simulating.system import Batching, Network, SimulatedSystem, SimulationError

__all__ = ["Fitted", "batching_of", "fit_laps", "fit_run", "fit_system"]


_USUAL = 0.99


@dataclass(frozen=True)
class Fitted:
    """A description, and what the times of each lap are to be multiplied by."""

    system: SimulatedSystem
    factors: tuple[float, ...]


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


def fit_system(series: Sequence[SeriesRecord], batching: Batching, name: str) -> SimulatedSystem:
    """Fit a description to recorded series of one system; see `fit_laps`."""
    return fit_laps([series], batching, name).system


def fit_laps(
    laps: Sequence[Sequence[SeriesRecord]],
    batching: Batching,
    name: str,
    overloaded: Sequence[SeriesRecord] = (),
) -> Fitted:
    """Fit a description to series of one system that were recorded in laps, one after the other.

    How fast a lap was as a whole is taken out. Means go by the size of batches, as does how
    calls scatter, as quantiles; how much calls slow each other down is told from those that ran
    alone. What the generator was late by is on the network, but for the runs of each lap with
    more load than can be answered, which only tell of calls.
    """
    found, numbers = _batches(laps, overloaded, batching)
    if not found:
        raise SimulationError(f"{name}: the recording doesn't tell when calls began")
    contention = contention_of(found, batching.workers)
    recorded = Calls.of(found, numbers, contention)
    use = np.array([one.use(batching.workers) for one in found])
    told = circumstances_of(recorded, use)
    calls = recorded.with_work(told.work_ns)
    factors = _factors(calls, len(laps))
    calls = calls.with_work(calls.work_ns / factors[calls.lap])
    stalls, is_stalled = stalls_of(calls)
    calls = calls.only(~is_stalled)
    drift, shared = drift_of(calls, use)
    calls = calls.with_work(calls.work_ns / shared)
    # Normal calls told what waking takes; seldom ones are in the mean as well.
    scatter = scatter_of(calls, use)
    calls = evened_out(calls, use, scatter)
    slack = told.slack
    if scatter:
        slack = replace(slack or Slack(0.0), scatter=scatter)
    more_ns = max(-told.wake_ns, woken_excess_ns(calls))
    calls = calls.with_work(calls.work_ns - more_ns * calls.is_woken)
    waits = np.concatenate([one.gather_ns[~one.is_woken] for one in found])
    late = np.concatenate([one.lateness_ns for lap in laps for one in lap])
    system = SimulatedSystem(
        service=ServiceTime(
            rows_of(calls, use, batching.max_batch),
            contention,
            drift,
            told.wake_ns + more_ns,
            cold=told.cold,
            slack=slack,
            gather_ns=_usual(waits),
            stalls=stalls,
        ),
        name=name,
        batching=batching,
        network=Network(request=quantiles_of(np.maximum(0, late).astype(np.float64))),
    )
    return Fitted(system, tuple(factors.tolist()))


def _batches(
    laps: Sequence[Sequence[SeriesRecord]], overloaded: Sequence[SeriesRecord], batching: Batching
) -> tuple[list[Batches], list[int]]:
    """Give the batches of each series that tells of them, and the number of its lap."""
    found, numbers = [], []
    for number, lap in enumerate(laps):
        for one in (*lap, *overloaded[number : number + 1]):
            batches = Batches.of(one, batching)
            if batches is not None:
                found.append(batches)
                numbers.append(number)
    return found, numbers


def _usual(values: Reals) -> float:
    """Give the mean of values but for the longest, which are stalls; 0 of none."""
    if not len(values):
        return 0.0
    return float(values[values <= np.quantile(values, _USUAL)].mean())


def _factors(calls: Calls, laps: int) -> Reals:
    """Give how long the median call of each lap took, against the median of its size."""
    around = calls.work_ns / calls.by_size().spread_medians(calls.work_ns)
    found = np.ones(laps)
    for lap in range(laps):
        here = around[calls.lap == lap]
        if laps > 1 and len(here):
            found[lap] = float(np.median(here))
    return found
