"""Validation: predictions held against a real workload, measured in laps on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inferometer.loadgen import (
    CoreError,
    Scenario,
    SeriesRecord,
    keep_core,
    kept_core,
)
from inferometer.loadgen.cores import usable_cores
from inferometer.runs import RunRequest
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import ServingOptions
from inferometer.simulating.check import TOLERANCE, LoadCheck, Validation
from inferometer.simulating.fitting import fit_laps
from inferometer.simulating.lane_arrivals import Arrivals
from inferometer.simulating.replaying import replayed_percentiles
from inferometer.simulating.server_run import run_server
from inferometer.simulating.system import Batching, Network

__all__ = ["LOADS", "TOLERANCE", "Lap", "LoadCheck", "Validation", "Ways", "checked", "validate"]

LOADS = (0.5, 0.7, 0.85)
"""Shares of the saturation throughput at which predictions are held against real runs."""

_CALIBRATION = (0.4, 0.6, 0.78, 0.92)
_OVERLOAD = 1.3
_OVERLOAD_S = 1.0
_PERCENTILE = 0.99
_SIMULATIONS = 15


@dataclass(frozen=True)
class Ways:
    """How a validation goes.

    workers:
        ``None`` for one less than there are cores. The generator has a core for itself where
        there are more than these.
    laps:
        How often each load is run. A lap is short, and the runs in it come in random order, so
        that a machine that slows down slows all of them.
    seconds:
        Length of each run that is compared; those that a description is fitted to are half as
        long.
    """

    backend: str = "onnxruntime"
    workers: int | None = None
    max_batch: int = 32
    max_wait_ms: float = 0.0
    laps: int = 20
    seconds: float = 2.0
    seed: int = 0


@dataclass(frozen=True)
class Lap:
    """What was recorded in a lap.

    calibration:
        Runs that a description is fitted to, and ``overloaded``, with more than can be answered.
    real:
        Runs that predictions are held against, by load.
    """

    saturation_qps: float
    overloaded: SeriesRecord
    calibration: tuple[SeriesRecord, ...]
    real: dict[float, SeriesRecord]


def validate(
    workload: str, ways: Ways | None = None, note: Callable[[str], None] = lambda _: None
) -> Validation:
    """Measure a workload on this machine, fit a description, and compare at some loads.

    The description is fitted to runs at other rates than those that it is held against, of all
    laps; how fast each lap was as a whole is told from its own of them.
    Raises what loading or running the workload raises.
    """
    ways = ways or Ways()
    cores = usable_cores()
    workers = ways.workers or max(1, cores - 1)
    with contextlib.ExitStack() as stack:
        if workers < cores and kept_core() is None:
            with contextlib.suppress(CoreError):
                stack.enter_context(keep_core())
        return _validated(workload, workers, ways, note)


def _validated(workload: str, workers: int, ways: Ways, note: Callable[[str], None]) -> Validation:
    serving = ServingOptions("pool", workers, ways.max_batch, ways.max_wait_ms)
    request = RunRequest(workload, Path("unused"), backend=ways.backend, serving=serving)
    loaded = LoadedWorkload(request.for_scenario(Scenario.SERVER), note)
    try:
        loaded.warm_up()
        bench = _Bench(loaded, ways)
        laps = _laps(bench, loaded.pace.samples_per_s * _OVERLOAD, ways, note)
        return checked(workload, laps, bench.batching(), ways.seed)
    finally:
        loaded.close()


def _laps(
    bench: _Bench, first_qps: float, ways: Ways, note: Callable[[str], None]
) -> tuple[Lap, ...]:
    random = np.random.default_rng(ways.seed)
    most = _answered(bench.overload(first_qps))
    loads = (*_CALIBRATION, *LOADS)
    laps = []
    for number in range(1, ways.laps + 1):
        overloaded = bench.overload(most * _OVERLOAD)
        most = _answered(overloaded)
        runs = {}
        for at in random.permutation(len(loads)):
            share = 1.0 if loads[at] in LOADS else 0.5
            runs[loads[at]] = bench.run(loads[at] * most, share * ways.seconds)
        real = {load: runs[load] for load in LOADS}
        laps.append(Lap(most, overloaded, tuple(runs[load] for load in _CALIBRATION), real))
        told = ", ".join(f"{load:.0%} {_p99(series) / 1e6:.3g} ms" for load, series in real.items())
        note(f"lap {number} of {ways.laps}: saturation {most:,.4g}/s; p99 at {told}")
    return tuple(laps)


def checked(workload: str, laps: Sequence[Lap], batching: Batching, seed: int = 0) -> Validation:
    """Fit a description to the calibration runs of laps, and hold it against the others."""
    fitted = fit_laps(
        [lap.calibration for lap in laps],
        batching,
        f"{workload}, fitted",
        [lap.overloaded for lap in laps],
    )
    # What the generator was late by is in the arrivals that are replayed.
    system = replace(fitted.system, network=Network())
    checks = []
    for number, load in enumerate(LOADS):
        real = [lap.real[load] for lap in laps]
        arrivals = [
            Arrivals(
                series.issued_ns.astype(np.float64), series.scheduled_ns.astype(np.float64), factor
            )
            for series, factor in zip(real, fitted.factors, strict=True)
        ]
        found = replayed_percentiles(system, arrivals, _PERCENTILE, _SIMULATIONS, seed + number)
        qps = float(np.mean([load * lap.saturation_qps for lap in laps]))
        predicted = tuple(np.median(found, axis=1).tolist())
        checks.append(LoadCheck(load, qps, tuple(map(_p99, real)), predicted))
    saturation = tuple(lap.saturation_qps for lap in laps)
    return Validation(workload, fitted.system, saturation, tuple(checks))


def _answered(series: SeriesRecord) -> float:
    """Give the answers a second while more comes than can be answered."""
    last, done = int(series.issued_ns[-1]), np.sort(series.completed_ns)
    begin = last // 5
    counted = int(np.searchsorted(done, last) - np.searchsorted(done, begin))
    return counted / (last - begin) * 1e9


def _p99(series: SeriesRecord) -> float:
    return float(np.quantile(series.latency_ns, _PERCENTILE))


class _Bench:
    """Runs Server on a loaded workload, each time with other arrivals."""

    def __init__(self, loaded: LoadedWorkload, ways: Ways):
        self._loaded, self._ways = loaded, ways
        self._runs = 0

    def batching(self) -> Batching:
        """Give how the workload forms batches."""
        serving, described = self._loaded.serve(Scenario.SERVER)
        serving.close()
        return Batching(
            described["workers"], described["max_batch_size"], described["max_wait_s"] * 1e9
        )

    def run(self, qps: float, seconds: float) -> SeriesRecord:
        """Run at a rate, and give what happened; see `run_server`."""
        self._runs += 1
        return run_server(self._loaded, qps, seconds, self._ways.seed + self._runs)

    def overload(self, qps: float) -> SeriesRecord:
        """Run for a short time at a rate that can't be answered."""
        return self.run(qps, min(_OVERLOAD_S, self._ways.seconds / 2))
