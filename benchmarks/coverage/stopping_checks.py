"""Checks of runs that end themselves: whole tests on the virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.random import Generator

from benchmarks.coverage.processes import INDEPENDENT, SLOW_CHANGES, Process, queue
from benchmarks.coverage.tally import Check, Outcome, outcome_of
from benchmarks.harness import Library
from inferometer.loadgen import (
    BoundDecision,
    BoundRule,
    IncidentKind,
    Looks,
    PrecisionRule,
    Query,
    Recording,
    RunOptions,
    Scenario,
    Settings,
    StopRule,
    Verdict,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.serving import SimulatedSUT

__all__ = ["bound_checks", "precision_checks"]

_ERROR_RATE = 0.05
_CAUTIOUS = "a sequential test leaves room for looks that were never needed"


def precision_checks() -> Iterator[Check]:
    """Give intervals of SingleStream runs that ended once they were precise enough."""
    cases = (
        (INDEPENDENT[0], 0.9, 0.05),
        (INDEPENDENT[1], 0.9, 0.03),
        (INDEPENDENT[1], 0.99, 0.05),
        (SLOW_CHANGES[0], 0.9, 0.01),
    )
    for process, fraction, precision in cases:
        name = f"p{fraction * 100:g} to {precision:.0%}, {process.name}"
        trial = partial(_stopped, process, fraction, precision)
        yield Check("ended by precision", name, 0.95, 400, trial)


def bound_checks() -> Iterator[Check]:
    """Give decisions about bounds that are missed, or met, by a little or by more."""
    for name, scenario, process, fraction in (
        ("SingleStream, independent", Scenario.SINGLE_STREAM, INDEPENDENT[0], 0.9),
        ("Server, M/M/1 at 50%", Scenario.SERVER, queue(0.5), 0.99),
        ("Server, M/M/1 at 80%", Scenario.SERVER, queue(0.8), 0.9),
    ):
        for factor, words in ((0.999, "just missed"), (1.001, "just met"), (1.5, "met clearly")):
            bound_ns = round(process.truth(fraction) * factor)
            trial = partial(_decided, scenario, process.name, fraction, bound_ns, factor > 1.0)
            title = f"{name}, p{fraction * 100:g}, {words}"
            yield Check("decided bounds", title, 1 - _ERROR_RATE, 300, trial, _CAUTIOUS)


def _stopped(
    process: Process, fraction: float, precision: float, source: Generator
) -> Iterator[Outcome]:
    values = iter(process.latencies(source, 200_000).tolist())
    rule = PrecisionRule(fraction, precision, Looks(300, 0.0, 3600.0))
    settings = Settings(
        scenario=Scenario.SINGLE_STREAM,
        single_stream_target_latency_percentile=fraction,
        single_stream_expected_latency_ns=5e4,
        min_query_count=300,
    )
    _, verdict = _run(settings, lambda _: max(1, next(values)), rule)
    assert verdict.metric.interval is not None
    yield outcome_of(verdict.metric.interval, process.truth(fraction))


def _decided(
    scenario: Scenario,
    name: str,
    fraction: float,
    bound_ns: int,
    is_met: bool,
    source: Generator,
) -> Iterator[Outcome]:
    load = float(name.rpartition(" ")[2].rstrip("%")) / 100 if scenario is Scenario.SERVER else 1.0
    drawn = iter(source.exponential(1e6, 45_000).astype(np.int64).tolist())
    rule = BoundRule(
        BoundDecision(fraction, _ERROR_RATE), bound_ns, Looks(700, 0.0, 10.0, growth=1.2)
    )
    settings = Settings(
        scenario=scenario,
        server_target_qps=1000.0 * load,
        server_target_latency_percentile=fraction,
        single_stream_target_latency_percentile=fraction,
        single_stream_expected_latency_ns=2e5,
        schedule_rng_seed=int(source.integers(1 << 31)),
        min_query_count=700,
        min_duration_ms=1000,
    )
    recording, _ = _run(settings, lambda _: max(1, next(drawn)), rule)
    series = recording.performance
    assert series is not None
    ends = [i for i in series.incidents if i.kind is IncidentKind.STOPPED_BY_RULE]
    reason = str(ends[0].values["reason"]) if ends else "open"
    said_met, said_missed = " is at most " in reason and "open" not in reason, "above" in reason
    yield Outcome(not (said_missed if is_met else said_met))


def _run(
    settings: Settings, service_ns: Callable[[Query], int], rule: StopRule
) -> tuple[Recording, Verdict]:
    clock = VirtualClock()
    sut = SimulatedSUT(clock, service_ns)
    outcome = run_test(sut, Library(), settings, RunOptions(clock=clock, rule=rule))
    verdict = judge(outcome.recording)
    assert verdict is not None
    return outcome.recording, verdict
