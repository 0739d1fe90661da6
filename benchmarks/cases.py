"""Cases: what is measured. Each runs in a fresh process and gives numbers by name.

What a case measures it measures itself, with its own clock readings in the callback,
and not by a generator's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peer

Numbers = dict[str, float]
QUERIES = 300_000
OFFLINE_SAMPLES = 1_000_000
SERVER_QPS = 1000.0
SERVER_QUERIES = 5000
SEEDS = {"qsl_rng_seed": 11, "sample_index_rng_seed": 12, "schedule_rng_seed": 13}


class Library:
    """A library of 1,024 samples without data."""

    name = "library"
    total_sample_count = 1024
    performance_sample_count = 1024

    def load(self, indices: Any) -> None:
        pass

    def unload(self, indices: Any) -> None:
        pass


def peak_bytes() -> int:
    """Give the peak resident size of this process so far (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


class System:
    """A system made of its issue call."""

    name = "benchmark"

    def __init__(self, issue: Callable[[Any], None], flush: Callable[[], None]):
        self.issue, self.flush = issue, flush


def run_ours(
    scenario: str,
    issue: Callable[[Any], None],
    settings: dict[str, Any],
    flush: Callable[[], None] = lambda: None,
) -> Any:
    from inferometer.loadgen import Settings, run_test

    asked = Settings.from_mapping({"scenario": scenario, "min_duration_ms": 0, **settings})
    return run_test(System(issue, flush), Library(), asked)


# ---- SingleStream: a null system that completes inline


class _Span:
    """Notes when the first query was issued and when the run was flushed."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended = 0

    def end(self) -> None:
        self.ended = time.perf_counter_ns()

    def per_query_ns(self, count: int) -> float:
        return (self.ended - self.begun[0]) / count


class _Done:
    """Stands in for a query where only the callback's own cost is measured."""

    def complete(self) -> None:
        pass


def _bare_cost_ns(callback: Callable[[Any], None], argument: Any) -> float:
    begun = time.perf_counter_ns()
    for _ in range(QUERIES):
        callback(argument)
    return (time.perf_counter_ns() - begun) / QUERIES


def _cost(span: _Span, bare_ns: float, count: int) -> Numbers:
    whole_ns = span.per_query_ns(count)
    return {
        "query_ns": whole_ns,
        "callback_ns": bare_ns,
        "beyond_callback_ns": whole_ns - bare_ns,
    }


def single_stream_ours() -> Numbers:
    """Cost of a query, of the callback alone, and the difference."""
    span = _Span()
    begun, now = span.begun, time.perf_counter_ns

    def issue(query: Any) -> None:
        if not begun:
            begun.append(now())
        query.complete()

    bare_ns = _bare_cost_ns(issue, _Done())
    begun.clear()
    run_ours("SingleStream", issue, {"min_query_count": QUERIES}, span.end)
    return _cost(span, bare_ns, QUERIES)


def single_stream_peer() -> Numbers:
    span = _Span()
    begun, now = span.begun, time.perf_counter_ns

    def issue(lg: Any, samples: Any) -> None:
        if not begun:
            begun.append(now())
        lg.QuerySamplesComplete([lg.QuerySampleResponse(samples[0].id, 0, 0)])

    class Fake:
        QuerySampleResponse = staticmethod(lambda *_: None)
        QuerySamplesComplete = staticmethod(lambda _: None)

    class Sample:
        id = 0

    bare_ns = _bare_cost_ns(lambda samples: issue(Fake, samples), [Sample()])
    begun.clear()
    count = QUERIES // 3
    fast = {"min_duration_ms": 0, "single_stream_expected_latency_ns": 1000}
    peer.run("SingleStream", issue, {"min_query_count": count, **fast}, span.end)
    return _cost(span, bare_ns, count)


# ---- Offline: one query, completed as a whole


def offline_ours() -> Numbers:
    """Time of the completing call, and of the whole test with its plan, a sample."""
    spent: list[int] = []

    def issue(query: Any) -> None:
        begun = time.perf_counter_ns()
        _ = query.indices
        query.complete()
        spent.append(time.perf_counter_ns() - begun)

    run_ours("Offline", issue, {"min_query_count": 10})
    begun = time.perf_counter_ns()
    run_ours("Offline", issue, {"min_query_count": OFFLINE_SAMPLES})
    whole_ns = time.perf_counter_ns() - begun
    return {
        "completion_ns_a_sample": spent[-1] / OFFLINE_SAMPLES,
        "test_ns_a_sample": whole_ns / OFFLINE_SAMPLES,
    }


def offline_peer() -> Numbers:
    spent: list[int] = []

    def issue(lg: Any, samples: Any) -> None:
        begun = time.perf_counter_ns()
        lg.QuerySamplesComplete([lg.QuerySampleResponse(s.id, 0, 0) for s in samples])
        spent.append(time.perf_counter_ns() - begun)

    peer.run("Offline", issue, {"min_query_count": 10, "min_duration_ms": 0})
    begun = time.perf_counter_ns()
    peer.run("Offline", issue, {"min_query_count": OFFLINE_SAMPLES, "min_duration_ms": 0})
    whole_ns = time.perf_counter_ns() - begun
    return {
        "completion_ns_a_sample": spent[-1] / OFFLINE_SAMPLES,
        "test_ns_a_sample": whole_ns / OFFLINE_SAMPLES,
    }


# ---- Memory: what a query adds to the peak


def memory_ours() -> Numbers:
    from inferometer.loadgen import Settings, judge  # noqa: F401

    run_ours("SingleStream", lambda query: query.complete(), {"min_query_count": 1000})
    before = peak_bytes()
    run_ours("SingleStream", lambda query: query.complete(), {"min_query_count": 2_000_000})
    single = (peak_bytes() - before) / 2_000_000
    before = peak_bytes()
    run_ours("Offline", lambda query: query.complete(), {"min_query_count": 10_000_000})
    offline = (peak_bytes() - before) / 10_000_000
    return {"bytes_a_query_single_stream": single, "bytes_a_sample_offline": offline}


def memory_peer() -> Numbers:
    def one(lg: Any, samples: Any) -> None:
        lg.QuerySamplesComplete([lg.QuerySampleResponse(samples[0].id, 0, 0)])

    fast = {"min_duration_ms": 0, "single_stream_expected_latency_ns": 1000}
    peer.run("SingleStream", one, {**fast, "min_query_count": 1000})
    before = peak_bytes()
    peer.run("SingleStream", one, {**fast, "min_query_count": 1_000_000})
    single = (peak_bytes() - before) / 1_000_000

    def many(lg: Any, samples: Any) -> None:
        lg.QuerySamplesComplete([lg.QuerySampleResponse(s.id, 0, 0) for s in samples])

    before = peak_bytes()
    peer.run("Offline", many, {"min_duration_ms": 0, "min_query_count": 2_000_000})
    offline = (peak_bytes() - before) / 2_000_000
    return {"bytes_a_query_single_stream": single, "bytes_a_sample_offline": offline}


# ---- Server: delivery delay at 1,000 queries a second with an idle system


def _stamping(stamps: list[int], answer: Callable[[Any], None]) -> Callable[[Any], None]:
    """Give a callback that notes when it was entered, then answers."""
    now, keep = time.perf_counter_ns, stamps.append

    def issue(query: Any) -> None:
        keep(now())
        answer(query)

    return issue


def _schedule() -> np.ndarray[Any, Any]:
    from inferometer.loadgen import Mode, Settings, derive, loadable_sets, make_plan

    asked = Settings.from_mapping(_server_settings())
    effective = derive(asked, 1024, 1024)
    plan = make_plan(effective, Mode.PERFORMANCE, loadable_sets(effective, asked.mode, 1024)[0])
    assert plan.schedule_ns is not None
    return plan.schedule_ns


def _server_settings() -> dict[str, Any]:
    return {
        "scenario": "Server",
        "server_target_qps": SERVER_QPS,
        "min_query_count": SERVER_QUERIES,
        "min_duration_ms": 0,
        **SEEDS,
    }


def _delays(stamps: list[int]) -> Numbers:
    """Compare entries of the callback with the schedule, which both sides share.

    The start isn't known for either side; it is set so that the earliest entry is on time.
    """
    late = np.array(stamps) - _schedule()[: len(stamps)]
    late = np.sort(late - late.min())
    return {
        "p50_us": float(late[len(late) // 2]) / 1e3,
        "p90_us": float(late[int(len(late) * 0.9)]) / 1e3,
        "p99_us": float(late[int(len(late) * 0.99)]) / 1e3,
    }


def delivery_ours() -> Numbers:
    stamps: list[int] = []
    settings = {k: v for k, v in _server_settings().items() if k != "scenario"}
    run_ours("Server", _stamping(stamps, lambda query: query.complete()), settings)
    return _delays(stamps)


def delivery_peer() -> Numbers:
    stamps: list[int] = []
    now, keep = time.perf_counter_ns, stamps.append

    def issue(lg: Any, samples: Any) -> None:
        entered = now()
        for sample in samples:
            keep(entered)
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0)])

    settings = {k: v for k, v in _server_settings().items() if k != "scenario"}
    peer.run("Server", issue, settings)
    return _delays(stamps)


