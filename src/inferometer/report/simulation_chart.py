"""Simulation pictures: latency against load, and what was predicted beside what was real."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from inferometer.report.scale import Scale, log_scale, span_scale
from inferometer.report.wording import duration_text, rate_text, tick_text
from inferometer.simulating import Bound, Capacity, Estimate, Prediction, Validation

__all__ = ["load_chart", "validation_chart"]

_WIDTH, _HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 60, 30, 46
_LINES = ((0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"))


def load_chart(
    curve: Sequence[Prediction], bound: Bound | None, capacity: Capacity | None
) -> Markup:
    """Draw percentiles of the latency against the rate, with the bound and the capacity."""
    stable = [made for made in curve if made.is_stable]
    values = [made.latency[at].value for made in stable for at, _ in _LINES]
    if bound is not None:
        values.append(bound.limit_ns)
    x = span_scale(0.0, max(made.qps for made in curve) * 1.03, _LEFT, _WIDTH - _RIGHT)
    y = log_scale(min(values), max(values), _HEIGHT - _BOTTOM, _TOP)
    parts = _grid(x, y, [f"{tick:,g}" for tick in x.ticks], "queries a second")
    parts += [_bar(x.pixel(made.qps), y, made.latency[at]) for made in stable for at, _ in _LINES]
    for number, (at, name) in enumerate(_LINES):
        points = [(x.pixel(made.qps), y.pixel(made.latency[at].value)) for made in stable]
        parts.append(_line(points, f"line series-{number}"))
        parts.append(_text("name", points[-1][0] + 6, points[-1][1] + 4, "start", name))
        parts += [
            _dot(px, py, f"{name} {duration_text(made.latency[at].value)} at {rate_text(made.qps)}")
            for (px, py), made in zip(points, stable, strict=True)
        ]
    if bound is not None:
        at_y = y.pixel(bound.limit_ns)
        parts.append(_segment("marker bound", _LEFT, at_y, _WIDTH - _RIGHT, at_y))
        words = f"bound {duration_text(bound.limit_ns)} at p{100 * bound.percentile:g}"
        parts.append(_text("tick", _LEFT + 6, at_y - 5, "start", words))
    if capacity is not None:
        at_x = x.pixel(capacity.qps.value)
        parts.append(_segment("marker", at_x, _TOP, at_x, _HEIGHT - _BOTTOM))
        words = f"capacity {rate_text(capacity.qps.value)}"
        parts.append(_text("tick", at_x - 6, _TOP + 12, "end", words))
    return _picture("Latency against load", parts)


def validation_chart(found: Validation) -> Markup:
    """Draw each lap's real and predicted p99, and the tolerance around the median of the real."""
    values = [value for check in found.checks for value in (*check.real_ns, *check.predicted_ns)]
    x = span_scale(0.4, 1.0, _LEFT, _WIDTH - _RIGHT)
    y = log_scale(min(values) * 0.9, max(values) * 1.1, _HEIGHT - _BOTTOM, _TOP)
    parts = _grid(x, y, [f"{tick:.0%}" for tick in x.ticks], "share of the saturation throughput")
    for check in found.checks:
        at = x.pixel(check.load)
        low, high = y.pixel(check.median_ns * 0.85), y.pixel(check.median_ns * 1.15)
        parts.append(
            Markup(
                '<rect class="tolerance" x="{:.1f}" y="{:.1f}" width="24" height="{:.1f}"/>'
            ).format(at - 12, high, low - high)
        )
        for real, predicted in zip(check.real_ns, check.predicted_ns, strict=True):
            parts.append(_dot(at - 6, y.pixel(real), f"real {duration_text(real)}"))
            parts.append(_diamond(at + 9, y, predicted, 3))
        parts.append(_diamond(at, y, check.predicted_median_ns, 7))
    return _picture("Real and predicted p99", parts)


def _picture(title: str, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>'
    ).format(_WIDTH, _HEIGHT, title, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _grid(x: Scale, y: Scale, x_words: Sequence[str], x_name: str) -> list[Markup]:
    parts, bottom, right = [], _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in y.ticks:
        at = y.pixel(tick)
        parts.append(_segment("grid", _LEFT, at, right, at))
        parts.append(_text("tick", _LEFT - 8, at + 4, "end", tick_text(tick)))
    for tick, words in zip(x.ticks, x_words, strict=True):
        at = x.pixel(tick)
        parts.append(_segment("grid", at, bottom, at, bottom + 4))
        parts.append(_text("tick", at, bottom + 18, "middle", words))
    parts.append(_text("name", (_LEFT + right) / 2, _HEIGHT - 8, "middle", x_name))
    parts.append(_text("name", 8, 16, "start", "latency"))
    return parts


def _segment(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _text(kind: str, x: float, y: float, anchor: str, words: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, words
    )


def _line(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, path)


def _dot(x: float, y: float, told: str) -> Markup:
    return Markup(
        '<circle class="reading" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>'
    ).format(x, y, told)


def _bar(x: float, y: Scale, found: Estimate) -> Markup:
    return _segment("bars", x, y.pixel(found.low), x, y.pixel(found.high))


def _diamond(x: float, y: Scale, value: float, half: int) -> Markup:
    return Markup(
        '<path class="predicted" d="M{:.1f} {:.1f}l{h} {h}l-{h} {h}l-{h} -{h}z">'
        "<title>{told}</title></path>"
    ).format(x, y.pixel(value) - half, h=half, told=f"predicted {duration_text(value)}")
