"""Late work: what the system does when nothing is asked of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.result import AuditResult, failed, not_checkable, passed

__all__ = ["after_answers", "between_queries"]

_BUSY_SHARE = 0.25
_QUERIES_WORTH = 3
_GAP_SHARE = 0.5
_LEAST_GAP_NS = 200_000


def after_answers(bench: Bench, scenario: Scenario) -> AuditResult:
    """Watch the processor after the last answer: work that goes on belonged into the test.

    It fails if the system is busy for a quarter of the time that it is watched, or for as long
    as several queries took, in each of three tests and with no answer kept.
    """
    audit = "audit.work-after-answers"
    settings = bench.settings(scenario, accuracy_log_probability=0.0)
    busy = []
    for _ in range(3):
        seen = bench.run(settings, watches=True)
        latencies = seen.query_latencies_ns
        if not len(latencies):
            return not_checkable(audit, scenario, "nothing was answered")
        enough_ns = min(_BUSY_SHARE * seen.watched_ns, _worth_ns(seen.watched_ns, latencies))
        busy.append((seen.processor_after_ns, enough_ns))
    least_ns = min(after for after, _ in busy)
    seen_text = f"at least {least_ns / 1e6:.1f} ms of processor time after the last answer"
    make = failed if all(after > enough for after, enough in busy) else passed
    return make(audit, scenario, seen_text, processor_after_ns=[after for after, _ in busy])


def between_queries(bench: Bench) -> AuditResult:
    """Look at the time from an answer to the next query, SingleStream.

    The generator alone needs some microseconds there. A system that answers and then computes
    before it lets the generator go on shows as long gaps.
    """
    audit = "audit.work-between-queries"
    seen = bench.run(bench.settings(Scenario.SINGLE_STREAM, accuracy_log_probability=0.0))
    series = seen.series[0] if seen.series else None
    if series is None or series.query_count < 2 or not bool(series.is_complete.all()):
        return not_checkable(audit, Scenario.SINGLE_STREAM, "too few queries were answered")
    gap_ns = float(np.median(series.issued_ns[1:] - series.completed_ns[:-1]))
    latency_ns = float(np.median(series.query_latency_ns))
    text = (
        f"{gap_ns / 1e3:.0f} µs from an answer to the next query, at a latency of "
        f"{latency_ns / 1e3:.0f} µs"
    )
    suspicious = gap_ns > max(_LEAST_GAP_NS, _GAP_SHARE * latency_ns)
    make = failed if suspicious else passed
    return make(audit, Scenario.SINGLE_STREAM, text, gap_ns=gap_ns, latency_ns=latency_ns)


def _worth_ns(watched_ns: int, latencies: NDArray[np.int64]) -> float:
    """Give how long several queries took, but no less than a twentieth of the watch."""
    return max(_QUERIES_WORTH * float(np.median(latencies)), watched_ns / 20)
