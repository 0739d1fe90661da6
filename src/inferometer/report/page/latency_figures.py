"""Latency figures: how long queries took, and how late the generator was itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Interval, LatencySummary, Scenario, SeriesRecord
from inferometer.report.canvas import Marker
from inferometer.report.charts import distribution_chart, level_chart
from inferometer.report.page.budget import Budget
from inferometer.report.page.figure import Figure
from inferometer.report.page.ladder import Ladder
from inferometer.report.page.packing import packed
from inferometer.report.page.pyramid import pyramid
from inferometer.report.page.raw_rows import latency_by_query
from inferometer.report.wording import duration_text
from inferometer.runs import TestResult

__all__ = ["latency_figures", "lateness_figure"]

_MARKED = (0.5, 0.9, 0.99)
_SLOWEST = 1000

Integers = NDArray[np.int64]


def latency_figures(test: TestResult, series: SeriesRecord, budget: Budget) -> list[Figure]:
    """Draw the latencies of queries as a distribution and over time."""
    assert test.verdict is not None
    is_multi = test.scenario.is_multi_stream
    name = "query latency" if is_multi else "latency"
    summary = test.verdict.query_latency if is_multi else test.verdict.sample_latency
    assert summary is not None
    bound = _bound(test)
    latency = series.query_latency_ns
    aim = test.recording.effective.target_latency_percentile
    text = "How many queries took how long, from the scheduled time to the answer."
    interval = summary.intervals_ns.get(aim)
    if interval is not None:
        text += f" Shaded: the 95 % interval of p{aim * 100:g}."
    markers = [*_percentile_markers(summary), *([bound] if bound else [])]
    return [
        Figure(
            "Latency distribution",
            text,
            distribution_chart(latency, markers, name, interval),
            _distribution(latency, markers, (name, "queries"), budget, interval),
        ),
        _over_time(series, bound, name, budget),
    ]


def lateness_figure(series: SeriesRecord, budget: Budget) -> Figure:
    """Draw how late the generator was, query by query."""
    lateness = series.lateness_ns
    summary = LatencySummary.of(lateness)
    assert summary is not None
    markers = _percentile_markers(summary)
    names = ("lateness", "queries")
    return Figure(
        "The generator's own lateness",
        "Issued minus scheduled time. It is part of every latency above, because latency "
        "counts from the scheduled time.",
        distribution_chart(np.maximum(lateness, 1), markers, "lateness"),
        _distribution(lateness, markers, names, budget, None),
    )


def _percentile_markers(summary: LatencySummary) -> list[Marker]:
    values = {p: summary.percentiles_ns[p] for p in _MARKED}
    return [
        Marker(max(1.0, float(value)), f"p{p * 100:g} {duration_text(value)}")
        for p, value in values.items()
    ]


def _bound(test: TestResult) -> Marker | None:
    effective = test.recording.effective
    if test.scenario is not Scenario.SERVER or effective.use_token_latencies:
        return None
    bound_ns = effective.target_latency_ns
    return Marker(float(bound_ns), f"bound {duration_text(bound_ns)}", "bound")


def _distribution(
    values: Integers,
    markers: list[Marker],
    names: tuple[str, str],
    budget: Budget,
    interval: Interval | None,
) -> dict[str, Any]:
    ends = None if interval is None else [interval.low, interval.high]
    return {
        "kind": "distribution",
        "views": ["histogram", "cdf", "tail"],
        "name": names[0],
        "noun": names[1],
        "ladders": [{"name": names[0], "css": "", **Ladder.of(values, budget.rungs).to_page()}],
        "markers": [_marker(marker) for marker in markers],
        "interval": ends,
    }


def _marker(marker: Marker) -> dict[str, Any]:
    return {"value": int(marker.value), "label": marker.label, "css": marker.kind}


def _over_time(series: SeriesRecord, bound: Marker | None, name: str, budget: Budget) -> Figure:
    latency = latency_by_query(series)
    number = np.flatnonzero(latency >= 0)
    number = number[np.argsort(series.scheduled_ns[number], kind="stable")]
    at, latency = series.scheduled_ns[number], latency[number]
    levels = pyramid(at, latency, budget.windows)
    end_ns = int(at[-1])
    return Figure(
        "Latency over time",
        "Drift, warm-up and hiccups show here: the run is cut into windows of equally "
        "many queries.",
        level_chart(levels[0], end_ns, bound, name),
        {
            "kind": "timeline",
            "name": name,
            "count": len(at),
            "end": end_ns,
            "levels": [level.to_page() for level in levels],
            "slow": None if budget.has_raw else _slowest(number, at, latency),
            "bound": _marker(bound) if bound else None,
        },
    )


def _slowest(number: Integers, at: Integers, latency: Integers) -> dict[str, Any]:
    """Give the slowest queries, in order of time."""
    slowest = np.sort(np.argsort(latency, kind="stable")[-_SLOWEST:])
    return {
        "number": packed(number[slowest]),
        "at": packed(at[slowest]),
        "value": packed(latency[slowest]),
    }
