"""Scale: lanes against single events, and what is counted in bins against what is sorted."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from inferometer.simulating import (
    Answer,
    BatchTime,
    Bound,
    Cold,
    Constant,
    Drift,
    Exponential,
    Gamma,
    Lognormal,
    Network,
    Routing,
    SimulatedSystem,
    SimulationError,
    Slack,
    capacity_of,
    predict,
    replicas_for,
)
from inferometer.simulating.events import run_events
from inferometer.simulating.tally import Tally
from tests.simulating.systems import MS, in_lanes, system_of

pytestmark = pytest.mark.slow

DRIFTING = dataclasses.replace(
    system_of(Gamma(1.0, 0.4), workers=2, contention=0.4),
    service=dataclasses.replace(system_of(Gamma(1.0, 0.4)).service, drift=Drift(0.2, 0.05)),
)


def lengthened(
    workers: int, max_batch: int = 1, wait_ms: float = 0.0, **more: Any
) -> SimulatedSystem:
    """A system whose calls take longer by what was before them."""
    system = system_of(
        Gamma(1.0, 0.5), workers=workers, max_batch=max_batch, contention=0.2, max_wait_ms=wait_ms
    )
    return dataclasses.replace(system, service=dataclasses.replace(system.service, **more))


COLD = Cold(1.0 * MS, 3.0 * MS, 0.5 * MS)
WOKEN = (BatchTime(1, 1.0 * MS, Constant(1.0), Exponential(1.0)),)
SYSTEMS: dict[str, tuple[SimulatedSystem, float]] = {
    "batches": (system_of(Lognormal(1.0, 0.3), setup_ms=2, sample_ms=0.5, max_batch=8), 900),
    "waiting": (
        system_of(Lognormal(1.0, 0.3), setup_ms=2, sample_ms=0.5, max_batch=8, max_wait_ms=3),
        900,
    ),
    "contention": (
        system_of(
            Gamma(1.0, 0.5), setup_ms=1, sample_ms=0.5, workers=2, max_batch=4, contention=0.5
        ),
        1200,
    ),
    "drift": (DRIFTING, 700),
    "waking": (
        dataclasses.replace(
            system_of(workers=2),
            service=dataclasses.replace(system_of(Gamma(1.0, 0.5)).service, wake_ns=0.5e6),
        ),
        1200,
    ),
    "waking from a wait": (
        dataclasses.replace(
            system_of(max_batch=4, max_wait_ms=2),
            service=dataclasses.replace(system_of(Gamma(1.0, 0.5)).service, wake_ns=0.5e6),
        ),
        600,
    ),
    "cold": (lengthened(1, cold=COLD), 500),
    "cold workers": (lengthened(3, 4, cold=COLD, wake_ns=0.2 * MS), 1500),
    "cold from a wait": (lengthened(1, 4, 2.0, cold=COLD), 500),
    "slack": (lengthened(2, slack=Slack(0.6, 0.05)), 1000),
    "gathering": (lengthened(2, 4, wake_ns=0.3 * MS, gather_ns=0.2 * MS), 1000),
    "scatter": (lengthened(2, slack=Slack(0.2, 0.05, 2.0)), 1000),
    "idle drift": (lengthened(2, drift=Drift(0.05, 0.05, 0.4)), 900),
    "woken shape": (lengthened(2, rows=WOKEN), 1000),
    "all of it": (
        lengthened(2, 4, rows=WOKEN, cold=COLD, slack=Slack(0.4, 0.1), drift=Drift(0.1, 0.1, 0.1)),
        900,
    ),
    "network": (
        system_of(
            Exponential(1.0),
            network=Network(Lognormal(0.5 * MS, 0.5), Constant(0.2 * MS), 1e5, 1e4, 1e9),
        ),
        600,
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_lanes_are_as_single_events(name: str) -> None:
    system, rate = SYSTEMS[name]
    tally, totals = in_lanes(system, rate, lanes=200, each=1200)
    one = run_events(system, rate, 30_000, seed=1)
    exact = Tally(20)
    exact.add(one.latency_ns[5000:], np.arange(25_000) * 20 // 25_000)
    for mine, other in (
        (tally.mean(), exact.mean()),
        (tally.percentile(0.9), exact.percentile(0.9)),
        (tally.percentile(0.99), exact.percentile(0.99)),
    ):
        room = math.hypot(mine.high - mine.low, other.high - other.low) / 2
        assert abs(mine.value - other.value) < 1.5 * room
        assert room < 0.25 * mine.value
    assert totals.queries / totals.calls == pytest.approx(one.samples / one.calls, rel=0.05)


def test_round_robin_lanes_are_as_a_cluster() -> None:
    system = system_of(Exponential(1.0), replicas=4, routing=Routing.ROUND_ROBIN)
    made = predict(system, 3200, 30_000)
    events = run_events(system, 3200, 20_000, seed=5).latency_ns[4000:]
    assert made.mean.value == pytest.approx(float(events.mean()), rel=0.08)


def test_a_tally_gives_the_percentiles_of_what_it_counts() -> None:
    values = np.random.default_rng(1).lognormal(14.0, 1.0, 50_000)
    tally = Tally(10)
    for part in np.split(values, 50):
        tally.add(part, np.arange(len(part)) % 10)
    for fraction in (0.5, 0.99, 0.999):
        found = tally.percentile(fraction)
        assert found.value == pytest.approx(float(np.quantile(values, fraction)), rel=0.005)
        assert found.low <= found.value <= found.high
    assert tally.mean().value == pytest.approx(float(values.mean()))
    limit = 5e6
    assert tally.share_above(limit).value == pytest.approx(float((values > limit).mean()), abs=1e-3)


def test_the_same_seed_predicts_the_same() -> None:
    system = system_of(Exponential(1.0), replicas=30)
    one, same, other = (predict(system, 15_000, 50_000, seed) for seed in (1, 1, 2))
    assert one.latency == same.latency != other.latency


def test_too_much_load_is_said_and_not_simulated() -> None:
    made = predict(system_of(replicas=10), 10_000)
    assert not made.is_stable
    assert made.queries == 0
    assert made.keeps(1e12, 0.99) is Answer.MISSED


def test_bounds_are_kept_missed_or_too_close() -> None:
    made = predict(system_of(Exponential(1.0)), 500, 50_000)
    p99 = made.percentile(0.99)
    assert made.keeps(p99.high * 1.01, 0.99) is Answer.MET
    assert made.keeps(p99.low * 0.99, 0.99) is Answer.MISSED
    assert made.keeps(p99.value, 0.99) is Answer.OPEN


def test_the_capacity_of_one_exponential_server_is_the_known_one() -> None:
    # p99 of M/M/1 is ln 100 / (1 - load) of the service time.
    found = capacity_of(system_of(Exponential(1.0)), Bound(20 * MS), 10_000)
    assert found is not None
    known = 1000 * (1 - math.log(100) / 20)
    assert found.qps.low * 0.97 < known < found.qps.high * 1.03
    assert found.qps.value == pytest.approx(known, rel=0.06)


def test_no_rate_keeps_a_bound_below_the_service_time() -> None:
    assert capacity_of(system_of(), Bound(0.5 * MS), 2_000) is None
    with pytest.raises(SimulationError, match=r"no number of replicas keeps 0\.5 ms"):
        replicas_for(system_of(), 5000, Bound(0.5 * MS), 2_000)


def test_the_fewest_independent_replicas_are_the_known_number() -> None:
    # One takes 1000 (1 - ln 100 / 8) = 424 queries a second.
    made = replicas_for(system_of(Exponential(1.0)), 4000, Bound(8 * MS), 6_000)
    assert made.system.replicas in (9, 10, 11)


def test_one_replica_less_than_the_fewest_breaks_the_bound() -> None:
    bound = Bound(8 * MS)
    system = system_of(Exponential(1.0), routing=Routing.LEAST_OUTSTANDING)
    made = replicas_for(system, 4000, bound, 6_000)
    assert bound.is_kept(made)
    fewer = predict(made.system.with_replicas(made.system.replicas - 1), 4000, 6_000)
    assert not bound.is_kept(fewer)


def test_a_large_cluster_is_sampled_and_says_so() -> None:
    independent = predict(system_of(Exponential(1.0), replicas=10_000), 7e6, 100_000)
    assert "a sample of 25 of 10,000 replicas" in independent.method
    system = system_of(Exponential(1.0), replicas=10_000, routing=Routing.TWO_CHOICES)
    made = predict(system, 7e6, 20_000)
    assert "stand for 10,000" in made.method
    assert made.scale_error is not None
    assert made.scale_error < 0.3
