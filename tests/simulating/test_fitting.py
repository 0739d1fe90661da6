"""Fitting: a system whose truth is known is recorded, fitted, and predicted at other loads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from inferometer.loadgen import Scenario, Settings
from inferometer.runs import load_session
from inferometer.simulating import (
    BatchTime,
    Cold,
    Drift,
    Lognormal,
    SimulationError,
    Slack,
    Stalls,
    fit_laps,
    fit_run,
    fit_system,
    run_scenario,
)
from tests.simulating.systems import MS, in_lanes, recorded, system_of, with_service

TRUTHS = {
    "one worker": system_of(Lognormal(1.0, 0.3), setup_ms=1.0, sample_ms=0.4, max_batch=8),
    "contention": system_of(
        Lognormal(1.0, 0.2), setup_ms=1.0, sample_ms=0.4, workers=2, max_batch=8, contention=0.6
    ),
    "waking": with_service(
        system_of(Lognormal(1.0, 0.2), workers=2, max_batch=4), wake_ns=0.4 * MS
    ),
    "cold": with_service(
        system_of(Lognormal(1.0, 0.2), setup_ms=0.5, sample_ms=0.5, max_batch=8),
        cold=Cold(0.6 * MS, 4.0 * MS, 0.5 * MS),
    ),
    "waiting": system_of(
        Lognormal(1.0, 0.2), setup_ms=1.0, sample_ms=0.4, max_batch=8, max_wait_ms=2.0
    ),
}


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


def test_how_workers_cool_is_found() -> None:
    truth = TRUTHS["cold"]
    loads = [share * truth.saturation_qps for share in (0.2, 0.5, 0.8)]
    series = [recorded(truth, qps, seed) for seed, qps in enumerate(loads)]
    found = fit_system(series, truth.batching, "fitted").service
    assert found.cold is not None
    assert found.cold.extra_ns == pytest.approx(0.6 * MS, rel=0.15)
    assert found.cold.cools_ns in (2 * MS, 4 * MS, 8 * MS)
    assert found.cold.warms_ns <= 1 * MS
    assert found.wake_ns == pytest.approx(0.0, abs=0.06 * MS)
    plain = fit_system([recorded(TRUTHS["one worker"], 500, 1)], truth.batching, "fitted")
    assert plain.service.cold is None


def test_slack_is_found_in_runs_of_different_load() -> None:
    plain = system_of(Lognormal(1.0, 0.2), setup_ms=0.5, sample_ms=0.5, max_batch=8)
    truth = with_service(plain, slack=Slack(0.3, 0.5))
    loads = [share * truth.saturation_qps for share in (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)]
    for system in (plain, truth):
        series = [recorded(system, qps, seed) for seed, qps in enumerate(loads)]
        found = fit_system(series, truth.batching, "fitted").service
        assert found.mean_ns(2) == pytest.approx(1.5 * MS, rel=0.03)
        if system is truth:
            assert found.slack is not None
            assert found.slack.excess == pytest.approx(0.3, abs=0.06)
        else:
            assert found.slack is None
    few = [recorded(truth, 800, seed, 1.0) for seed in range(4)]
    assert fit_system(few, truth.batching, "fitted").service.slack is None


def test_scatter_is_found_in_runs_of_different_load() -> None:
    plain = system_of(Lognormal(1.0, 0.1), setup_ms=0.5, sample_ms=0.5, max_batch=8)
    loads = [share * plain.saturation_qps for share in (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)]
    for scatter in (0.0, 2.0):
        truth = with_service(plain, slack=Slack(0.0, 0.5, scatter))
        series = [recorded(truth, qps, seed) for seed, qps in enumerate(loads)]
        found = fit_system(series, truth.batching, "fitted").service
        assert found.mean_ns(2) == pytest.approx(1.5 * MS, rel=0.02)
        told = 0.0 if found.slack is None else found.slack.scatter
        assert told == pytest.approx(scatter, abs=0.5)


def test_stalls_are_found_and_are_no_part_of_how_calls_scatter() -> None:
    plain = system_of(Lognormal(1.0, 0.1), setup_ms=0.5, sample_ms=0.5, max_batch=8)
    truth = with_service(plain, stalls=Stalls(20.0, Lognormal(6 * MS, 0.3)))
    loads = [share * truth.saturation_qps for share in (0.3, 0.6, 0.9)]
    series = [recorded(truth, qps, seed, 8.0) for seed, qps in enumerate(loads)]
    found = fit_system(series, truth.batching, "fitted").service
    assert found.stalls is not None
    assert found.stalls.per_s == pytest.approx(20.0, rel=0.2)
    assert found.stalls.lasting.mean == pytest.approx(6 * MS, rel=0.1)
    assert found.mean_ns(2) == pytest.approx(1.5 * MS, rel=0.02)
    assert found.rows[0].shape.draw(np.random.default_rng(1), 20_000).max() < 1.7
    steady = fit_system([recorded(plain, 800, 1)], plain.batching, "fitted").service
    assert steady.stalls is None


def test_gathering_is_found() -> None:
    plain = system_of(Lognormal(1.0, 0.1), setup_ms=0.5, sample_ms=0.5, max_batch=8)
    truth = with_service(plain, gather_ns=0.1 * MS)
    found = fit_system([recorded(truth, 800, 1)], truth.batching, "fitted").service
    assert found.gather_ns == pytest.approx(0.1 * MS, rel=0.02)
    assert found.mean_ns(2) == pytest.approx(1.5 * MS, rel=0.02)


def test_woken_calls_have_a_shape_of_their_own() -> None:
    rows = (BatchTime(1, 1.0 * MS, Lognormal(1.0, 0.1), Lognormal(1.0, 0.5)),)
    truth = with_service(system_of(), rows=rows)
    found = fit_system([recorded(truth, 500, 1, 8.0)], truth.batching, "fitted").service.rows[0]
    assert found.woken_shape is not None
    for shape, variation in ((found.shape, 0.1), (found.woken_shape, 0.5)):
        drawn = shape.draw(np.random.default_rng(1), 20_000)
        assert drawn.std() == pytest.approx(variation, rel=0.15)


def test_the_speed_of_each_lap_is_taken_out() -> None:
    truth = TRUTHS["one worker"]
    laps = [
        [
            recorded(dataclasses.replace(truth, service=truth.service.scaled(factor)), qps, seed)
            for seed, qps in enumerate((300, 900))
        ]
        for factor in (0.9, 1.0, 1.2)
    ]
    fitted = fit_laps(laps, truth.batching, "fitted")
    slow = np.array(fitted.factors) / fitted.factors[1]
    assert slow == pytest.approx([0.9, 1.0, 1.2], rel=0.02)
    mean = fitted.system.service.mean_ns(1) * fitted.factors[1]
    assert mean == pytest.approx(truth.service.mean_ns(1), rel=0.03)


def test_an_idle_machine_that_wanders_more_is_found() -> None:
    plain = system_of(Lognormal(1.0, 0.1), setup_ms=0.5, sample_ms=0.5, max_batch=8)
    truth = with_service(plain, drift=Drift(0.04, 0.1, 0.2))
    loads = [share * truth.saturation_qps for share in (0.2, 0.35, 0.5, 0.7, 0.9)]
    series = [recorded(truth, qps, seed, 8.0) for seed, qps in enumerate(loads)]
    found = fit_system(series, truth.batching, "fitted").service.drift
    assert found is not None
    assert found.spread == pytest.approx(0.04, abs=0.025)
    assert found.idle_spread == pytest.approx(0.2, abs=0.06)
    assert 0.05 < found.period_s < 0.2


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
