"""Serving: Server capacity beside the published v0.5 Python reference's way of serving.

``python -m benchmarks.serving [--quick] [--models NAME[:BOUND_MS] ...]``. Capacity is the
Poisson rate at which 1 % of the queries take longer than the bound, counted from their
scheduled arrivals. All setups run the same model file with the same backend, in one process,
for short slices in turns, because the speed of a shared machine changes from one second to
the next. After each slice a setup's rate goes up by a step if nothing was late, and down by
up to two such steps the more was; the steps become smaller, and the mean of the rates, once
they have, is the capacity. Slices of the same turn draw their arrivals alike.

queue-runner is set up as the reference is: as many threads as cores, each calling a model
that itself takes all cores, its idle threads spinning, which is the framework's default.
Its post-processing, inputs and completions are ours, which are cheaper than the reference's.
Ours has two setups: ``default`` is what `inferometer run` takes unless told otherwise;
``one worker`` has the model take all cores for one batch at a time.

Source of the search: Robbins and Monro, A stochastic approximation method, 1951.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inferometer.backends import BackendOptions
from inferometer.loadgen import Scenario, Settings, run_test
from inferometer.runs import RunRequest, ServingOptions, SystemOptions, usable_cores
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import QUEUE_RUNNER
from inferometer.tuning.shelf import KeptLibrary
from inferometer.workloads import WorkloadOptions

__all__ = ["capacities", "main"]

BAR = 1.5
SAMPLES = 64
BACKEND = "onnxruntime"
CASES = ("mobilenet:50", "pocket-mobilenet:10")
REFERENCE = "queue-runner"
ALLOWED_LATE = 0.01
SLICE_S = 2.0
LEAST_QPS = 2.0

_SETTLING_SLICES = 12
_FIRST_STEP, _STEP, _STEP_RATIO = 0.5, 0.04, 0.8
_MOST_LATE = 3.0
_BLOCKS = 5
_OVERWHELMED_BOUNDS = 10
_FEWEST_OUTSTANDING = 64


@dataclass(frozen=True)
class _Case:
    model: str
    bound_ms: float

    @classmethod
    def of(cls, text: str) -> _Case:
        model, _, bound = text.partition(":")
        return cls(model, float(bound or 10))

    @property
    def request(self) -> RunRequest:
        """The request without a setup."""
        is_pocket = self.model.startswith("pocket")
        options = WorkloadOptions(data=Path("synthetic"), weights="random", count=SAMPLES)
        return RunRequest(
            self.model,
            Path("unused"),
            workload_options=WorkloadOptions() if is_pocket else options,
            backend=BACKEND,
        )


def _setups() -> dict[str, SystemOptions]:
    cores = usable_cores()
    return {
        REFERENCE: SystemOptions(
            BackendOptions(extra={"spinning": "yes"}), ServingOptions(kind=QUEUE_RUNNER)
        ),
        "default": SystemOptions(),
        "one worker": SystemOptions(BackendOptions(threads=cores), ServingOptions(workers=1)),
    }


@dataclass
class _Side:
    """A setup with its model, the rate it runs at next, and what came of each slice."""

    model: LoadedWorkload
    rate_qps: float
    slices: list[_Slice] = field(default_factory=list)

    def settled(self) -> list[_Slice]:
        """Give the slices after the rate has settled."""
        return self.slices[_SETTLING_SLICES:]

    @property
    def capacity_qps(self) -> float:
        """The mean rate, on a logarithmic scale."""
        return math.exp(statistics.fmean(math.log(one.rate_qps) for one in self.settled()))

    @property
    def late_share(self) -> float:
        """The share of all queries that were late."""
        slices = self.settled()
        return sum(one.late for one in slices) / sum(one.queries for one in slices)

    def ratios(self, other: _Side) -> list[float]:
        """Give the capacity over another's in each of a few blocks of neighbouring slices."""
        logs = [
            math.log(one.rate_qps / base.rate_qps)
            for one, base in zip(self.settled(), other.settled(), strict=True)
        ]
        size = -(-len(logs) // _BLOCKS)
        return [
            math.exp(statistics.fmean(logs[start : start + size]))
            for start in range(0, len(logs), size)
        ]


@dataclass(frozen=True)
class _Slice:
    rate_qps: float
    queries: int
    late: int

    def next_qps(self, step: float) -> float:
        """Give the rate of the next slice."""
        share = min(self.late / self.queries / ALLOWED_LATE, _MOST_LATE)
        return max(LEAST_QPS, self.rate_qps * math.exp(step * (1.0 - share)))


def capacities(case: _Case, slices: int, seconds: float) -> dict[str, _Side]:
    """Run every setup for slices of so many seconds, in turns."""
    sides = _loaded_sides(case)
    try:
        for turn in range(_SETTLING_SLICES + slices):
            step = max(_STEP, _FIRST_STEP * _STEP_RATIO**turn)
            names = list(sides)
            for name in names if turn % 2 == 0 else reversed(names):
                side = sides[name]
                side.slices.append(_run_slice(side, case.bound_ms, seconds, turn))
                side.rate_qps = side.slices[-1].next_qps(step)
    finally:
        for side in sides.values():
            side.model.close()
    return sides


def _loaded_sides(case: _Case) -> dict[str, _Side]:
    """Load the model once for each setup, and the samples once for all."""
    library = None
    sides: dict[str, _Side] = {}
    for name, options in _setups().items():
        model = LoadedWorkload(case.request.set_up(options), library=library)
        if library is None:
            library = model.library = KeptLibrary(model.library)
            library.load(np.arange(min(SAMPLES, library.total_sample_count)))
        model.warm_up(0.3, 0.1)
        sides[name] = _Side(model, max(LEAST_QPS, model.pace.samples_per_s / 2))
    return sides


def _run_slice(side: _Side, bound_ms: float, seconds: float, turn: int) -> _Slice:
    bound_ns = int(bound_ms * 1e6)
    outstanding = int(side.rate_qps * bound_ms / 1e3 * _OVERWHELMED_BOUNDS)
    settings = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=side.rate_qps,
        server_target_latency_ns=bound_ns,
        server_max_async_queries=max(_FEWEST_OUTSTANDING, outstanding),
        min_duration_ms=int(seconds * 1e3),
        min_query_count=1,
        schedule_rng_seed=turn + 1,
        sample_index_rng_seed=turn + 1,
    )
    serving, _ = side.model.serve(Scenario.SERVER)
    try:
        outcome = run_test(serving, side.model.library, settings)
    finally:
        serving.close()
    series = outcome.recording.performance
    if outcome.error is not None or series is None:
        raise SystemExit(f"the test failed: {outcome.error}")
    late = int((series.latency_ns > bound_ns).sum())
    return _Slice(side.rate_qps, len(series.latency_ns), late)


