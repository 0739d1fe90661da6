"""Charts: a recording drawn as SVG that needs no script and reads in light and dark.

Every drawn number comes from the recording. Colours are classes that the page's style
sheet fills in; texts behind marks are in ``<title>`` elements, which browsers show as
tooltips and screen readers read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from inferometer.report.scale import Scale, linear_scale, log_scale
from inferometer.report.wording import duration_text, tick_text

__all__ = ["Marker", "Series", "distribution_chart", "lines_chart", "timeline_chart"]

WIDTH, HEIGHT = 540, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 30, 44, 40
_WIDE_RANGE = 8.0
_BINS = 72
_WINDOWS = 140

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Marker:
    """A line across a chart at a value: a percentile or a bound."""

    value: float
    label: str
    kind: str = "percentile"


@dataclass(frozen=True)
class Series:
    """A line: its name, its CSS class, and its values at the chart's positions."""

    name: str
    kind: str
    values: Sequence[float]


class _Canvas:
    """Collects the elements of one chart."""

    def __init__(self, title: str, description: str):
        self._title, self._description = title, description
        self._parts: list[Markup] = []

    def add(self, template: str, *values: object) -> None:
        """Add an element; values are escaped into it."""
        self._parts.append(Markup(template).format(*values))  # noqa: S704

    def axes(
        self, x: Scale, y: Scale, texts: tuple[Callable[[float], str], Callable[[float], str]]
    ) -> None:
        """Draw grid lines with their numbers."""
        for tick in y.ticks:
            at = y.pixel(tick)
            self.add(
                '<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>',
                _LEFT, at, WIDTH - _RIGHT, at,
            )  # fmt: skip
            self.add(
                '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>',
                _LEFT - 8, at + 4, texts[1](tick),
            )  # fmt: skip
        for tick in x.ticks:
            at = x.pixel(tick)
            self.add(
                '<line class="grid" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>',
                at, HEIGHT - _BOTTOM, at, HEIGHT - _BOTTOM + 4,
            )  # fmt: skip
            self.add(
                '<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>',
                at, HEIGHT - _BOTTOM + 18, texts[0](tick),
            )  # fmt: skip

    def names(self, x_name: str, y_name: str) -> None:
        """Write the names of the axes."""
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        self.add(
            '<text class="name" x="{:.0f}" y="{}" text-anchor="middle">{}</text>',
            middle, HEIGHT - 6, x_name,
        )  # fmt: skip
        self.add('<text class="name" x="8" y="14">{}</text>', y_name)

    def svg(self) -> Markup:
        """Give the finished chart."""
        head = Markup(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" '
            'preserveAspectRatio="xMidYMid meet"><title>{}</title><desc>{}</desc>'
        ).format(WIDTH, HEIGHT, self._title, self._title, self._description)
        return head + Markup("").join(self._parts) + Markup("</svg>")


def _horizontal(high: float) -> Scale:
    return linear_scale(high, _LEFT, WIDTH - _RIGHT, 6)


def _vertical(high: float) -> Scale:
    return linear_scale(high, HEIGHT - _BOTTOM, _TOP)


