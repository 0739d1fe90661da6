"""Offline: what a sample costs in time and memory where all come at once."""

from __future__ import annotations

import array
import time
from functools import partial
from typing import Any

from benchmarks.harness import Numbers, Span, peak_bytes, respond, run_api, run_native

__all__ = [
    "accuracy_api",
    "accuracy_native",
    "memory_native",
    "offline_api",
    "offline_calls_api",
    "offline_native",
]

ANSWERS = 50_000
_WARM_UP = {"min_query_count": 10}


def _numbers(whole_ns: int, span: Span, before: int, count: int) -> Numbers:
    return {
        "test_ns_a_sample": whole_ns / count,
        "issue_ns_a_sample": span.each_ns(count),
        "peak_MB": peak_bytes() / 1e6,
        "peak_added_MB": (peak_bytes() - before) / 1e6,
    }


def _offline(lg: Any, count: int, answer: Any) -> Numbers:
    run_api(lg, "Offline", answer, _WARM_UP)
    span, before = Span(), peak_bytes()
    settings = {"min_query_count": count}
    whole_ns = run_api(lg, "Offline", span.around(answer), settings, flush=span.end)
    return _numbers(whole_ns, span, before, count)


def offline_api(lg: Any, count: int) -> Numbers:
    """One completing call for all samples."""
    return _offline(lg, count, partial(respond, lg))


def offline_calls_api(lg: Any, count: int) -> Numbers:
    """A completing call a sample."""

    def answer(samples: Any) -> None:
        complete, response = lg.QuerySamplesComplete, lg.QuerySampleResponse
        for sample in samples:
            complete([response(sample.id, 0, 0)])

    return _offline(lg, count, answer)


def offline_native(count: int) -> Numbers:
    """One completing call; the system reads the indices as an array. Judged, as logs need."""
    from inferometer.loadgen import judge

    def answer(query: Any) -> None:
        _ = query.indices
        query.complete()

    run_native("Offline", answer, _WARM_UP)
    span, before = Span(), peak_bytes()
    begun = time.perf_counter_ns()
    settings = {"min_query_count": count}
    outcome = run_native("Offline", span.around(answer), settings, flush=span.end)
    judge(outcome.recording)
    return _numbers(time.perf_counter_ns() - begun, span, before, count)


def memory_native() -> Numbers:
    """What a query or a sample adds to the peak."""
    from inferometer.loadgen import judge  # noqa: F401 - counted before the test

    def answer(query: Any) -> None:
        query.complete()

    run_native("SingleStream", answer, {"min_query_count": 1000})
    before = peak_bytes()
    run_native("SingleStream", answer, {"min_query_count": 2_000_000})
    single = (peak_bytes() - before) / 2_000_000
    before = peak_bytes()
    run_native("Offline", answer, {"min_query_count": 10_000_000})
    offline = (peak_bytes() - before) / 10_000_000
    return {"bytes_a_query_single_stream": single, "bytes_a_sample_offline": offline}


def accuracy_api(lg: Any, size: int) -> Numbers:
    """Accuracy mode, with answers of ``size`` bytes that are all logged."""
    answer_bytes = array.array("B", bytes(index % 251 for index in range(size)))
    address = answer_bytes.buffer_info()[0]

    def answer(samples: Any) -> None:
        response = lg.QuerySampleResponse
        lg.QuerySamplesComplete([response(sample.id, address, size) for sample in samples])

    run_api(lg, "Offline", answer, {}, mode="AccuracyOnly", total=10)
    before = peak_bytes()
    whole_ns = run_api(lg, "Offline", answer, {}, mode="AccuracyOnly", total=ANSWERS)
    return _accuracy_numbers(whole_ns, before)


def accuracy_native(size: int) -> Numbers:
    """The same through our own interface, with the log files written."""
    import tempfile
    from pathlib import Path

    import numpy as np

    from inferometer.logs import write_logs

    answer_bytes = np.arange(size, dtype=np.uint8)

    def answer(query: Any) -> None:
        query.complete(np.broadcast_to(answer_bytes, (len(query), size)))

    def test(total: int) -> None:
        outcome = run_native("Offline", answer, {"mode": "AccuracyOnly"}, total=total)
        with tempfile.TemporaryDirectory() as folder:
            write_logs(Path(folder), outcome.recording, None, outcome.responses)

    test(10)
    before, begun = peak_bytes(), time.perf_counter_ns()
    test(ANSWERS)
    return _accuracy_numbers(time.perf_counter_ns() - begun, before)


def _accuracy_numbers(whole_ns: int, before: int) -> Numbers:
    return {
        "test_us_an_answer": whole_ns / ANSWERS / 1e3,
        "peak_added_MB": (peak_bytes() - before) / 1e6,
    }