def main() -> None:
    """Print capacities and ratios of all cases, and how many bars are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("--quick", action="store_true", help="fewer slices")
    parser.add_argument("--models", nargs="+", default=list(CASES), metavar="NAME[:BOUND_MS]")
    options = parser.parse_args()
    slices = 10 if options.quick else 40
    missed = 0
    for case in map(_Case.of, options.models):
        begun = time.perf_counter()
        sides = capacities(case, slices, SLICE_S)
        took_s = time.perf_counter() - begun
        print(f"{case.model}, p99 within {case.bound_ms:g} ms, {BACKEND} ({took_s:.0f} s)")
        best = 0.0
        for name, side in sides.items():
            ratio = side.capacity_qps / sides[REFERENCE].capacity_qps
            best = max(best, ratio)
            blocks = side.ratios(sides[REFERENCE])
            print(
                f"  {name:<13} {side.capacity_qps:9.1f}/s  late {side.late_share:5.2%}  "
                f"{ratio:5.2f}× [{min(blocks):.2f}–{max(blocks):.2f}]"
            )
        missed += best < BAR
        print(f"  bar: {BAR}× {REFERENCE}: {best:.2f}×, {'met' if best >= BAR else 'MISSED'}")
    print(f"bars missed: {missed}", flush=True)


if __name__ == "__main__":
    main()
