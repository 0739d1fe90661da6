"""Fitting: a system whose truth is known is recorded, fitted, and predicted at other loads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from inferometer.loadgen import (
    RunOptions,
    Scenario,
    SeriesRecord,
    Settings,
    VirtualClock,
    run_test,
)
from inferometer.runs import load_session
from inferometer.simulating import (
    Drift,
    Lognormal,
    SimulatedSystem,
    SimulationError,
    cluster_for,
    fit_run,
    fit_system,
    run_scenario,
)
from inferometer.simulating.scenario import Samples
from tests.simulating.systems import MS, in_lanes, system_of

TRUTHS = {
    "one worker": system_of(Lognormal(1.0, 0.3), setup_ms=1.0, sample_ms=0.4, max_batch=8),
    "contention": system_of(
        Lognormal(1.0, 0.2), setup_ms=1.0, sample_ms=0.4, workers=2, max_batch=8, contention=0.6
    ),
    "waking": dataclasses.replace(
        system_of(workers=2, max_batch=4),
        service=dataclasses.replace(system_of(Lognormal(1.0, 0.2)).service, wake_ns=0.4 * MS),
    ),
    "waiting": system_of(
        Lognormal(1.0, 0.2), setup_ms=1.0, sample_ms=0.4, max_batch=8, max_wait_ms=2.0
    ),
}


def recorded(system: SimulatedSystem, qps: float, seed: int) -> SeriesRecord:
    clock = VirtualClock()
    settings = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=qps,
        min_duration_ms=4000,
        schedule_rng_seed=seed,
    )
    sut = cluster_for(system, Scenario.SERVER, clock, seed)
    series = run_test(sut, Samples(), settings, RunOptions(clock=clock)).recording.performance
    assert series is not None
    return series


@pytest.mark.parametrize("name", TRUTHS)
def test_a_fitted_system_predicts_what_the_true_one_does(name: str) -> None:
    truth = TRUTHS[name]
    loads = [share * truth.saturation_qps for share in (0.2, 0.55, 0.9)]
    series = [recorded(truth, qps, seed) for seed, qps in enumerate(loads)]
    fitted = fit_system(series, truth.batching, "fitted")
    for size in (1, 4):
        assert fitted.service.mean_ns(size) == pytest.approx(truth.service.mean_ns(size), rel=0.07)
    assert fitted.service.contention == pytest.approx(truth.service.contention, abs=0.08)
    assert fitted.service.wake_ns == pytest.approx(truth.service.wake_ns, abs=0.1 * MS)
    for share in (0.5, 0.75):
        qps = share * truth.saturation_qps
        mine, true = (in_lanes(one, qps, each=500)[0].percentile(0.99) for one in (fitted, truth))
        assert mine.value == pytest.approx(true.value, rel=0.1)


def test_drift_is_found() -> None:
    plain = system_of(Lognormal(1.0, 0.2))
    service = dataclasses.replace(plain.service, drift=Drift(0.2, 2.0))
    wandering = dataclasses.replace(plain, service=service)
    series = [recorded(wandering, 400, seed) for seed in range(4)]
    found = fit_system(series, wandering.batching, "fitted").service.drift
    assert found is not None
    assert found.spread == pytest.approx(0.2, abs=0.08)
    steady = fit_system([recorded(plain, 400, 1)], plain.batching, "fitted").service.drift
    assert steady is None


def test_a_run_folder_is_fitted(tmp_path: Path) -> None:
    settings = Settings(scenario=Scenario.SERVER, server_target_qps=300, min_duration_ms=2000)
    truth = TRUTHS["one worker"]
    run_scenario(truth, settings, tmp_path / "run", "inferometer simulate")
    fitted = fit_run(load_session(tmp_path / "run"))
    assert fitted.batching == truth.batching
    assert fitted.service.mean_ns(1) == pytest.approx(1.4 * MS, rel=0.05)


def test_a_cluster_is_no_pool_to_fit(tmp_path: Path) -> None:
    settings = Settings(scenario=Scenario.SERVER, server_target_qps=300, min_duration_ms=500)
    run_scenario(system_of(replicas=2), settings, tmp_path / "run", "inferometer simulate")
    with pytest.raises(SimulationError, match="record a run with --serving pool"):
        fit_run(load_session(tmp_path / "run"))