# ---- Plans: how long it takes to decide what is issued


def plans_ours() -> Numbers:
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


# ---- Offline through the pool, against a bare loop over the same data

POOL_SAMPLES = 60_000
BATCHES = (8, 16, 32, 64, 128, 256)


def _pocket() -> tuple[Any, Any]:
    from inferometer.workloads import get_workload

    workload = get_workload("pocket-mobilenet")
    library = workload.library()
    library.load(np.arange(1024))
    return workload, library


def _loaded(workload: Any, threads: int) -> Any:
    from inferometer.backends import BackendOptions, get_backend

    backend = get_backend("onnxruntime")
    return backend.load(workload.model(backend.formats), BackendOptions(threads=threads))


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

    workload, library = _pocket()
    session = _loaded(workload, 1)

    def handle(indices: Any) -> Any:
        return workload.postprocess(session.run(library.inputs(indices)))

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


CASES: dict[str, dict[str, Callable[[], Numbers]]] = {
    "single-stream": {"ours": single_stream_ours, "peer": single_stream_peer},
    "offline": {"ours": offline_ours, "peer": offline_peer},
    "memory": {"ours": memory_ours, "peer": memory_peer},
    "delivery": {"ours": delivery_ours, "peer": delivery_peer},
    "offline-pool": {"ours": offline_pool, "bare loop": bare_loop},
    "plans": {"ours": plans_ours},
}
TITLES = {
    "single-stream": f"SingleStream, null system, inline completion, {QUERIES:,} queries",
    "offline": f"Offline, {OFFLINE_SAMPLES:,} samples, one completion call",
    "memory": "Peak memory that a query or sample adds",
    "delivery": f"Server at {SERVER_QPS:g} queries/s, idle system: delay of the issue call",
    "offline-pool": "Offline through the pool against a bare session.run loop at its best batch",
    "plans": "Time to make a plan",
}
# The bars that these figures are held against; the run says whether they are met.
BARS: dict[tuple[str, str], tuple[str, float]] = {
    ("single-stream", "beyond_callback_ns"): ("ours at most", 1000.0),
    ("offline", "test_ns_a_sample"): ("ours at most", 100.0),
    ("memory", "bytes_a_query_single_stream"): ("ours at most", 64.0),
    ("memory", "bytes_a_sample_offline"): ("ours at most", 64.0),
    ("delivery", "p50_us"): ("share of the other at most", 0.1),
    ("offline-pool", "samples_per_s"): ("share of the other at least", 0.95),
}
