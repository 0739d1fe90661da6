"""Raw rows: a test query by query, for exact points in the charts and for download."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import SeriesRecord
from inferometer.report.page.packing import packed

__all__ = ["NEVER", "latency_by_query", "raw_rows"]

NEVER = -1
"""Stands for what never happened or wasn't told."""

Integers = NDArray[np.int64]


def raw_rows(series: SeriesRecord) -> dict[str, Any]:
    """Give the rows as columns: one a query, or one a sample where there is one query.

    A column with ``plus`` counts from that column; ``apart`` then names what it is before
    that is added.
    """
    if series.query_count == 1:
        columns = [_column("completed_ns", series.completed_ns)]
        columns += _per_sample(series)
        return {"noun": "sample", "count": series.sample_count, "columns": columns}
    columns = [
        _column("scheduled_ns", series.scheduled_ns),
        _column("issued_ns", series.lateness_ns, "lateness_ns"),
        _column("completed_ns", latency_by_query(series), "latency_ns"),
    ]
    if series.samples_per_query == 1:
        columns += _per_sample(series)
    return {"noun": "query", "count": series.query_count, "columns": columns}


def latency_by_query(series: SeriesRecord) -> Integers:
    """int64 [queries]: latency of each query, that of its last sample; `NEVER` without."""
    by_query = series.completed_ns.reshape(series.query_count, series.samples_per_query)
    latency: Integers = by_query.max(axis=1) - series.scheduled_ns
    return np.where((by_query >= 0).all(axis=1), latency, NEVER)


def _column(name: str, values: Integers, apart: str = "") -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "values": packed(values.astype(np.int64))}
    return {**column, "plus": "scheduled_ns", "apart": apart} if apart else column


def _per_sample(series: SeriesRecord) -> list[dict[str, Any]]:
    columns = [_column("sample_index", series.sample_index.astype(np.int64))]
    for name in ("began_ns", "preprocess_ns", "infer_ns"):
        values = getattr(series, name)
        if values is not None:
            columns.append(_column(name, values))
    return columns
