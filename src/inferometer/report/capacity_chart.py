"""Capacity picture: every run by its load and its latency, with what is believed of the curve."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from inferometer.capacity import Found, Trial, believe, log_share_and_slope
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
)
from inferometer.report.capacity_wording import kind_of, word_of
from inferometer.report.scale import Scale, log_scale, span_scale

__all__ = ["capacity_chart", "is_given"]

_WIDE_RANGE = 6.0
_ROOM = 0.03
_STEPS = 60
_HIGHEST = 12.0
_SHAPES = {
    "met": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "missed": "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "stopped": "M-4.5-4.5L4.5 4.5M-4.5 4.5L4.5-4.5",
}
_RING = "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0z"


def capacity_chart(found: Found) -> Markup:
    """Draw each run, the interval of the capacity, the given load and the plausible curves.

    Above: the latency that decides, as a share of the bound, on a logarithmic scale.
    """
    loads = [trial.observation.load for trial in found.trials]
    ends = [found.estimate.low, found.estimate.high] if found.estimate else []
    reach = [*loads, *(end for end in ends if end <= max(loads) * 2)]
    x, y = _across(min(reach), max(reach)), _upwards(found)
    unit = found.question.unit
    canvas = Canvas(
        f"Latency against load, {len(loads)} runs",
        "The table below holds the figures. Circles met the bound, diamonds missed it, and "
        "crosses were ended early because they had missed it.",
    )
    canvas.axes(x, y, (lambda value: f"{value:,g}", lambda value: f"{value:g}"))
    canvas.names(unit, "latency / bound")
    if found.estimate:
        canvas.shade(x, found.estimate.low, found.estimate.high)
    _curves(canvas, found, x, y)
    canvas.level(y, Marker(1.0, "bound", "bound"))
    if found.load is not None:
        canvas.markers(x, [Marker(found.load, f"given: {found.load:,g}", "given")])
    for number, trial in enumerate(found.trials, start=1):
        _point(canvas, number, trial, found, (x, y))
    return canvas.svg()


def _across(low: float, high: float) -> Scale:
    if high / low > _WIDE_RANGE:
        return log_scale(low * 0.95, high * 1.05, LEFT, WIDTH - RIGHT)
    room = max(_ROOM * (high - low), low * 0.01)
    return span_scale(low - room, high + room, LEFT, WIDTH - RIGHT)


def _upwards(found: Found) -> Scale:
    shares = [_share(trial) for trial in found.trials]
    return log_scale(min([*shares, 0.9]), max([*shares, 1.2]), HEIGHT - BOTTOM, TOP)


def _share(trial: Trial) -> float:
    share = trial.observation.share
    return min(share, _HIGHEST) if math.isfinite(share) else _HIGHEST


def _curves(canvas: Canvas, found: Found, x: Scale, y: Scale) -> None:
    """Draw where the curve of latency by load lies: the middle, and nine tenths of all."""
    belief = believe([trial.observation for trial in found.trials], found.goal.saturation)
    logs: NDArray[np.float64] = np.linspace(math.log(x.low), math.log(x.high), _STEPS)
    above = logs[None, :] - belief.centre[:, None]
    log_shares, _ = log_share_and_slope(above, belief.floor[:, None], belief.room[:, None])
    low, middle, high = np.exp(np.quantile(log_shares, [0.05, 0.5, 0.95], axis=0)).tolist()
    loads = np.exp(logs).tolist()
    canvas.band(x, y, loads, (low, high))
    canvas.line(x, y, loads, Series("most plausible curve", "", middle))


def _point(
    canvas: Canvas, number: int, trial: Trial, found: Found, scales: tuple[Scale, Scale]
) -> None:
    one, unit = trial.observation, found.question.unit
    told = f"run {number}: {one.load:,g} {unit}, {word_of(one)}, {trial.stage}"
    if math.isfinite(one.share):
        told += f", latency {one.share:.3g} times the bound"
    canvas.add(
        '<g class="run {}" transform="translate({:.1f} {:.1f})" role="img" aria-label="{}">'
        '<title>{}</title><path d="{}"/>',
        kind_of(one), scales[0].pixel(one.load), scales[1].pixel(_share(trial)), told, told,
        _SHAPES[kind_of(one)],
    )  # fmt: skip
    if is_given(trial, found):
        canvas.add('<path class="ring" d="{}"/>', _RING)
    canvas.add("</g>")


def is_given(trial: Trial, found: Found) -> bool:
    """Whether a run is one of those that verified the given load."""
    place = found.verified_folder
    return place is not None and trial.folder.parts[0] == place.parts[0]
