"""Server: how late queries are delivered, whatever the system does meanwhile.

A delay is the entry of the callback minus the scheduled time. The schedule follows from
the seeds and is the same on every side. When a side's clock started isn't known; it is
set so that the earliest delivery is on time, which flatters a side that is always late.
"""

from __future__ import annotations

import hashlib
import queue
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import SEEDS, TOTAL, Numbers, respond, run_api, run_native

__all__ = ["idle_api", "idle_native", "workers_api", "workers_native"]

IDLE_SECONDS = 3.0
MOST_QUERIES = 200_000
WORKER_SECONDS = 4.0
WORKERS = 2


def _settings(qps: float, seconds: float) -> dict[str, Any]:
    count = min(int(qps * seconds), MOST_QUERIES)
    return {"server_target_qps": qps, "min_query_count": count, **SEEDS}


def _schedule(settings: dict[str, Any]) -> NDArray[np.int64]:
    from inferometer.loadgen import Mode, Settings, derive, loadable_sets, make_plan

    asked = Settings.from_mapping({"scenario": "Server", "min_duration_ms": 0, **settings})
    effective = derive(asked, TOTAL, TOTAL)
    loaded = loadable_sets(effective, asked.mode, TOTAL)[0]
    plan = make_plan(effective, Mode.PERFORMANCE, loaded)
    assert plan.schedule_ns is not None
    return plan.schedule_ns


def _delays(settings: dict[str, Any], entered: list[int], done: list[int] | None = None) -> Numbers:
    schedule = _schedule(settings)[: len(entered)]
    entries = np.array(entered)
    start = int((entries - schedule).min())
    late = np.sort(entries - schedule - start) / 1e3
    end = start + int(schedule[-1])
    numbers = {f"p{p:g}_us": float(np.percentile(late, p)) for p in (50, 90, 99, 99.9)}
    numbers["max_us"] = float(late[-1])
    # Of what was due by the end of the schedule: how much was issued, how much answered.
    numbers["issued_share"] = float((entries <= end).mean())
    if done:
        numbers["served_share"] = sum(stamp <= end for stamp in done) / len(entered)
    return numbers


class _Stamper:
    """Notes when each query of a call of the system was delivered, then hands it on."""

    def __init__(self, hand_on: Callable[[Any], None], size: Callable[[Any], int]):
        self.entered: list[int] = []
        self._hand_on, self._size = hand_on, size

    def __call__(self, query: Any) -> None:
        self.entered.extend([time.perf_counter_ns()] * self._size(query))
        self._hand_on(query)


def idle_api(lg: Any, qps: float, *, coalesce: bool = False) -> Numbers:
    """A null system that answers within the callback."""
    settings = {**_settings(qps, IDLE_SECONDS), "server_coalesce_queries": coalesce}
    stamper = _Stamper(lambda samples: respond(lg, samples), len)
    run_api(lg, "Server", stamper, settings)
    return _delays(settings, stamper.entered)


def idle_native(qps: float) -> Numbers:
    settings = _settings(qps, IDLE_SECONDS)
    stamper = _Stamper(lambda query: query.complete(), len)
    run_native("Server", stamper, settings)
    return _delays(settings, stamper.entered)


# ---- two worker threads


def _python_work(milliseconds: float) -> Callable[[], None]:
    """Give a function that takes so much processor time of Python, lock held.

    Processor time and not rounds of a loop: the machine's speed changes while it runs.
    """
    spent_ns, work_ns = time.thread_time_ns, int(milliseconds * 1e6)

    def work() -> None:
        end = spent_ns() + work_ns
        while spent_ns() < end:
            for _ in range(100):
                pass

    return work


def _released_work(milliseconds: float) -> Callable[[], None]:
    """Give a function that computes for so long without the interpreter lock."""
    data = bytes(1 << 20)

    def work(length: int) -> None:
        hashlib.sha256(memoryview(data)[:length])

    trial, spent = 1 << 17, []
    for _ in range(50):
        begun = time.perf_counter_ns()
        work(trial)
        spent.append(time.perf_counter_ns() - begun)
    length = int(trial * milliseconds * 1e6 / statistics.median(spent))
    return lambda: work(length)


KINDS = {"python": _python_work, "released": _released_work}


def _with_workers(
    run: Callable[[Callable[[Any], None]], Any],
    answer: Callable[[Any], None],
    settings: dict[str, Any],
    work: Callable[[], None],
) -> Numbers:
    waiting = queue.SimpleQueue[Any]()
    done: list[int] = []

    def body() -> None:
        while (query := waiting.get()) is not None:
            for _ in range(len(query)):
                work()
            done.extend([time.perf_counter_ns()] * len(query))
            answer(query)

    workers = [threading.Thread(target=body) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    stamper = _Stamper(waiting.put, len)
    run(stamper)
    for _ in workers:
        waiting.put(None)
    for worker in workers:
        worker.join()
    return _delays(settings, stamper.entered, done)


def workers_api(
    lg: Any, qps: float, kind: str, milliseconds: float, *, coalesce: bool = False
) -> Numbers:
    """Two threads that work on each query; kinds are ``python`` and ``released``."""
    settings = {**_settings(qps, WORKER_SECONDS), "server_coalesce_queries": coalesce}
    return _with_workers(
        lambda issue: run_api(lg, "Server", issue, settings),
        lambda samples: respond(lg, samples),
        settings,
        KINDS[kind](milliseconds),
    )


def workers_native(qps: float, kind: str, milliseconds: float) -> Numbers:
    settings = _settings(qps, WORKER_SECONDS)
    return _with_workers(
        lambda issue: run_native("Server", issue, settings),
        lambda query: query.complete(),
        settings,
        KINDS[kind](milliseconds),
    )
