"""Leaderboard charts: entries by kind of processor, and by framework and kind, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

__all__ = ["kinds_chart", "matrix_chart"]

_ROW, _LEFT, _BAR = 34, 92, 380
_NUMBER = 48
_CELL_WIDTH, _CELL_HEIGHT, _HEAD, _NAMES = 74, 40, 30, 150
_LARGEST_RADIUS, _LEAST_RADIUS = 18.0, 5.0
_LONGEST_NAME = 20


def kinds_chart(counts: Mapping[str, int]) -> Markup:
    """Draw a bar a kind of processor; each bar says how many entries it stands for."""
    most = max(counts.values(), default=0) or 1
    width, height = _LEFT + _BAR + _NUMBER, _ROW * max(1, len(counts)) + 6
    parts = []
    for number, (kind, count) in enumerate(counts.items()):
        top = number * _ROW + 6
        length = _BAR * count / most
        parts.append(
            Markup(
                '<text class="kind" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="bar" x="{}" y="{}" width="{:.1f}" height="{}" rx="3"/>'
                '<text class="count" x="{:.1f}" y="{}">{:,}</text>'
            ).format(
                _LEFT - 10, top + 19, kind, _LEFT, top + 2, max(length, 1.5 if count else 0.0),
                _ROW - 12, _LEFT + length + 8, top + 19, count,
            )
        )  # fmt: skip
    told = ", ".join(f"{kind} {count:,}" for kind, count in counts.items())
    return _svg(width, height, "Entries by kind of processor", told, parts)


def matrix_chart(
    families: Sequence[str], kinds: Sequence[str], counts: Mapping[tuple[str, str], int]
) -> Markup:
    """Draw a circle for each framework and kind of processor, its area the number of entries."""
    most = max(counts.values(), default=0) or 1
    width = _NAMES + _CELL_WIDTH * len(kinds)
    height = _HEAD + _CELL_HEIGHT * len(families) + 6
    parts = [
        Markup('<text class="kind" x="{:.0f}" y="{}" text-anchor="middle">{}</text>').format(
            _NAMES + (column + 0.5) * _CELL_WIDTH, _HEAD - 12, kind
        )
        for column, kind in enumerate(kinds)
    ]
    for row, family in enumerate(families):
        top = _HEAD + row * _CELL_HEIGHT
        parts.append(
            Markup(
                '<line class="grid" x1="0" y1="{}" x2="{}" y2="{}"/>'
                '<text class="kind" x="{}" y="{:.0f}" text-anchor="end">{}</text>'
            ).format(top, width, top, _NAMES - 14, top + _CELL_HEIGHT / 2 + 4, _short(family))
        )
        for column, kind in enumerate(kinds):
            count = counts.get((family, kind), 0)
            if count:
                middle = _NAMES + (column + 0.5) * _CELL_WIDTH
                parts.append(_circle(middle, top + _CELL_HEIGHT / 2, count, most, family, kind))
    told = "; ".join(f"{family} on {kind}: {count:,}" for (family, kind), count in counts.items())
    return _svg(width, height, "Entries by framework and kind of processor", told, parts)


def _circle(x: float, y: float, count: int, most: int, family: str, kind: str) -> Markup:
    """Draw a circle with its number, beside it where the circle is too small to hold it."""
    radius = max(_LEAST_RADIUS, _LARGEST_RADIUS * math.sqrt(count / most))
    fits = radius >= 6 + 3.5 * len(f"{count:,}")
    return Markup(
        '<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{} on {}: {:,}</title>'
        '</circle><text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{:,}</text>'
    ).format(
        x, y, radius, family, kind, count,
        "inside" if fits else "count", x if fits else x + radius + 4, y + 4,
        "middle" if fits else "start", count,
    )  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _svg(width: float, height: float, title: str, told: str, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart picture" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}. {}">'
        "<title>{}</title><desc>{}</desc>"
    ).format(width, height, title, told, title, told)
    return head + Markup("").join(parts) + Markup("</svg>")
