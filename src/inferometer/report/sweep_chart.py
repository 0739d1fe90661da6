"""Sweep picture: two figures of all options against each other, with what is needed drawn in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from inferometer.report.scale import Scale, log_scale, span_scale
from inferometer.report.sweep_wording import amount_text, figure_text
from inferometer.sweeping import Answer, Figure, FigureKind, Need, Row

__all__ = ["pareto_chart"]

_WIDTH, _HEIGHT = 540, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 26, 34, 46
_WIDE_RANGE = 8.0
_ROOM = 0.08
_CLASSES = {
    Answer.MET: "met",
    Answer.OPEN: "open",
    Answer.MISSED: "missed",
    Answer.UNKNOWN: "open",
}


@dataclass(frozen=True)
class _Axis:
    kind: FigureKind
    scale: Scale
    currency: str
    unit: str

    def text(self, value: float) -> str:
        return amount_text(self.kind, value, self.currency, self.unit)


def pareto_chart(
    rows: Mapping[int, Row], x_name: str, y_name: str, needs: Sequence[Need], currency: str = ""
) -> Markup:
    """Draw the options that have both figures, by the numbers that the table gives them.

    Bars are 95 % intervals, the line joins the options that no other one beats in both
    figures, and what lies beyond a need is shaded.
    """
    points = {
        number: (row, row.figures[x_name], row.figures[y_name])
        for number, row in rows.items()
        if x_name in row.figures and y_name in row.figures
    }
    x_limits = [need for need in needs if need.kind.name == x_name]
    y_limits = [need for need in needs if need.kind.name == y_name]
    x = _axis([p[1] for p in points.values()], x_limits, (_LEFT, _WIDTH - _RIGHT), currency)
    y = _axis([p[2] for p in points.values()], y_limits, (_HEIGHT - _BOTTOM, _TOP), currency)
    parts = [*_grid(x, y), *_shades(x, y, x_limits, y_limits)]
    parts.append(_front([(p[1], p[2]) for p in points.values()], x, y))
    parts += [_point(number, *found, x, y) for number, found in points.items()]
    title = f"{y_name} against {x_name}"
    told = f"{len(points)} options; the table holds their figures."
    head = Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>'
        "<desc>{}</desc>"
    ).format(_WIDTH, _HEIGHT, title, title, told)
    return head + Markup("").join(parts) + Markup("</svg>")


def _axis(
    figures: Sequence[Figure], limits: Sequence[Need], ends: tuple[int, int], currency: str
) -> _Axis:
    values = [end for figure in figures for end in (figure.low, figure.high)]
    values += [need.limit for need in limits]
    low, high = min(values), max(values)
    kind = figures[0].kind
    if low > 0 and high / low > _WIDE_RANGE and kind.unit != "accuracy":
        scale = log_scale(low, high, *ends)
    else:
        room = _ROOM * (high - low or abs(high) or 1.0)
        scale = span_scale(low - room, high + room, *ends)
    return _Axis(kind, scale, currency, figures[0].unit)


def _grid(x: _Axis, y: _Axis) -> list[Markup]:
    line = Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    text = Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    parts, bottom, right = [], _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in y.scale.ticks:
        at = y.scale.pixel(tick)
        parts.append(line.format(_LEFT, at, right, at))
        parts.append(text.format(_LEFT - 8, at + 4, "end", y.text(tick)))
    for tick in x.scale.ticks:
        at = x.scale.pixel(tick)
        parts.append(line.format(at, bottom, at, bottom + 4))
        parts.append(text.format(at, bottom + 18, "middle", x.text(tick)))
    parts.append(
        Markup('<text class="name" x="{:.0f}" y="{}" text-anchor="middle">{}</text>').format(
            (_LEFT + right) / 2, _HEIGHT - 8, _named(x.kind)
        )
    )
    parts.append(Markup('<text class="name" x="8" y="16">{}</text>').format(_named(y.kind)))
    return parts


def _named(kind: FigureKind) -> str:
    return f"{kind.name} ({'more' if kind.higher_is_better else 'less'} is better)"


def _shades(x: _Axis, y: _Axis, x_limits: Sequence[Need], y_limits: Sequence[Need]) -> list[Markup]:
    """Shade what doesn't meet a need, with a line and its words at the limit."""
    top, bottom, left, right = _TOP, _HEIGHT - _BOTTOM, _LEFT, _WIDTH - _RIGHT
    parts = []
    for need in x_limits:
        at = x.scale.pixel(need.limit)
        start, end = (at, right) if need.at_most else (left, at)
        parts.append(_shade(start, top, end - start, bottom - top, need.text))
        parts.append(_limit(at, top, at, bottom))
    for need in y_limits:
        at = y.scale.pixel(need.limit)
        start, end = (top, at) if need.at_most else (at, bottom)
        parts.append(_shade(left, start, right - left, end - start, need.text))
        parts.append(_limit(left, at, right, at))
    return parts


def _shade(x: float, y: float, width: float, height: float, text: str) -> Markup:
    return Markup(
        '<rect class="beyond" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>beyond the need: {}</title></rect>"
    ).format(x, y, max(0.0, width), max(0.0, height), text)


def _limit(x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup(
        '<line class="marker bound" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    ).format(x1, y1, x2, y2)


def _front(points: Sequence[tuple[Figure, Figure]], x: _Axis, y: _Axis) -> Markup:
    """Join the points that no other one beats in both figures, in steps."""

    def goodness(figure: Figure) -> float:
        return figure.value if figure.kind.higher_is_better else -figure.value

    best, kept = -math.inf, []
    for first, second in sorted(points, key=lambda p: (-goodness(p[0]), -goodness(p[1]))):
        if goodness(second) > best:
            best = goodness(second)
            kept.append((x.scale.pixel(first.value), y.scale.pixel(second.value)))
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in kept)
    return Markup('<polyline class="line front" points="{}"/>').format(path)


def _point(number: int, row: Row, first: Figure, second: Figure, x: _Axis, y: _Axis) -> Markup:
    px, py = x.scale.pixel(first.value), y.scale.pixel(second.value)
    bars = Markup('<path class="bars" d="M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f}"/>').format(
        x.scale.pixel(first.low), py, x.scale.pixel(first.high),
        px, y.scale.pixel(second.low), y.scale.pixel(second.high),
    )  # fmt: skip
    told = (
        f"{number}: {row.option.label}: {first.kind.name} {figure_text(first, x.currency)}, "
        f"{second.kind.name} {figure_text(second, y.currency)}"
    )
    return bars + Markup(
        '<g class="option {}{}" tabindex="0" role="img" aria-label="{}"><title>{}</title>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="9"/>'
        '<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text></g>'
    ).format(
        _CLASSES[row.answer], " best" if row.is_best else "", told, told, px, py, px, py + 4, number
    )
