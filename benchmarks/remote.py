"""Remote client: rate, lateness and CPU of small requests, beside a bare tritonclient loop.

Run: ``python -m benchmarks.remote [--quick]``. The server answers without thinking, in a process
of its own, so that the client is what is measured. The peer is `tritonclient`, in the
environment of the interpreter that INFEROMETER_BENCH_TRITONCLIENT names, or in this one; it
only sends and receives, one request after the other: no schedule, no record.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from inferometer.loadgen import Scenario, Settings, run_test
from inferometer.serving.remote import InFlightServing, RemoteOptions, connect

_RATE_QPS = 10_000.0
_PEER = "INFEROMETER_BENCH_TRITONCLIENT"
_SAMPLES = 1024
_PEER_LOOP = """
import json, sys, time
import numpy as np
import tritonclient.http as http
address, count = sys.argv[1], int(sys.argv[2])
client = http.InferenceServerClient(address)
given = http.InferInput("input", [1, 8], "FP32")
values = np.ones((1, 8), np.float32)
def once():
    given.set_data_from_numpy(values)
    client.infer("echo", [given]).as_numpy("output")
for _ in range(200):
    once()
cpu, wall = time.process_time(), time.perf_counter()
for _ in range(count):
    once()
print(json.dumps([(time.process_time() - cpu) / count, count / (time.perf_counter() - wall)]))
"""


class _Library:
    name = "rows"
    total_sample_count = performance_sample_count = _SAMPLES

    def load(self, indices: Any) -> None:
        pass

    def unload(self, indices: Any) -> None:
        pass


class _Rows:
    """Small tensors: one row of eight numbers each."""

    def __init__(self) -> None:
        self._rows = np.random.default_rng(0).random((_SAMPLES, 8), np.float32)

    def begin(self, indices: Any) -> Any:
        return {"input": self._rows[indices]}

    def finish(self, indices: Any, outputs: Any) -> Any:  # noqa: ARG002
        return outputs["output"]


@contextmanager
def echo_server() -> Iterator[int]:
    line = [sys.executable, "-m", "benchmarks.echo_server"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def client_run(port: int, rate_qps: float, duration_s: float) -> dict[str, float]:
    """Run Server at a rate; give what was held, in µs where not said otherwise."""
    options = RemoteOptions(connections=64)
    transport = connect(f"http://127.0.0.1:{port}", "echo", "", options)
    serving = InFlightServing(_Rows(), transport)
    settings = Settings(
        scenario=Scenario.SERVER,
        server_target_qps=rate_qps,
        min_duration_ms=int(duration_s * 1e3),
        min_query_count=int(rate_qps * duration_s),
    )
    cpu_s = time.process_time()
    outcome = run_test(serving, _Library(), settings)
    cpu_s = time.process_time() - cpu_s
    serving.close()
    transport.close()
    if outcome.error is not None:
        raise outcome.error
    (series,) = outcome.recording.series
    lateness, latency = series.lateness_ns / 1e3, series.latency_ns / 1e3
    return {
        "rate_qps": series.query_count / (int(series.completed_ns.max()) / 1e9),
        "lateness_p50": float(np.percentile(lateness, 50)),
        "lateness_p99": float(np.percentile(lateness, 99)),
        "latency_p50": float(np.percentile(latency, 50)),
        "latency_p99": float(np.percentile(latency, 99)),
        "cpu": cpu_s / series.query_count * 1e6,
    }


def peer_run(port: int, count: int) -> tuple[float, float] | None:
    """Give CPU, µs a request, and rate of a bare tritonclient loop; ``None`` if it isn't here."""
    interpreter = os.environ.get(_PEER)
    if not interpreter:
        if importlib.util.find_spec("tritonclient") is None:
            return None
        interpreter = sys.executable
    line = [interpreter, "-c", _PEER_LOOP, f"127.0.0.1:{port}", str(count)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    printed = subprocess.run(line, check=True, capture_output=True, text=True, env=environment)
    cpu_s, rate_qps = json.loads(printed.stdout)
    return cpu_s * 1e6, rate_qps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--rate", type=float, default=_RATE_QPS)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before")
    with echo_server() as port:
        runs = [
            client_run(port, asked.rate, 1.0 if asked.quick else 10.0)
            for _ in range(1 if asked.quick else 3)
        ]
        best = max(runs, key=lambda run: run["rate_qps"])
        peer = peer_run(port, 1000 if asked.quick else 10_000)
    for run in runs:
        print(
            f"held {run['rate_qps']:,.0f} of {asked.rate:,.0f}/s; lateness p50 "
            f"{run['lateness_p50']:,.0f} µs, p99 {run['lateness_p99']:,.0f} µs; latency p50 "
            f"{run['latency_p50']:,.0f} µs, p99 {run['latency_p99']:,.0f} µs; "
            f"CPU {run['cpu']:.1f} µs a request"
        )
    share = best["rate_qps"] / asked.rate
    print(f"rate held: {share:.1%} of {asked.rate:,.0f}/s: {'MET' if share >= 0.98 else 'MISSED'}")
    if peer is None:
        print(f"tritonclient isn't here; name an interpreter that has it in {_PEER}")
        return
    cpu, rate_qps = peer
    ratio = best["cpu"] / cpu
    print(
        f"bare tritonclient loop: {rate_qps:,.0f}/s, CPU {cpu:.1f} µs a request; ours takes "
        f"{ratio:.2f} of it, with schedule and record: {'MET' if ratio <= 1 else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
