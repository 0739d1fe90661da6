"""Ray: where one generator saturates, and how many replicas that feeds.

``python -m benchmarks.ray [--quick] [--kind ray|processes]``. Replicas that do no work answer
batches as fast as they are given out: the rate is that of the generator, of the transport and
of this machine's cores, which the replicas share with the generator. Offline gives out full
batches; Server is driven at rising Poisson rates, with single samples that form batches of
what has come, until it completes less than 95 % of what it was asked. From the batches a
second follows how many replicas of a given time a batch are kept busy: rate times time.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario, Settings, run_test
from inferometer.serving import (
    Recipe,
    ReplicaAnswer,
    Replicas,
    ReplicaServing,
    ReplicaServingOptions,
    Samples,
)
from inferometer.serving.process_replicas import ProcessReplicas
from inferometer.serving.ray_cluster import RayOptions
from inferometer.serving.ray_replicas import RayReplicas

__all__ = ["NoWork", "main"]

SAMPLES = 1024
BATCHES = (1, 8, 32, 128)
RATES_QPS = (250, 500, 1000, 2000, 4000, 8000, 16000, 32000)
SERVICE_MS = (1, 5, 20, 100)
KEPT_SHARE = 0.95


class NoWork:
    """A replica that answers at once."""

    def __init__(self, _: Mapping[str, Any]):
        pass

    def take(self, samples: Samples) -> None:
        pass

    def answer(self, indices: NDArray[np.integer[Any]]) -> ReplicaAnswer:
        return ReplicaAnswer(np.zeros((len(indices), 4), np.uint8), 0, 0, 0)


class _NoSamples:
    name = "none"
    total_sample_count = SAMPLES
    performance_sample_count = SAMPLES

    def load(self, indices: NDArray[np.int64]) -> None:
        pass

    def unload(self, indices: NDArray[np.int64]) -> None:
        pass


def batches_per_s(replicas: Replicas, batch: int, count: int, most_in_flight: int) -> float:
    """Run Offline over so many batches."""
    asked = Settings(scenario=Scenario.OFFLINE, min_query_count=count * batch, min_duration_ms=0)
    series = _series(replicas, asked, batch, most_in_flight)
    return len(series.completed_ns) / batch / (int(series.completed_ns.max()) / 1e9)


def server_qps(replicas: Replicas, seconds: float) -> float:
    """Give the highest rate of which almost all is completed in time, 0 if none."""
    best = 0.0
    for rate in RATES_QPS:
        asked = Settings(
            scenario=Scenario.SERVER,
            server_target_qps=float(rate),
            min_query_count=1,
            min_duration_ms=int(seconds * 1e3),
            server_target_latency_ns=10**9,
        )
        series = _series(replicas, asked, 32, 2)
        done = len(series.completed_ns) / (int(series.completed_ns.max()) / 1e9)
        planned = len(series.scheduled_ns) / (int(series.scheduled_ns.max()) / 1e9)
        if done < KEPT_SHARE * planned or int(np.quantile(series.latency_ns, 0.99)) > 10**9:
            return best
        best = done
    return best


def _series(replicas: Replicas, settings: Settings, batch: int, most_in_flight: int) -> Any:
    options = ReplicaServingOptions(max_batch_size=batch, most_in_flight=most_in_flight)
    serving = ReplicaServing(replicas, options)
    try:
        outcome = run_test(serving, _NoSamples(), settings)
    finally:
        serving.close()
    series = outcome.recording.performance
    if outcome.error is not None or series is None:
        raise SystemExit(f"the test failed: {outcome.error}")
    return series


def _started(kind: str, count: int) -> Replicas:
    recipe = Recipe("benchmarks.ray:NoWork", {})
    if kind == "processes":
        return ProcessReplicas(recipe, count)
    return RayReplicas(recipe, count, RayOptions(address="local"))


def main() -> None:
    """Print rates by batch size and number of replicas, and what they feed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray")
    parser.add_argument("--quick", action="store_true", help="fewer batches")
    parser.add_argument("--kind", choices=["ray", "processes"], default="ray")
    options = parser.parse_args()
    # What is started has to find this module.
    here = str(Path(__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    count = 1500 if options.quick else 10_000
    best = 0.0
    for actors in (1, 2, 4):
        replicas = _started(options.kind, actors)
        try:
            batches_per_s(replicas, 1, 200, 2)
            for batch in BATCHES:
                rate = batches_per_s(replicas, batch, count, 8)
                best = max(best, rate) if batch == 32 else best
                print(
                    f"{options.kind}, {actors} replicas, Offline, batches of {batch:>3}: "
                    f"{rate:8,.0f} batches/s  {rate * batch:10,.0f} samples/s",
                    flush=True,
                )
            rate = server_qps(replicas, 1.0 if options.quick else 4.0)
            print(f"{options.kind}, {actors} replicas, Server: {rate:,.0f} queries/s", flush=True)
        finally:
            replicas.close()
    for service_ms in SERVICE_MS:
        print(
            f"batches of 32 that take {service_ms:>3} ms: one generator feeds "
            f"{best * service_ms / 1e3:,.0f} replicas"
        )


if __name__ == "__main__":
    main()
