"""Validation: predictions held against a real workload, measured in turns on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inferometer.loadgen import Scenario, SeriesRecord, Settings, run_test
from inferometer.runs import RunRequest
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import ServingOptions
from inferometer.simulating.fitting import fit_system
from inferometer.simulating.predicting import predict
from inferometer.simulating.system import Batching, SimulatedSystem, SimulationError
from inferometer.simulating.tally import Estimate

__all__ = ["LOADS", "LoadCheck", "Validation", "Ways", "validate"]

LOADS = (0.5, 0.7, 0.85)
"""Shares of the saturation throughput at which predictions are held against real runs."""

TOLERANCE = 0.15
"""How far the predicted 99th percentile may be off, as a share of the real one."""

_CALIBRATION = (0.3, 0.6, 0.8)
_OVERLOAD = 1.3
_OVERLOAD_S = 3.0
_PERCENTILE = 0.99
_SIMULATED = 1_000_000
_NEVER_TOO_SLOW_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Ways:
    """How a validation goes.

    laps:
        How often each load is run; loads, and the runs that the description is fitted to, come
        in turns, so that a machine that slows down slows all of them.
    seconds:
        Length of a run.
    """

    backend: str = "onnxruntime"
    workers: int | None = None
    max_batch: int = 32
    max_wait_ms: float = 0.0
    laps: int = 5
    seconds: float = 10.0
    seed: int = 0


@dataclass(frozen=True)
class LoadCheck:
    """One load, real and predicted. Latencies are the 99th percentile, ns.

    real_ns:
        Of each lap.
    """

    load: float
    qps: float
    real_ns: tuple[float, ...]
    predicted_ns: Estimate

    @property
    def median_ns(self) -> float:
        """The median of the laps."""
        return float(np.median(self.real_ns))

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of the median of the laps."""
        return self.predicted_ns.value / self.median_ns - 1.0

    @property
    def scatter(self) -> float:
        """How far the laps lie apart, as half their range over their median."""
        return (max(self.real_ns) - min(self.real_ns)) / 2 / self.median_ns

    @property
    def is_met(self) -> bool:
        """Whether the prediction is within the tolerance."""
        return abs(self.error) <= TOLERANCE


@dataclass(frozen=True)
class Validation:
    """What a validation came to.

    saturation_qps:
        Answers a second under more load than can be answered, of each lap.
    """

    workload: str
    system: SimulatedSystem
    saturation_qps: tuple[float, ...]
    checks: tuple[LoadCheck, ...]

    @property
    def is_met(self) -> bool:
        """Whether every prediction is within the tolerance."""
        return all(check.is_met for check in self.checks)


def validate(
    workload: str, ways: Ways | None = None, note: Callable[[str], None] = lambda _: None
) -> Validation:
    """Measure a workload on this machine, fit a description, and compare at some loads.

    The runs that the description is fitted to are others than those it is held against, at
    other rates; of each rate it is the one with the median p99.
    Raises what loading or running the workload raises.
    """
    ways = ways or Ways()
    serving = ServingOptions("pool", ways.workers, ways.max_batch, ways.max_wait_ms)
    request = RunRequest(workload, Path("unused"), backend=ways.backend, serving=serving)
    loaded = LoadedWorkload(request.for_scenario(Scenario.SERVER), note)
    try:
        loaded.warm_up()
        return _validated(workload, loaded, ways, note)
    finally:
        loaded.close()


def _validated(
    workload: str, loaded: LoadedWorkload, ways: Ways, note: Callable[[str], None]
) -> Validation:
    batching = _batching(loaded)
    bench = _Bench(loaded, ways)
    overloaded = [bench.overload(loaded.pace.samples_per_s * _OVERLOAD)]
    first = _answered(overloaded[0])
    note(f"saturation: {first:,.4g} queries a second")
    fitted_to: dict[float, list[SeriesRecord]] = {load: [] for load in _CALIBRATION}
    real: dict[float, list[float]] = {load: [] for load in LOADS}
    for lap in range(ways.laps):
        turns = list(zip(_CALIBRATION, LOADS, strict=True))
        for calibration, load in turns if lap % 2 == 0 else reversed(turns):
            fitted_to[calibration].append(bench.run(calibration * first))
            real[load].append(_p99(bench.run(load * first)))
        overloaded.append(bench.overload(first * _OVERLOAD))
        told = ", ".join(f"{load:.0%} {real[load][-1] / 1e6:.3g} ms" for load in LOADS)
        most = _answered(overloaded[-1])
        note(f"lap {lap + 1} of {ways.laps}: p99 at {told}; saturation {most:,.4g}/s")
    middle = [_middle(runs) for runs in fitted_to.values()]
    full = sorted(overloaded, key=_answered)[len(overloaded) // 2]
    system = fit_system(middle, batching, f"{workload}, fitted", overloaded=[full])
    saturation = tuple(_answered(series) for series in overloaded)
    return Validation(workload, system, saturation, _checks(system, first, real, ways.seed))


def _checks(
    system: SimulatedSystem, saturation: float, real: dict[float, list[float]], seed: int
) -> tuple[LoadCheck, ...]:
    checks = []
    for load, values in real.items():
        made = predict(system, load * saturation, _SIMULATED, seed)
        checks.append(
            LoadCheck(load, load * saturation, tuple(values), made.percentile(_PERCENTILE))
        )
    return tuple(checks)


def _batching(loaded: LoadedWorkload) -> Batching:
    serving, described = loaded.serve(Scenario.SERVER)
    serving.close()
    return Batching(
        described["workers"], described["max_batch_size"], described["max_wait_s"] * 1e9
    )


def _middle(runs: Sequence[SeriesRecord]) -> SeriesRecord:
    """Give the run with the median p99, as it is the median lap that is compared.

    A machine that stood still in one run would else be part of the system.
    """
    return sorted(runs, key=_p99)[(len(runs) - 1) // 2]


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

    def run(self, qps: float, seconds: float | None = None) -> SeriesRecord:
        """Run at a rate, and give what happened. Raises the system's own error."""
        self._runs += 1
        settings = Settings(
            scenario=Scenario.SERVER,
            server_target_qps=qps,
            server_target_latency_ns=_NEVER_TOO_SLOW_NS,
            min_duration_ms=round((seconds or self._ways.seconds) * 1000),
            min_query_count=1,
            schedule_rng_seed=self._ways.seed + self._runs,
            sample_index_rng_seed=self._ways.seed + self._runs,
        )
        serving, _ = self._loaded.serve(Scenario.SERVER)
        try:
            outcome = run_test(serving, self._loaded.library, settings)
        finally:
            serving.close()
        if outcome.error is not None:
            raise outcome.error
        series = outcome.recording.performance
        if series is None or not bool(series.is_complete.all()):
            raise SimulationError(f"the run at {qps:g} queries a second was cut off")
        return series

    def overload(self, qps: float) -> SeriesRecord:
        """Run for a short time at a rate that can't be answered."""
        return self.run(qps, min(_OVERLOAD_S, self._ways.seconds))
