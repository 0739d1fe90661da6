"""Closed loop: what a query costs where the next one waits for it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Numbers, Span, respond, run_api, run_native

__all__ = [
    "multi_stream_api",
    "multi_stream_native",
    "single_stream_api",
    "single_stream_native",
    "threaded_api",
    "threaded_native",
]

QUERIES = 100_000
THREADED_QUERIES = 20_000
MULTI_QUERIES = 30_000
# Small expected latencies, or else the published generator makes too few queries.
SINGLE = {"single_stream_expected_latency_ns": 1000}
MULTI = {"multi_stream_expected_latency_ns": 8000, "multi_stream_samples_per_query": 8}


class _Stub:
    """Stands in for a generator where only the callback's own cost is measured."""

    id = 0
    indices = ()
    QuerySampleResponse = staticmethod(lambda *_: None)
    QuerySamplesComplete = staticmethod(lambda _: None)

    def complete(self) -> None:
        pass


def _bare_ns(callback: Callable[[Any], None], argument: Any, count: int) -> float:
    begun = time.perf_counter_ns()
    for _ in range(count):
        callback(argument)
    return (time.perf_counter_ns() - begun) / count


def _cost(span: Span, bare_ns: float, count: int) -> Numbers:
    whole_ns = span.each_ns(count)
    return {"query_ns": whole_ns, "callback_ns": bare_ns, "beyond_callback_ns": whole_ns - bare_ns}


def single_stream_api(lg: Any) -> Numbers:
    """A null system that answers within the callback."""
    span = Span()
    bare_ns = _bare_ns(lambda samples: respond(_Stub, samples), [_Stub()], QUERIES)
    issue = span.around(lambda samples: respond(lg, samples))
    run_api(lg, "SingleStream", issue, {**SINGLE, "min_query_count": QUERIES}, flush=span.end)
    return _cost(span, bare_ns, QUERIES)


def single_stream_native() -> Numbers:
    span = Span()

    def answer(query: Any) -> None:
        query.complete()

    bare_ns = _bare_ns(answer, _Stub(), QUERIES)
    run_native("SingleStream", span.around(answer), {"min_query_count": QUERIES}, flush=span.end)
    return _cost(span, bare_ns, QUERIES)


def multi_stream_api(lg: Any) -> Numbers:
    """Eight samples a query, answered within the callback in one call."""
    span = Span()
    bare_ns = _bare_ns(lambda samples: respond(_Stub, samples), [_Stub()] * 8, MULTI_QUERIES)
    issue = span.around(lambda samples: respond(lg, samples))
    settings = {**MULTI, "min_query_count": MULTI_QUERIES}
    run_api(lg, "MultiStream", issue, settings, flush=span.end)
    return _cost(span, bare_ns, MULTI_QUERIES)


def multi_stream_native() -> Numbers:
    span = Span()

    def answer(query: Any) -> None:
        _ = query.indices
        query.complete()

    bare_ns = _bare_ns(answer, _Stub(), MULTI_QUERIES)
    settings = {"min_query_count": MULTI_QUERIES, "multi_stream_samples_per_query": 8}
    run_native("MultiStream", span.around(answer), settings, flush=span.end)
    return _cost(span, bare_ns, MULTI_QUERIES)


def _threaded(
    run: Callable[[Callable[[Any], None], Callable[[], None]], Any], answer: Callable[[Any], None]
) -> Numbers:
    """Run with a worker thread that answers what the callback hands it."""
    span, work = Span(), queue.SimpleQueue[Any]()

    def body() -> None:
        while (query := work.get()) is not None:
            answer(query)

    worker = threading.Thread(target=body)
    worker.start()
    run(span.around(work.put), span.end)
    work.put(None)
    worker.join()
    return {"query_ns": span.each_ns(THREADED_QUERIES)}


def threaded_api(lg: Any) -> Numbers:
    """A null system that answers on another thread."""
    settings = {"single_stream_expected_latency_ns": 10_000, "min_query_count": THREADED_QUERIES}
    return _threaded(
        lambda issue, flush: run_api(lg, "SingleStream", issue, settings, flush=flush),
        lambda samples: respond(lg, samples),
    )


def threaded_native() -> Numbers:
    settings = {"min_query_count": THREADED_QUERIES}
    return _threaded(
        lambda issue, flush: run_native("SingleStream", issue, settings, flush=flush),
        lambda query: query.complete(),
    )
