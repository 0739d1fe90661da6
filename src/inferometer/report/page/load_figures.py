"""Load figures: what was asked of the system over time, what it answered, what queued."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario, SeriesRecord
from inferometer.report.canvas import Series
from inferometer.report.charts import lines_chart, range_chart
from inferometer.report.page.figure import Figure
from inferometer.report.page.packing import packed
from inferometer.report.page.queue_depth import QueueDepth
from inferometer.report.page.raw_rows import latency_by_query
from inferometer.report.page.time_bins import TimeBins
from inferometer.runs import TestResult

__all__ = ["load_figures"]

_DRAWN = 64
_FEWEST_MOMENTS = 50

Integers = NDArray[np.int64]


def load_figures(test: TestResult, series: SeriesRecord) -> list[Figure]:
    """Draw rates, the queue or what is left of it, where there is a course to draw."""
    done = series.completed_ns[series.is_complete]
    last_ns = int(max(done.max(initial=0), series.issued_ns.max(initial=0)))
    if last_ns <= 0 or _moments(done) < _FEWEST_MOMENTS:
        return []
    bins = TimeBins.over(last_ns, series.sample_count)
    answered = bins.counts(done)
    figures = [_rates(test, series, bins, answered)]
    if test.scenario is Scenario.OFFLINE:
        figures.append(_completion(bins, answered, series.sample_count))
    queue = _queue(series, bins)
    if queue is not None:
        figures.append(queue)
    return figures


def _moments(times_ns: Integers) -> int:
    """Count different times."""
    ordered = np.sort(times_ns)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0


def _rates(test: TestResult, series: SeriesRecord, bins: TimeBins, answered: Integers) -> Figure:
    lines = [("answered", "median", answered)]
    title, text = "Throughput over time", "Samples answered a second."
    if test.scenario is Scenario.SERVER:
        asked = bins.counts(series.scheduled_ns)
        lines.insert(0, ("asked", "asked", asked))
        title = "Arrivals asked and served"
        text = "Arrivals asked for and samples answered: a growing gap is a growing queue."
    edges = bins.groups(_DRAWN)
    seconds = np.diff(edges) * bins.width_ns / 1e9
    drawn = [
        Series(name, css, (np.add.reduceat(counts, edges[:-1]) / seconds).tolist())
        for name, css, counts in lines
    ]
    return Figure(
        title,
        text,
        lines_chart(_middles(bins), drawn, "Samples per second over time", "samples/s"),
        {
            "kind": "rates",
            "width": bins.width_ns,
            "lines": [
                {"name": name, "css": css, "counts": packed(counts)} for name, css, counts in lines
            ],
        },
    )


def _middles(bins: TimeBins) -> list[float]:
    """Give the middle of each stretch that a picture draws, s."""
    edges = bins.groups(_DRAWN) * bins.width_ns / 1e9
    middles: list[float] = ((edges[1:] + edges[:-1]) / 2).tolist()
    return middles


def _completion(bins: TimeBins, answered: Integers, asked: int) -> Figure:
    edges = bins.groups(_DRAWN)
    totals = np.concatenate([[0], np.cumsum(answered)])[edges].tolist()
    times = (edges * bins.width_ns / 1e9).tolist()
    line = Series("answered", "median", totals)
    return Figure(
        "Completion",
        f"How many of the {asked:,} samples were answered by when; a straight line is a steady "
        "system.",
        lines_chart(times, [line], "Samples answered over time", "samples"),
        {
            "kind": "completion",
            "width": bins.width_ns,
            "total": asked,
            "counts": packed(answered),
        },
    )


def _queue(series: SeriesRecord, bins: TimeBins) -> Figure | None:
    """Draw the outstanding queries, where there ever was more than one."""
    latency = latency_by_query(series)
    completed = (series.scheduled_ns + latency)[latency >= 0]
    depth = QueueDepth.of(series.issued_ns, completed, bins)
    if depth.most.max() <= 1:
        return None
    starts = bins.groups(_DRAWN)[:-1]
    chart: dict[str, Any] = {"kind": "depth", **depth.to_page()}
    least, most = np.minimum.reduceat(depth.least, starts), np.maximum.reduceat(depth.most, starts)
    return Figure(
        "Queue depth",
        "Queries issued and not yet answered, waiting or being worked on.",
        range_chart(
            _middles(bins), least.tolist(), most.tolist(), "Queue depth over time", "queries"
        ),
        chart,
    )
