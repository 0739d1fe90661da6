"""Slowest queries: which they were, and where their time went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import SeriesRecord
from inferometer.report.page.raw_rows import latency_by_query

__all__ = ["SlowQuery", "slowest_of"]

_SHOWN = 10


@dataclass(frozen=True)
class SlowQuery:
    """A query: its number in order of issue, from 0; times in ns; stages by name, if told."""

    number: int
    scheduled_ns: int
    latency_ns: int
    lateness_ns: int
    sample_index: int | None
    stages_ns: dict[str, int]


def slowest_of(series: SeriesRecord, count: int = _SHOWN) -> list[SlowQuery]:
    """Give the slowest queries that were answered, the slowest first."""
    latency = latency_by_query(series)
    answered = int((latency >= 0).sum())
    slowest = np.argsort(latency, kind="stable")[::-1][: min(count, answered)]
    return [
        SlowQuery(
            number=int(number),
            scheduled_ns=int(series.scheduled_ns[number]),
            latency_ns=int(latency[number]),
            lateness_ns=int(series.lateness_ns[number]),
            sample_index=int(series.sample_index[number])
            if series.samples_per_query == 1
            else None,
            stages_ns=_stages(series, int(number)),
        )
        for number in slowest
    ]


def _stages(series: SeriesRecord, number: int) -> dict[str, int]:
    began, preprocess, infer = series.began_ns, series.preprocess_ns, series.infer_ns
    if began is None or preprocess is None or infer is None or series.samples_per_query > 1:
        return {}
    if began[number] < 0:
        return {}
    work = int(preprocess[number] + infer[number])
    return {
        "wait": int(began[number] - series.issued_ns[number]),
        "preprocess": int(preprocess[number]),
        "infer": int(infer[number]),
        "postprocess": int(series.completed_ns[number] - began[number]) - work,
    }
