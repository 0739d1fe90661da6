"""Product: parts of a test that no peer has, or that are held against a bare loop."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.harness import Numbers

__all__ = ["bare_loop", "offline_pool", "plans_native"]

POOL_SAMPLES = 60_000
BATCHES = (8, 16, 32, 64, 128, 256)


def plans_native() -> Numbers:
    from inferometer.loadgen import Mode, Settings, derive, loadable_sets, make_plan

    numbers: Numbers = {}
    for name, asked in (
        (
            "server_1e6_queries_s",
            Settings.from_mapping(
                {"scenario": "Server", "server_target_qps": 1e4, "min_query_count": 1_000_000}
            ),
        ),
        (
            "offline_5e6_samples_s",
            Settings.from_mapping({"scenario": "Offline", "min_query_count": 5_000_000}),
        ),
    ):
        begun = time.perf_counter()
        effective = derive(asked, 50_000, 1024)
        loaded = loadable_sets(effective, Mode.PERFORMANCE, 50_000)[0]
        make_plan(effective, Mode.PERFORMANCE, loaded)
        numbers[name] = time.perf_counter() - begun
    return numbers


def _pocket() -> tuple[Any, Any]:
    from inferometer.workloads import get_workload

    workload = get_workload("pocket-mobilenet")
    library = workload.library()
    library.load(np.arange(1024))
    return workload, library


def _loaded(workload: Any, threads: int) -> Any:
    from inferometer.backends import BackendOptions, get_backend
    from inferometer.workloads import MODEL

    backend = get_backend("onnxruntime")
    return backend.load(workload.models(backend.formats)[MODEL], BackendOptions(threads=threads))


def bare_loop() -> Numbers:
    """Samples a second of ``session.run`` alone, at the best batch size, with all cores."""
    from inferometer.runs import usable_cores

    workload, library = _pocket()
    session = _loaded(workload, usable_cores())
    best: Numbers = {"samples_per_s": 0.0, "batch": 0.0}
    for batch in BATCHES:
        inputs = library.inputs(np.arange(batch))
        session.run(inputs)
        calls, begun = max(1, POOL_SAMPLES // len(BATCHES) // batch), time.perf_counter()
        for _ in range(calls):
            session.run(inputs)
        rate = calls * batch / (time.perf_counter() - begun)
        if rate > best["samples_per_s"]:
            best = {"samples_per_s": rate, "batch": float(batch)}
    return best


def offline_pool() -> Numbers:
    """Samples a second of an Offline run through the pool, from issue to the last answer."""
    from inferometer.loadgen import Settings, judge, run_test
    from inferometer.runs import usable_cores
    from inferometer.serving import PoolOptions, PoolServing
    from inferometer.workloads import MODEL

    workload, library = _pocket()
    session = _loaded(workload, 1)

    predict = workload.predictor({MODEL: session})

    def handle(indices: Any) -> Any:
        return predict(indices, library.inputs(indices))

    asked = Settings.from_mapping(
        {"scenario": "Offline", "min_duration_ms": 0, "min_query_count": POOL_SAMPLES}
    )
    pool = PoolServing(handle, PoolOptions(workers=usable_cores(), max_batch_size=32))
    try:
        handle(np.arange(32))
        verdict = judge(run_test(pool, library, asked).recording)
    finally:
        pool.close()
    assert verdict is not None
    return {"samples_per_s": verdict.rates.samples_per_s or 0.0, "batch": 32.0}
