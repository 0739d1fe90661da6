"""Serving: Server capacity beside the published v0.5 Python reference's way of serving.

``python -m benchmarks.serving [--quick] [--models NAME[:BOUND_MS] ...]``. Capacity is the
highest Poisson rate whose p99 latency, counted from the scheduled arrival, keeps the bound.
Both sides run the same model file with the same backend, in one process, and take turns;
the same turn has the same arrivals. Ratios are paired within a turn, and the median counts.

queue-runner is set up as the reference is: as many threads as cores, each calling a model
that itself takes all cores, its idle threads spinning, which is the framework's default.
Its post-processing, inputs and completions are ours, which are cheaper than the reference's.
Ours has two setups: ``default`` is what `inferometer run` takes unless told otherwise;
``one worker`` has the model take all cores for one batch at a time.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inferometer.backends import BackendOptions
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, ServingOptions, SystemOptions, usable_cores
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import QUEUE_RUNNER
from inferometer.tuning.shelf import KeptLibrary
from inferometer.tuning.trial import Meter
from inferometer.workloads import WorkloadOptions

__all__ = ["capacities", "main"]

BAR = 1.5
SAMPLES = 64
BACKEND = "onnxruntime"
CASES = ("mobilenet:10", "mobilenet:50", "pocket-mobilenet:10")
REFERENCE = "queue-runner"
LEAST_QPS = 2.0
"""A rate below which nothing is looked for; a capacity of 0 says that none was found."""


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
        bound_ns = int(self.bound_ms * 1e6)
        return RunRequest(
            self.model,
            Path("unused"),
            workload_options=WorkloadOptions() if is_pocket else options,
            backend=BACKEND,
            settings=lambda _: {"server_target_latency_ns": bound_ns},
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


def capacities(case: _Case, turns: int, seconds: float) -> dict[str, list[float]]:
    """Give the capacity in queries a second of each setup, turn by turn."""
    request = case.request
    library = None
    loaded: dict[str, LoadedWorkload] = {}
    for name, options in _setups().items():
        loaded[name] = LoadedWorkload(request.set_up(options), library=library)
        if library is None:
            library = loaded[name].library = KeptLibrary(loaded[name].library)
            library.load(np.arange(min(SAMPLES, library.total_sample_count)))
        loaded[name].warm_up(0.3, 0.1)
    bound_ns = int(case.bound_ms * 1e6)
    first = next(iter(loaded.values())).workload.info
    info = dataclasses.replace(first, server_latency_bound_ns=bound_ns)
    meter = Meter(request, info, Scenario.SERVER)
    found: dict[str, list[float]] = {name: [] for name in loaded}
    try:
        for turn in range(turns):
            for name in loaded if turn % 2 == 0 else reversed(list(loaded)):
                model = loaded[name]
                start = max(found[name], default=0.0) or model.pace.samples_per_s / 4
                reading = meter.measure(
                    model,
                    model.pace,
                    seconds,
                    turn,
                    is_search=False,
                    start_qps=start,
                    give_up_below_qps=LEAST_QPS,
                )
                runs = reading.details["rates_and_latencies_ns"]
                is_met = any(latency_ns <= bound_ns for _, latency_ns in runs)
                found[name].append(reading.value if is_met else 0.0)
    finally:
        for model in loaded.values():
            model.close()
    return found


def _ratio(rate: float, base: float) -> float:
    """Give how many times the base a rate is; infinite where only the base found none."""
    if base:
        return rate / base
    return math.inf if rate else 1.0


def main() -> None:
    """Print capacities and ratios of all cases, and how many bars are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns")
    parser.add_argument("--models", nargs="+", default=list(CASES), metavar="NAME[:BOUND_MS]")
    options = parser.parse_args()
    turns, seconds = (3, 3.0) if options.quick else (5, 8.0)
    missed = 0
    for case in map(_Case.of, options.models):
        begun = time.perf_counter()
        found = capacities(case, turns, seconds)
        took_s = time.perf_counter() - begun
        print(f"{case.model}, p99 within {case.bound_ms:g} ms, {BACKEND} ({took_s:.0f} s)")
        best = 0.0
        for name, rates in found.items():
            ratios = [_ratio(*pair) for pair in zip(rates, found[REFERENCE], strict=True)]
            ratio = statistics.median(ratios)
            best = max(best, ratio)
            print(
                f"  {name:<13} {statistics.median(rates):9.1f}/s "
                f"[{min(rates):.1f}–{max(rates):.1f}]  {ratio:5.2f}× "
                f"[{min(ratios):.2f}–{max(ratios):.2f}]"
            )
        if not any(max(rates) for rates in found.values()):
            missed += 1
            print(f"  bar: MISSED, no setup keeps {case.bound_ms:g} ms from {LEAST_QPS:g}/s up")
            continue
        missed += best < BAR
        print(f"  bar: {BAR}× {REFERENCE}: {best:.2f}×, {'met' if best >= BAR else 'MISSED'}")
    print(f"bars missed: {missed}", flush=True)


if __name__ == "__main__":
    main()
