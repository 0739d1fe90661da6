"""Validation: laps of a system that is known, and one that changes between them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inferometer.simulating import Cold, Exponential, Lognormal, SimulatedSystem
from inferometer.simulating.distribution import Reals
from inferometer.simulating.lane_arrivals import Arrivals
from inferometer.simulating.replaying import replayed_percentiles
from inferometer.simulating.validation import LOADS, Lap, checked
from tests.simulating.systems import MS, recorded, system_of, with_service

TRUTH = with_service(
    system_of(Lognormal(1.0, 0.2), setup_ms=1.0, sample_ms=0.5, max_batch=8),
    cold=Cold(0.4 * MS, 4.0 * MS, 0.5 * MS),
)


def lap_of(system: SimulatedSystem, seed: int, real: SimulatedSystem | None = None) -> Lap:
    most = system.saturation_qps

    def at(share: float, of: SimulatedSystem, number: int) -> object:
        return recorded(of, share * most, 100 * seed + number, 1.5)

    calibration = tuple(at(share, system, n) for n, share in enumerate((0.4, 0.6, 0.78, 0.92)))
    loads = {load: at(load, real or system, 10 + n) for n, load in enumerate(LOADS)}
    return Lap(most, at(1.3, system, 20), calibration, loads)  # type: ignore[arg-type]


def test_a_system_that_is_as_it_was_fitted_is_predicted() -> None:
    slow = [
        dataclasses.replace(TRUTH, service=TRUTH.service.scaled(factor))
        for factor in (0.9, 1.0, 1.1, 1.0)
    ]
    laps = [lap_of(system, seed) for seed, system in enumerate(slow)]
    found = checked("known", laps, TRUTH.batching)
    assert [check.load for check in found.checks] == list(LOADS)
    assert found.is_met, [check.error for check in found.checks]
    assert all(len(check.predicted_ns) == 4 for check in found.checks)
    for check in found.checks[:2]:
        assert max(map(abs, check.errors)) < 0.3


def test_a_system_that_is_another_in_the_real_runs_is_not() -> None:
    other = dataclasses.replace(TRUTH, service=TRUTH.service.scaled(1.4))
    found = checked("other", [lap_of(TRUTH, 1, other), lap_of(TRUTH, 2, other)], TRUTH.batching)
    assert not found.is_met
    assert all(check.error < -0.15 for check in found.checks)


@pytest.mark.parametrize("wait_ms", [0.0, 1.0])
def test_a_replay_meets_the_arrivals_of_the_run(wait_ms: float) -> None:
    # Two workers that wait together are simulated event by event, all else in lanes.
    system = system_of(workers=2, max_batch=2, max_wait_ms=wait_ms)
    series = recorded(system, 900, 1, 1.0)
    due = series.scheduled_ns.astype(np.float64)
    found = replayed_percentiles(system, [Arrivals(due, due)], 0.99, 2)
    assert found.shape == (1, 2)
    assert found == pytest.approx(float(np.quantile(series.latency_ns, 0.99)), rel=0.001)


@pytest.mark.parametrize("wait_ms", [0.0, 1.0])
def test_latency_counts_from_when_a_query_was_due(wait_ms: float) -> None:
    system = system_of(workers=2, max_batch=2, max_wait_ms=wait_ms)
    came = np.arange(100.0) * 20 * MS
    found = replayed_percentiles(system, [Arrivals(came, came - 3 * MS)], 0.5, 1)
    assert found == pytest.approx((4 + wait_ms) * MS)


def test_a_replay_is_slower_by_the_factor_of_the_run() -> None:
    due: Reals = np.arange(50.0) * 20 * MS
    runs = [Arrivals(due, due), Arrivals(due[:30], due[:30], 2.0)]
    found = replayed_percentiles(system_of(), runs, 0.5, 3)
    assert found.tolist() == [[MS] * 3, [2 * MS] * 3]


def test_replays_have_their_own_luck() -> None:
    due = np.cumsum(np.random.default_rng(1).exponential(2 * MS, 200))
    found = replayed_percentiles(system_of(Exponential(1.0)), [Arrivals(due, due)], 0.9, 4, seed=1)
    assert len(set(found[0].tolist())) == 4
    again = replayed_percentiles(system_of(Exponential(1.0)), [Arrivals(due, due)], 0.9, 4, seed=1)
    assert found.tolist() == again.tolist()
