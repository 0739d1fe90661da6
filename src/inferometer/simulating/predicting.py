"""Predicting: chooses how a system is simulated at a rate, and puts the figures together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from inferometer.simulating.events import Happened, run_events
from inferometer.simulating.lanes import LaneTotals, can_run_in_lanes, run_lanes
from inferometer.simulating.prediction import PERCENTILES, Prediction
from inferometer.simulating.system import Routing, SimulatedSystem
from inferometer.simulating.tally import Estimate, Tally

__all__ = ["DEFAULT_QUERIES", "predict"]

DEFAULT_QUERIES = 2_000_000
_MOST_EVENTS = 400_000
_GROUPS = 20
_CELLS = 4_000_000
_LANE_QUERIES = 4_000
_SHORTEST_LANE = 2_000
_WARM_UP = 0.2
_FEWEST_REPLICAS = 50
_PER_REPLICA = 2_000
_FULL = 0.999


def predict(
    system: SimulatedSystem,
    qps: float,
    queries: int = DEFAULT_QUERIES,
    seed: int = 0,
    note: Callable[[str], None] = lambda _: None,
) -> Prediction:
    """Simulate Poisson arrivals of queries of one sample at a rate.

    At most so many queries are simulated; the first fifth only fills the system up. The same
    seed gives the same prediction, and at another rate the same luck.
    """
    if qps >= system.saturation_qps * _FULL:
        return _overloaded(system, qps)
    if can_run_in_lanes(system):
        return _by_lanes(system, qps, queries, seed, note)
    return _by_events(system, qps, queries, seed, note)


def _overloaded(system: SimulatedSystem, qps: float) -> Prediction:
    never = Estimate(math.inf, math.inf, math.inf)
    return Prediction(
        system=system,
        qps=qps,
        latency=dict.fromkeys(PERCENTILES, never),
        mean=never,
        utilisation=1.0,
        batch=float(system.batching.max_batch),
        waiting=math.inf,
        outstanding=math.inf,
        queries=0,
        method=f"nothing to simulate: at most {system.saturation_qps:,.6g} queries a second can "
        "be answered, and the queue grows for ever",
    )


def _by_lanes(
    system: SimulatedSystem, qps: float, queries: int, seed: int, note: Callable[[str], None]
) -> Prediction:
    lanes, each = _lanes_for(system.replicas, queries)
    tally, totals = Tally(_GROUPS), LaneTotals()
    at_once = max(_GROUPS, _CELLS // each)
    streams = np.random.SeedSequence(seed).spawn(-(-lanes // at_once))
    for number, first in enumerate(range(0, lanes, at_once)):
        groups = np.arange(first, min(first + at_once, lanes)) % _GROUPS
        part = run_lanes(
            system,
            qps / system.replicas,
            groups,
            each,
            np.random.default_rng(streams[number]),
            tally,
        )
        totals.queries += part.queries
        totals.calls += part.calls
        totals.busy_ns += part.busy_ns
        totals.span_ns += part.span_ns
        note(f"{totals.queries:,} of {lanes * each:,} queries simulated")
    workers = system.batching.workers
    busy = totals.busy_ns / totals.span_ns
    return _made(
        system,
        qps,
        tally,
        utilisation=busy / workers,
        batch=totals.queries / totals.calls,
        in_service=busy * system.replicas * totals.queries / totals.calls,
        queries=totals.queries,
        method=_lanes_method(system, lanes, each),
    )


def _lanes_for(replicas: int, queries: int) -> tuple[int, int]:
    """Give how many replicas are simulated, and for how many queries each."""
    if replicas >= _GROUPS and queries // replicas >= _SHORTEST_LANE:
        return replicas, queries // replicas
    lanes = max(_GROUPS, queries // _LANE_QUERIES)
    return lanes, max(100, queries // lanes)


def _lanes_method(system: SimulatedSystem, lanes: int, each: int) -> str:
    if lanes == system.replicas:
        what = f"each of {lanes:,} replicas, {each:,} queries each"
    elif lanes < system.replicas:
        what = f"a sample of {lanes:,} of {system.replicas:,} replicas, {each:,} queries each"
    else:
        what = f"{lanes:,} independent stretches of a replica, {each:,} queries each"
    return f"every query of {what}; the replicas depend on nothing but what comes to them"


def _by_events(
    system: SimulatedSystem, qps: float, queries: int, seed: int, note: Callable[[str], None]
) -> Prediction:
    queries = min(queries, _MOST_EVENTS)
    replicas = _cluster_for(system, queries)
    note(f"{queries:,} queries, event by event")
    happened, tally = _run(system, qps, replicas, queries, seed)
    scale_error = None
    if replicas < system.replicas and system.routing is not Routing.RANDOM:
        _, half = _run(system, qps, replicas // 2, queries // 2, seed + 1)
        whole = tally.percentile(0.99).value
        scale_error = abs(whole - half.percentile(0.99).value) / whole
    workers = system.batching.workers * replicas
    batch = happened.samples / max(1, happened.calls)
    busy = happened.busy_ns / happened.span_ns
    made = _made(
        system,
        qps,
        tally,
        utilisation=busy / workers,
        batch=batch,
        in_service=busy * batch * system.replicas / replicas,
        queries=queries,
        method=_events_method(system, replicas, queries),
    )
    return replace(
        made,
        lost=happened.lost / queries,
        retried=happened.retried / queries,
        scale_error=scale_error,
    )


def _cluster_for(system: SimulatedSystem, queries: int) -> int:
    """Give how many replicas are simulated: all, or enough for each to see many queries.

    A shared queue is never made smaller: how long it is depends on how many take from it.
    """
    if system.routing is Routing.SHARED_QUEUE:
        return system.replicas
    return min(system.replicas, max(_FEWEST_REPLICAS, queries // _PER_REPLICA))


def _run(
    system: SimulatedSystem, qps: float, replicas: int, queries: int, seed: int
) -> tuple[Happened, Tally]:
    rate = qps * replicas / system.replicas
    happened = run_events(system.with_replicas(replicas), rate, queries, seed)
    tally = Tally(_GROUPS)
    first = int(queries * _WARM_UP)
    latency = happened.latency_ns[first:]
    group = np.arange(len(latency)) * _GROUPS // len(latency)
    answered = ~np.isnan(latency)
    tally.add(latency[answered], group[answered])
    return happened, tally


def _events_method(system: SimulatedSystem, replicas: int, queries: int) -> str:
    if replicas == system.replicas:
        return f"every event of {queries:,} queries through all {replicas:,} replicas"
    return (
        f"every event of {queries:,} queries through {replicas:,} replicas that stand for "
        f"{system.replicas:,}, at the same load each"
    )


def _made(
    system: SimulatedSystem,
    qps: float,
    tally: Tally,
    *,
    utilisation: float,
    batch: float,
    in_service: float,
    queries: int,
    method: str,
) -> Prediction:
    """Put a prediction together; how many are in the system follows from Little's law."""
    mean = tally.mean()
    outstanding = qps * mean.value / 1e9
    return Prediction(
        system=system,
        qps=qps,
        latency={fraction: tally.percentile(fraction) for fraction in PERCENTILES},
        mean=mean,
        utilisation=min(1.0, utilisation),
        batch=batch,
        waiting=max(0.0, outstanding - in_service),
        outstanding=outstanding,
        queries=queries,
        method=method,
        tally=tally,
    )
