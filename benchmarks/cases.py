"""Cases: what is measured on which side, and the bars that the figures are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks import closed_loop, offline, product, server, startup
from benchmarks.harness import Numbers

__all__ = ["CASES", "DROP_IN", "NATIVE", "PEER", "Bar", "Case"]

NATIVE, DROP_IN, PEER = "native", "drop-in", "peer"

Measure = Callable[[], Numbers]


@dataclass(frozen=True)
class Bar:
    """A bar for the median of a number, or of the paired ratios of two sides.

    With ``over`` the ratio is that side's number over ``side``'s, as costs are compared;
    ``share`` turns it round.
    """

    number: str
    side: str
    least: float | None = None
    most: float | None = None
    over: str | None = None
    share: bool = False


@dataclass(frozen=True)
class Case:
    """``api`` takes a module with the published API and is run with two of them."""

    title: str
    api: Callable[[Any], Numbers] | None = None
    own: dict[str, Measure] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()


def _times(number: str, side: str, least: float) -> Bar:
    """The peer's cost is at least so many times ours."""
    return Bar(number, side, least=least, over=PEER)


CASES: dict[str, Case] = {
    "single-stream": Case(
        "SingleStream, null system, completion inline",
        closed_loop.single_stream_api,
        {NATIVE: closed_loop.single_stream_native},
        (
            _times("query_ns", DROP_IN, 2),
            _times("query_ns", NATIVE, 4),
            Bar("beyond_callback_ns", NATIVE, most=1000),
        ),
    ),
    "single-stream-thread": Case(
        "SingleStream, null system, completion by another thread",
        closed_loop.threaded_api,
        {NATIVE: closed_loop.threaded_native},
        (_times("query_ns", DROP_IN, 1),),
    ),
    "multi-stream": Case(
        "MultiStream, 8 samples, completion inline",
        closed_loop.multi_stream_api,
        {NATIVE: closed_loop.multi_stream_native},
        (_times("query_ns", DROP_IN, 1.5),),
    ),
    "start": Case(
        "StartTest with a hundred queries",
        startup.start_api,
        bars=(_times("later_tests_ms", DROP_IN, 6),),
    ),
    "import": Case(
        "Importing the module",
        startup.import_api,
        bars=(Bar("import_ms", DROP_IN, most=25),),
    ),
    "memory": Case(
        "Memory that a query or a sample adds to the peak",
        own={NATIVE: offline.memory_native},
        bars=(
            Bar("bytes_a_query_single_stream", NATIVE, most=64),
            Bar("bytes_a_sample_offline", NATIVE, most=64),
        ),
    ),
    "plans": Case("Time to make a plan", own={NATIVE: product.plans_native}),
    "offline-pool": Case(
        "Offline through the pool, and a bare session.run loop at its best batch",
        own={NATIVE: product.offline_pool, "bare loop": product.bare_loop},
        bars=(Bar("samples_per_s", NATIVE, least=0.95, over="bare loop", share=True),),
    ),
}

for _count, _name in ((100_000, "1e5"), (1_000_000, "1e6"), (5_000_000, "5e6")):
    _bars: tuple[Bar, ...] = ()
    if _name == "1e6":
        _bars = (
            _times("test_ns_a_sample", DROP_IN, 2),
            _times("peak_MB", DROP_IN, 1.7),
            _times("test_ns_a_sample", NATIVE, 20),
            Bar("test_ns_a_sample", NATIVE, most=100),
        )
    CASES[f"offline-{_name}"] = Case(
        f"Offline, {_count:,} samples, one completing call",
        partial(offline.offline_api, count=_count),
        {NATIVE: partial(offline.offline_native, _count)},
        _bars,
    )
CASES["offline-calls"] = Case(
    "Offline, 1,000,000 samples, a completing call a sample",
    partial(offline.offline_calls_api, count=1_000_000),
)
for _size in (4, 4096):
    CASES[f"accuracy-{_size}"] = Case(
        f"Accuracy mode, Offline, 50,000 answers of {_size:,} bytes",
        partial(offline.accuracy_api, size=_size),
        {NATIVE: partial(offline.accuracy_native, _size)},
        (_times("peak_added_MB", DROP_IN, 4), _times("test_us_an_answer", DROP_IN, 1))
        if _size == 4096
        else (),
    )
for _qps in (1_000, 10_000, 50_000, 100_000, 200_000):
    CASES[f"server-{_qps}"] = Case(
        f"Server at {_qps:,} queries/s, idle system: delay of the delivery",
        partial(server.idle_api, qps=float(_qps)),
        {NATIVE: partial(server.idle_native, float(_qps))},
        (_times("p50_us", DROP_IN, 10), _times("p50_us", NATIVE, 10)) if _qps <= 10_000 else (),
    )
CASES["server-coalesced"] = Case(
    "Server at 50,000 queries/s, idle system, due queries in one call",
    partial(server.idle_api, qps=50_000.0, coalesce=True),
)


def _workers(qps: float, kind: str, milliseconds: float, title: str, *bars: Bar) -> Case:
    return Case(
        f"Server at {qps:,g} queries/s, two worker threads, {title}",
        partial(server.workers_api, qps=qps, kind=kind, milliseconds=milliseconds),
        {NATIVE: partial(server.workers_native, qps, kind, milliseconds)},
        bars,
    )


_PYTHON, _RELEASED = "0.2 ms of Python work", "0.2 ms of work without the lock"
_SERVED = Bar("served_share", DROP_IN, least=0.85)
_ISSUED = Bar("issued_share", DROP_IN, least=0.98)
CASES |= {
    "workers-1000": _workers(1e3, "python", 0.2, _PYTHON, _times("p50_us", DROP_IN, 1)),
    "workers-3000": _workers(3e3, "python", 0.2, _PYTHON, _times("p50_us", DROP_IN, 1)),
    "workers-4500": _workers(4500, "python", 0.2, _PYTHON, _times("p99_us", DROP_IN, 10), _SERVED),
    "workers-10000": _workers(1e4, "python", 0.2, _PYTHON, _ISSUED),
    "bursts": _workers(200, "python", 4, "4 ms of Python work", _times("p50_us", DROP_IN, 5)),
}
for _qps in (1_000, 3_000, 4_500, 10_000):
    CASES[f"released-{_qps}"] = _workers(
        float(_qps), "released", 0.2, _RELEASED, _times("p50_us", DROP_IN, 1)
    )
CASES["workers-coalesced"] = Case(
    f"Server at 4,500 queries/s, two worker threads, {_PYTHON}, due queries in one call",
    partial(server.workers_api, qps=4500.0, kind="python", milliseconds=0.2, coalesce=True),
)