def _latency_scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Choose a logarithmic scale where latencies spread widely."""
    if low > 0 and high / low > _WIDE_RANGE:
        return log_scale(low, high, start, stop)
    return linear_scale(high, start, stop)


def distribution_chart(latency_ns: Integers, markers: Sequence[Marker], name: str) -> Markup:
    """Draw a histogram of latencies, int64 [n], with percentiles and the bound marked."""
    low, high = float(latency_ns.min()), float(latency_ns.max())
    high = max([high, *(marker.value for marker in markers)])
    x = _latency_scale(max(low, 1.0), max(high, 1.0), _LEFT, WIDTH - _RIGHT)
    edges = np.geomspace(x.low, x.high, _BINS + 1) if x.is_log else None
    if edges is None:
        edges = np.linspace(x.low, x.high, _BINS + 1)
    counts, _ = np.histogram(np.clip(latency_ns, edges[0], edges[-1]), edges)
    y = _vertical(float(counts.max()))
    canvas = _Canvas(f"Distribution of {name}", f"Histogram of {len(latency_ns)} latencies.")
    canvas.axes(x, y, (tick_text, lambda value: f"{value:,.0f}"))
    canvas.names(name, "samples")
    for number, count in enumerate(counts.tolist()):
        if not count:
            continue
        left, right = x.pixel(float(edges[number])), x.pixel(float(edges[number + 1]))
        top = y.pixel(count)
        canvas.add(
            '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
            "<title>{} – {}: {:,}</title></rect>",
            left, top, max(0.5, right - left - 0.6), HEIGHT - _BOTTOM - top,
            duration_text(float(edges[number])), duration_text(float(edges[number + 1])), count,
        )  # fmt: skip
    _draw_markers(canvas, x, markers)
    return canvas.svg()


def _draw_markers(canvas: _Canvas, x: Scale, markers: Sequence[Marker]) -> None:
    """Draw vertical lines, their labels in rows so that near ones stay readable."""
    for row, marker in enumerate(sorted(markers, key=lambda marker: marker.value)):
        at, level = x.pixel(marker.value), _TOP - 42 + 13 * (row % 3)
        is_right = at > WIDTH - _RIGHT - 100
        canvas.add(
            '<line class="marker {}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>',
            marker.kind, at, level, at, HEIGHT - _BOTTOM,
        )  # fmt: skip
        canvas.add(
            '<text class="label {}" x="{:.1f}" y="{}" text-anchor="{}">{}</text>',
            marker.kind, at + (-4 if is_right else 4), level + 10,
            "end" if is_right else "start", marker.label,
        )  # fmt: skip


def timeline_chart(
    at_ns: Integers, latency_ns: Integers, bound: Marker | None, name: str
) -> Markup:
    """Draw latency over time: the range, the median and the 99th percentile of each window.

    ``at_ns`` and ``latency_ns`` are int64 [n]: when each query was due, and its latency.
    """
    order = np.argsort(at_ns, kind="stable")
    at_ns, latency_ns = at_ns[order], latency_ns[order]
    windows = min(_WINDOWS, max(1, len(at_ns) // 8))
    parts = [part for part in np.array_split(np.arange(len(at_ns)), windows) if len(part)]
    times = [float(at_ns[part].mean()) / 1e9 for part in parts]
    ranges = [np.percentile(latency_ns[part], [0, 50, 99, 100]) for part in parts]
    least, median, high, most = (list(map(float, column)) for column in zip(*ranges, strict=True))
    top = max([*most, bound.value if bound else 0.0])
    x = _horizontal(max(times[-1], 1e-9))
    y = _latency_scale(max(min(least), 1.0), max(top, 1.0), HEIGHT - _BOTTOM, _TOP)
    canvas = _Canvas(f"{name} over time", f"{len(at_ns)} queries in {len(parts)} windows.")
    canvas.axes(x, y, (_seconds_text, tick_text))
    canvas.names("time since the start", name)
    _draw_band(canvas, x, y, times, least, most)
    _draw_line(canvas, x, y, times, Series("median", "median", median))
    _draw_line(canvas, x, y, times, Series("p99", "high", high))
    if bound:
        at = y.pixel(bound.value)
        canvas.add(
            '<line class="marker bound" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>',
            _LEFT, at, WIDTH - _RIGHT, at,
        )  # fmt: skip
        canvas.add(
            '<text class="label bound" x="{}" y="{:.1f}" text-anchor="end">{}</text>',
            WIDTH - _RIGHT, at - 4, bound.label,
        )  # fmt: skip
    _draw_legend(canvas, [("range", "band"), ("median", "median"), ("p99 of the window", "high")])
    return canvas.svg()


def lines_chart(
    times_s: Sequence[float], series: Sequence[Series], title: str, y_name: str
) -> Markup:
    """Draw rates over time, one line a series."""
    top = max(max(line.values, default=0.0) for line in series)
    x, y = _horizontal(max(times_s[-1], 1e-9)), _vertical(top)
    canvas = _Canvas(title, ", ".join(line.name for line in series))
    canvas.axes(x, y, (_seconds_text, lambda value: f"{value:,.0f}"))
    canvas.names("time since the start", y_name)
    for line in series:
        _draw_line(canvas, x, y, times_s, line)
    _draw_legend(canvas, [(line.name, line.kind) for line in series])
    return canvas.svg()


def _draw_line(canvas: _Canvas, x: Scale, y: Scale, times: Sequence[float], line: Series) -> None:
    points = " ".join(
        f"{x.pixel(at):.1f},{y.pixel(value):.1f}"
        for at, value in zip(times, line.values, strict=True)
    )
    canvas.add('<polyline class="line {}" points="{}"><title>{}</title></polyline>',
               line.kind, points, line.name)  # fmt: skip


def _draw_band(
    canvas: _Canvas,
    x: Scale,
    y: Scale,
    times: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> None:
    there = [f"{x.pixel(t):.1f},{y.pixel(v):.1f}" for t, v in zip(times, high, strict=True)]
    back = [f"{x.pixel(t):.1f},{y.pixel(v):.1f}" for t, v in zip(times, low, strict=True)]
    canvas.add('<polygon class="band" points="{}"/>', " ".join(there + back[::-1]))


def _draw_legend(canvas: _Canvas, entries: Sequence[tuple[str, str]]) -> None:
    at = WIDTH - _RIGHT
    for name, kind in reversed(entries):
        at -= 7 * len(str(escape(name))) + 30
        canvas.add('<line class="line {}" x1="{}" y1="12" x2="{}" y2="12"/>', kind, at, at + 16)
        canvas.add('<text class="tick" x="{}" y="16">{}</text>', at + 20, name)


def _seconds_text(value_s: float) -> str:
    """Write a tick of the time axis: seconds, or the unit that a very short run needs."""
    return f"{value_s:g} s" if value_s >= 1e-3 or not value_s else tick_text(value_s * 1e9)
