"""Canvas: the elements of one chart, with axes, lines, bands, markers and a legend.

Colours are classes that the page's style sheet fills in; texts behind marks are in
``<title>`` elements, which browsers show as tooltips and screen readers read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from inferometer.report.scale import Scale, linear_scale, log_scale
from inferometer.report.wording import tick_text

__all__ = [
    "BOTTOM",
    "HEIGHT",
    "LEFT",
    "RIGHT",
    "TOP",
    "WIDTH",
    "Canvas",
    "Marker",
    "Series",
    "across",
    "latency_scale",
    "seconds_text",
    "upwards",
]

WIDTH, HEIGHT = 540, 250
LEFT, RIGHT, TOP, BOTTOM = 66, 30, 44, 40
_WIDE_RANGE = 8.0


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


class Canvas:
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
                LEFT, at, WIDTH - RIGHT, at,
            )  # fmt: skip
            self.add(
                '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>',
                LEFT - 8, at + 4, texts[1](tick),
            )  # fmt: skip
        for tick in x.ticks:
            at = x.pixel(tick)
            self.add(
                '<line class="grid" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>',
                at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 4,
            )  # fmt: skip
            self.add(
                '<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>',
                at, HEIGHT - BOTTOM + 18, texts[0](tick),
            )  # fmt: skip

    def names(self, x_name: str, y_name: str) -> None:
        """Write the names of the axes."""
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.add(
            '<text class="name" x="{:.0f}" y="{}" text-anchor="middle">{}</text>',
            middle, HEIGHT - 6, x_name,
        )  # fmt: skip
        self.add('<text class="name" x="8" y="14">{}</text>', y_name)

    def line(self, x: Scale, y: Scale, times: Sequence[float], line: Series) -> None:
        """Draw one line through its values."""
        points = " ".join(
            f"{x.pixel(at):.1f},{y.pixel(value):.1f}"
            for at, value in zip(times, line.values, strict=True)
        )
        self.add(
            '<polyline class="line {}" points="{}"><title>{}</title></polyline>',
            line.kind, points, line.name,
        )  # fmt: skip

    def band(
        self,
        x: Scale,
        y: Scale,
        times: Sequence[float],
        ends: tuple[Sequence[float], Sequence[float]],
        kind: str = "",
    ) -> None:
        """Fill what lies between a lower and an upper line."""
        low, high = ends
        there = [f"{x.pixel(t):.1f},{y.pixel(v):.1f}" for t, v in zip(times, high, strict=True)]
        back = [f"{x.pixel(t):.1f},{y.pixel(v):.1f}" for t, v in zip(times, low, strict=True)]
        self.add('<polygon class="band {}" points="{}"/>', kind, " ".join(there + back[::-1]))

    def shade(self, x: Scale, low: float, high: float) -> None:
        """Shade the chart from one value to another: an interval."""
        left, right = x.pixel(low), x.pixel(high)
        self.add(
            '<rect class="interval" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>',
            left, TOP, max(1.0, right - left), HEIGHT - BOTTOM - TOP,
        )  # fmt: skip

    def markers(self, x: Scale, markers: Sequence[Marker]) -> None:
        """Draw vertical lines, their labels in rows so that near ones stay readable."""
        for row, marker in enumerate(sorted(markers, key=lambda marker: marker.value)):
            at, level = x.pixel(marker.value), TOP - 42 + 13 * (row % 3)
            is_right = at > WIDTH - RIGHT - 100
            self.add(
                '<line class="marker {}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>',
                marker.kind, at, level, at, HEIGHT - BOTTOM,
            )  # fmt: skip
            self.add(
                '<text class="label {}" x="{:.1f}" y="{}" text-anchor="{}">{}</text>',
                marker.kind, at + (-4 if is_right else 4), level + 10,
                "end" if is_right else "start", marker.label,
            )  # fmt: skip

    def level(self, y: Scale, marker: Marker) -> None:
        """Draw a horizontal line with its label: the bound."""
        at = y.pixel(marker.value)
        self.add(
            '<line class="marker {}" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>',
            marker.kind, LEFT, at, WIDTH - RIGHT, at,
        )  # fmt: skip
        self.add(
            '<text class="label {}" x="{}" y="{:.1f}" text-anchor="end">{}</text>',
            marker.kind, WIDTH - RIGHT, at - 4, marker.label,
        )  # fmt: skip

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Name lines and bands in the upper right corner."""
        at = WIDTH - RIGHT
        for name, kind in reversed(entries):
            at -= 7 * len(str(escape(name))) + 30
            self.add('<line class="line {}" x1="{}" y1="12" x2="{}" y2="12"/>', kind, at, at + 16)
            self.add('<text class="tick" x="{}" y="16">{}</text>', at + 20, name)

    def svg(self) -> Markup:
        """Give the finished chart."""
        head = Markup(
            '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" '
            'preserveAspectRatio="xMidYMid meet"><title>{}</title><desc>{}</desc>'
        ).format(WIDTH, HEIGHT, self._title, self._title, self._description)
        return head + Markup("").join(self._parts) + Markup("</svg>")


def across(high: float) -> Scale:
    """Give the horizontal scale from 0 on."""
    return linear_scale(high, LEFT, WIDTH - RIGHT, 6)


def upwards(high: float) -> Scale:
    """Give the vertical scale from 0 on."""
    return linear_scale(high, HEIGHT - BOTTOM, TOP)


def latency_scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Choose a logarithmic scale where latencies spread widely."""
    if low > 0 and high / low > _WIDE_RANGE:
        return log_scale(low, high, start, stop)
    return linear_scale(high, start, stop)


def seconds_text(value_s: float) -> str:
    """Write a tick of the time axis: seconds, or the unit that a very short run needs."""
    return f"{value_s:g} s" if value_s >= 1e-3 or not value_s else tick_text(value_s * 1e9)
