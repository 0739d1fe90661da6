"""Comparison charts: ratios with their intervals, and every run of every option, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from inferometer.comparing import Basis, PairResult, ScenarioResult
from inferometer.comparing.sentences import interval_words, times_words
from inferometer.report.comparison_wording import value_text
from inferometer.report.scale import linear_scale
from inferometer.report.wording import tick_text

__all__ = ["SERIES", "blocks_chart", "forest_chart"]

SERIES = 6
"""How many options have a colour and a shape of their own."""

_WIDTH = 540
_SIDE, _ROW, _HEAD, _FOOT = 16, 46, 8, 34
_LEAST_SPAN = 1.1
_MARGIN = 1.04
_TICKS = (0.1, 0.2, 0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FINE_TICKS = (0.95, 0.98, 1.02, 1.05)
_FINE_SPAN = 1.3
_NEAREST_PX = 38
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 210, 66, 14, 14, 38
_MOST_NUMBERS = 12
_LONGEST_NAME = 60


def forest_chart(scenario: ScenarioResult) -> Markup:
    """Draw each pair's ratio as a point on its interval, on a logarithmic scale around 1.

    A filled point is a difference that is shown; a hollow one is none.
    """
    pairs = [pair for pair in scenario.pairs if pair.ratio is not None]
    ends = [1.0]
    for pair in pairs:
        assert pair.ratio is not None
        ends += [pair.ratio.value, *(e for e in (pair.ratio.low, pair.ratio.high) if e)]
    low = min(min(ends) / _MARGIN, 1 / _LEAST_SPAN)
    high = max(max(ends) * _MARGIN, _LEAST_SPAN)

    def at(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return _SIDE + share * (_WIDTH - 2 * _SIDE)

    bottom = _HEAD + _ROW * len(pairs)
    parts = [
        Markup('<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>').format(
            at(tick), _HEAD, bottom
        )
        + Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            at(tick), bottom + 16, f"{tick:g}×"
        )
        for tick in _spaced(low, high, at)
    ]
    parts.append(
        Markup('<line class="same" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>').format(
            at(1.0), _HEAD, bottom
        )
    )
    parts += [_pair_row(pair, _HEAD + number * _ROW, at) for number, pair in enumerate(pairs)]
    parts.append(
        Markup('<text class="name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _WIDTH / 2, bottom + 31, "times as fast as the one named second"
        )
    )
    told = "; ".join(pair.sentence for pair in pairs)
    title = f"{scenario.scenario.value}: how many times as fast"
    return _svg(bottom + _FOOT, title, told, parts)


def _spaced(low: float, high: float, at: object) -> list[float]:
    """Choose ticks within the range that aren't too near each other; 1 always is one."""
    assert callable(at)
    ticks = sorted((*_TICKS, *_FINE_TICKS)) if high / low < _FINE_SPAN else list(_TICKS)
    chosen = [1.0]
    for tick in sorted(ticks, key=lambda value: abs(math.log(value))):
        if low <= tick <= high and all(abs(at(tick) - at(one)) >= _NEAREST_PX for one in chosen):
            chosen.append(tick)
    return chosen


