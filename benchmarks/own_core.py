"""Own core: what a query that comes costs the call that runs, with a core kept and without.

``python -m benchmarks.own_core [--workload NAME] [--repeats N] [--seconds S]``. Server at some
loads, with as many workers as there are cores but one; runs of both kinds take turns.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

import numpy as np

from inferometer.loadgen import Scenario, SeriesRecord, keep_core
from inferometer.runs import RunRequest, usable_cores
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import ServingOptions
from inferometer.simulating import Batching
from inferometer.simulating.batches import Batches
from inferometer.simulating.server_run import run_server

__all__ = ["main"]

_LOADS = (0.4, 0.6, 0.8)
_WHILE_IT_RUNS = (0.15, 0.85)
_KINDS = {True: "kept", False: "shared"}


def _cost_us(series: SeriesRecord, batching: Batching) -> float:
    """Give how much longer a call of one sample takes for each query that comes meanwhile.

    By regression on the queries that come within a part of the usual duration: how many come
    in all depends on how long the call takes, these don't.
    """
    batches = Batches.of(series, batching)
    assert batches is not None
    single = batches.size == 1
    begun, took = batches.closed_ns[single], batches.took_ns[single]
    usual = float(np.median(took))
    first, last = (np.searchsorted(series.issued_ns, begun + at * usual) for at in _WHILE_IT_RUNS)
    came = (last - first) - np.mean(last - first)
    more = np.minimum(took, 2 * usual)
    return float(came @ (more - more.mean()) / (came @ came)) / 1e3


def _figures(series: SeriesRecord, batching: Batching) -> list[float]:
    late = np.quantile(series.lateness_ns, [0.5, 0.99]) / 1e3
    latency = np.quantile(series.latency_ns, [0.5, 0.9, 0.99]) / 1e6
    return [_cost_us(series, batching), *late, *latency]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_core", description=__doc__)
    parser.add_argument("--workload", default="pocket-resnet")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    workers = max(1, usable_cores() - 1)
    serving = ServingOptions("pool", workers)
    request = RunRequest(options.workload, Path("unused"), serving=serving)
    loaded = LoadedWorkload(request.for_scenario(Scenario.SERVER), print)
    loaded.warm_up()
    batching = Batching(workers, serving.max_batch_size)
    most = loaded.pace.samples_per_s
    found: dict[tuple[float, bool], list[list[float]]] = {}
    for number in range(options.repeats):
        for load in _LOADS:
            for is_kept in (number % 2 == 0, number % 2 == 1):
                with keep_core() if is_kept else contextlib.nullcontext():
                    series = run_server(loaded, load * most, options.seconds, number + 1)
                found.setdefault((load, is_kept), []).append(_figures(series, batching))
    loaded.close()
    print(f"{options.workload}, {workers} worker(s), load of {most:,.0f}/s, medians of runs")
    print("| load | core | a query that comes costs | late p50 / p99 | latency p50 / p90 / p99 |")
    print("|---|---|---|---|---|")
    for (load, is_kept), rows in sorted(found.items()):
        cost, *late_and_latency = np.median(rows, axis=0).tolist()
        late = " / ".join(f"{value:.0f}" for value in late_and_latency[:2])
        latency = " / ".join(f"{value:.2f}" for value in late_and_latency[2:])
        print(f"| {load:.0%} | {_KINDS[is_kept]} | {cost:.1f} µs | {late} µs | {latency} ms |")


if __name__ == "__main__":
    main()
