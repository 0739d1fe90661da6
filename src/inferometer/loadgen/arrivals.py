"""Arrivals: when the queries of a Server run are due."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.errors import PlanError
from inferometer.loadgen.random_stream import RandomStream, poisson_gaps_ns

__all__ = ["MAX_QUERIES", "poisson_arrivals"]

MAX_QUERIES = 1 << 33
"""More pre-generated queries than this are refused as a mistake in the settings."""

Integers = NDArray[np.int64]


def poisson_arrivals(
    stream: RandomStream, rate_qps: float, least: int, span_ns: int, step: int = 0
) -> tuple[Integers, int]:
    """Draw arrivals until both a count and a span are reached.

    Gives when each query is due, int64 [queries] in ns with the first at 0, and the time
    up to the gap after the last one. With ``step`` the count beyond ``least`` is a
    multiple of it.

    Source: MLPerf LoadGen's query generation; one gap is drawn after the last query.
    """
    expected = int(span_ns / 1e9 * rate_qps)
    if max(expected, least) > MAX_QUERIES:
        raise PlanError(
            f"the settings ask for about {max(expected, least)} pre-generated queries; "
            "lower server_target_qps or min_duration_ms"
        )
    # Enough for the span in all but rare cases; a shortfall is drawn in small blocks.
    size = max(least, expected + 4 * int(expected**0.5)) + step + 2
    ends = np.empty(0, np.int64)
    while True:
        last = int(ends[-1]) if len(ends) else 0
        gaps = poisson_gaps_ns(stream.canonical(size), rate_qps)
        ends = np.concatenate([ends, last + np.cumsum(gaps)])
        count = _count(ends, least, span_ns, step)
        if count <= len(ends):
            break
        size = max(1024, size // 8)
    due = np.empty(count, np.int64)
    due[:1] = 0
    due[1:] = ends[: count - 1]
    return due, int(ends[count - 1]) if count else 0


def _count(ends: Integers, least: int, span_ns: int, step: int) -> int:
    """Give how many queries are generated; more than there are gaps if those don't suffice."""
    count = least
    if span_ns:
        # Query k is due at ends[k - 1]; the last one generated is the first due at or
        # after the span.
        count = max(least, int(np.searchsorted(ends, span_ns)) + 2)
    if step:
        count = least + -(-(count - least) // step) * step
    return count