def _pair_row(pair: PairResult, top: float, at: object) -> Markup:
    assert callable(at)
    assert pair.ratio is not None
    ratio, middle = pair.ratio, top + 31
    kind = "shown" if pair.shows_difference else "open"
    row = Markup('<g class="pair {}"><title>{}</title>').format(kind, pair.sentence)
    names = _short(f"{pair.first} to {pair.second}")
    row += Markup('<text class="label" x="{}" y="{}">{}</text>').format(_SIDE, top + 16, names)
    numbers = times_words(ratio.value)
    if ratio.low is not None:
        numbers += f" [{interval_words(ratio).removeprefix('95% interval ')}]"
    row += Markup('<text class="label number" x="{}" y="{}" text-anchor="end">{}</text>').format(
        _WIDTH - _SIDE, top + 16, numbers
    )
    if ratio.low is not None and ratio.high is not None:
        dashed = " within" if ratio.basis is Basis.SINGLE else ""
        row += Markup(
            '<line class="interval{0}" x1="{1:.1f}" y1="{3}" x2="{2:.1f}" y2="{3}"/>'
        ).format(dashed, at(ratio.low), at(ratio.high), middle)
        for end in (ratio.low, ratio.high):
            row += Markup(
                '<line class="interval" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>'
            ).format(at(end), middle - 5, middle + 5)
    row += Markup('<circle class="point" cx="{:.1f}" cy="{}" r="5"/>').format(
        at(ratio.value), middle
    )
    return row + Markup("</g>")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def blocks_chart(scenario: ScenarioResult) -> Markup:
    """Draw every run: its block, and its value; each option has a colour and a shape."""
    runs = [run for option in scenario.options for run in option.measurements]
    blocks = sorted({run.block for run in runs})
    values = [run.value for run in runs]
    # From 0 on, differences of a percent can't be seen; a margin keeps points off the edges.
    low, high = min(values), max(values)
    margin = max((high - low) * 0.08, high * 0.005)
    low, high = max(0.0, low - margin), high + margin
    ticks = _value_ticks(low, high)
    width = _WIDTH - _RIGHT - _LEFT
    step = width / max(1, len(blocks))

    def across(block: int) -> float:
        return _LEFT + (blocks.index(block) + 0.5) * step

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)

    write = tick_text if scenario.unit == "ns" else lambda value: f"{value:,.6g}"
    parts = [
        Markup(
            '<line class="grid" x1="{0}" y1="{1:.1f}" x2="{2}" y2="{1:.1f}"/>'
            '<text class="tick" x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
        ).format(_LEFT, up(tick), _WIDTH - _RIGHT, _LEFT - 8, up(tick) + 4, write(tick))
        for tick in ticks
    ]
    every = max(1, -(-len(blocks) // _MOST_NUMBERS))
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            across(block), _HEIGHT - _BOTTOM + 18, block + 1
        )
        for block in blocks[::every]
    ]
    for number, option in enumerate(scenario.options):
        shift = (number - (len(scenario.options) - 1) / 2) * min(7.0, step / 4)
        points = [(across(run.block) + shift, up(run.value)) for run in option.measurements]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            Markup('<polyline class="thread s{}" points="{}"/>').format(number % SERIES, line)
        )
        for (x, y), run in zip(points, option.measurements, strict=True):
            told = f"{option.label}, block {run.block + 1}: {value_text(run.value, run.unit)}"
            invalid = "" if run.is_valid else " invalid"
            parts.append(_mark(number % SERIES, x, y, told, invalid))
    parts.append(
        Markup('<text class="name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "block"
        )
    )
    title = f"{scenario.scenario.value}: every run"
    return _svg(_HEIGHT, title, f"{len(runs)} runs in {len(blocks)} blocks.", parts)


def _value_ticks(low: float, high: float) -> list[float]:
    """Give a few round values between two."""
    step = linear_scale(high - low, 0, 1, 4).ticks[1]
    first = math.ceil(low / step)
    return [step * number for number in range(first, int(high / step) + 1)]


def _mark(number: int, x: float, y: float, told: str, invalid: str) -> Markup:
    """Draw a run as the shape of its option, with what it is as a tooltip."""
    shapes: Sequence[str] = (
        f"M{x - 4:.1f},{y:.1f}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
        f"M{x - 3.5:.1f},{y - 3.5:.1f}h7v7h-7z",
        f"M{x:.1f},{y - 5:.1f}l4.6,8.2h-9.2z",
        f"M{x:.1f},{y - 5:.1f}l5,5l-5,5l-5,-5z",
        f"M{x:.1f},{y + 5:.1f}l4.6,-8.2h-9.2z",
        f"M{x - 5:.1f},{y - 1.6:.1f}h10v3.2h-10z",
    )
    return Markup('<path class="mark s{}{}" d="{}"><title>{}</title></path>').format(
        number, invalid, shapes[number], told
    )


def _svg(height: float, title: str, told: str, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">'
        "<title>{}</title><desc>{}</desc>"
    ).format(_WIDTH, height, title, title, told)
    return head + Markup("").join(parts) + Markup("</svg>")
