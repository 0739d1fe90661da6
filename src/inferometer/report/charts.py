"""Charts: a recording drawn as SVG that needs no script and reads in light and dark.

Every drawn number comes from the recording; the page's script draws the same numbers anew
where somebody zooms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.report.canvas import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Canvas,
    Marker,
    Series,
    across,
    latency_scale,
    seconds_text,
    upwards,
)
from inferometer.report.page.pyramid import Level, pyramid
from inferometer.report.wording import duration_text, tick_text

__all__ = [
    "Marker",
    "Series",
    "distribution_chart",
    "level_chart",
    "lines_chart",
    "range_chart",
    "timeline_chart",
]

_BINS = 72

Integers = NDArray[np.int64]


def distribution_chart(
    latency_ns: Integers,
    markers: Sequence[Marker],
    name: str,
    interval: Interval | None = None,
    unit: str = "queries",
) -> Markup:
    """Draw a histogram of latencies, int64 [n], with percentiles and the bound marked."""
    low, high = float(latency_ns.min()), float(latency_ns.max())
    high = max([high, *(marker.value for marker in markers)])
    x = latency_scale(max(low, 1.0), max(high, 1.0), LEFT, WIDTH - RIGHT)
    edges = np.geomspace(x.low, x.high, _BINS + 1) if x.is_log else None
    if edges is None:
        edges = np.linspace(x.low, x.high, _BINS + 1)
    counts, _ = np.histogram(np.clip(latency_ns, edges[0], edges[-1]), edges)
    y = upwards(float(counts.max()))
    canvas = Canvas(f"Distribution of {name}", f"Histogram of {len(latency_ns)} values.")
    canvas.axes(x, y, (tick_text, lambda value: f"{value:,.0f}"))
    canvas.names(name, unit)
    if interval is not None and interval.low is not None:
        canvas.shade(x, interval.low, x.high if interval.high is None else interval.high)
    for number, count in enumerate(counts.tolist()):
        if count:
            ends = float(edges[number]), float(edges[number + 1])
            _draw_bar(canvas, (x.pixel(ends[0]), x.pixel(ends[1]), y.pixel(count)), ends, count)
    canvas.markers(x, markers)
    return canvas.svg()


def _draw_bar(
    canvas: Canvas, place: tuple[float, float, float], ends: tuple[float, float], count: int
) -> None:
    left, right, top = place
    canvas.add(
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>{} – {}: {:,}</title></rect>",
        left, top, max(0.5, right - left - 0.6), HEIGHT - BOTTOM - top,
        duration_text(ends[0]), duration_text(ends[1]), count,
    )  # fmt: skip


def timeline_chart(
    at_ns: Integers, latency_ns: Integers, bound: Marker | None, name: str
) -> Markup:
    """Draw latency over time: the range, the median and the 99th percentile of each window.

    ``at_ns`` and ``latency_ns`` are int64 [n]: when each query was due, and its latency.
    """
    order = np.argsort(at_ns, kind="stable")
    level = pyramid(at_ns[order], latency_ns[order], 0)[0]
    return level_chart(level, int(at_ns.max()), bound, name)


def level_chart(level: Level, end_ns: int, bound: Marker | None, name: str) -> Markup:
    """Draw one level of a pyramid, whose last value was due at ``end_ns``."""
    ends = np.append(level.first_ns[1:], end_ns)
    times = ((level.first_ns + ends) / 2 / 1e9).tolist()
    least, most = level.least.tolist(), level.most.tolist()
    top = max([*most, bound.value if bound else 0.0])
    x = across(max(times[-1], 1e-9))
    y = latency_scale(max(min(least), 1.0), max(top, 1.0), HEIGHT - BOTTOM, TOP)
    canvas = Canvas(f"{name} over time", f"{len(times)} windows of {level.per} queries.")
    canvas.axes(x, y, (seconds_text, tick_text))
    canvas.names("time since the start", name)
    canvas.band(x, y, times, (least, most))
    canvas.line(x, y, times, Series("median", "median", level.median.tolist()))
    canvas.line(x, y, times, Series("p99", "high", level.high.tolist()))
    if bound:
        canvas.level(y, bound)
    canvas.legend([("range", "band"), ("median", "median"), ("p99 of the window", "high")])
    return canvas.svg()


def lines_chart(
    times_s: Sequence[float], series: Sequence[Series], title: str, y_name: str
) -> Markup:
    """Draw rates over time, one line a series."""
    top = max(max(line.values, default=0.0) for line in series)
    x, y = across(max(times_s[-1], 1e-9)), upwards(top)
    canvas = Canvas(title, ", ".join(line.name for line in series))
    canvas.axes(x, y, (seconds_text, lambda value: f"{value:,.0f}"))
    canvas.names("time since the start", y_name)
    for line in series:
        canvas.line(x, y, times_s, line)
    canvas.legend([(line.name, line.kind) for line in series])
    return canvas.svg()


def range_chart(
    times_s: Sequence[float], least: Sequence[float], most: Sequence[float], title: str, name: str
) -> Markup:
    """Draw how a count ranged in each stretch of time."""
    x, y = across(max(times_s[-1], 1e-9)), upwards(max(most))
    canvas = Canvas(title, f"{len(times_s)} stretches of time.")
    canvas.axes(x, y, (seconds_text, lambda value: f"{value:,.0f}"))
    canvas.names("time since the start", name)
    canvas.band(x, y, times_s, (least, most))
    canvas.line(x, y, times_s, Series("most", "median", most))
    canvas.legend([("range", "band"), ("most", "median")])
    return canvas.svg()
