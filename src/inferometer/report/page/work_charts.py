"""Work charts: what happened inside the system, batches and stages, as SVG without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from inferometer.report.canvas import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Canvas,
    Series,
    across,
    seconds_text,
    upwards,
)
from inferometer.report.page.batch_sizes import BatchSizes
from inferometer.report.page.ladder import Ladder
from inferometer.report.scale import log_scale
from inferometer.report.wording import tick_text

__all__ = ["shares_chart", "sizes_chart", "stacked_chart"]

_POINTS = 160


def sizes_chart(found: BatchSizes) -> Markup:
    """Draw how many batches had each size."""
    sizes, batches = found.sizes.tolist(), found.batches.tolist()
    x, y = across(sizes[-1] + 0.5), upwards(max(batches))
    canvas = Canvas("Batch sizes", f"{sum(batches)} batches, {found.mean:.3g} samples on average.")
    canvas.axes(x, y, (lambda value: f"{value:g}", lambda value: f"{value:,.0f}"))
    canvas.names("samples in a batch", "batches")
    for size, count in zip(sizes, batches, strict=True):
        left, right, top = x.pixel(size - 0.4), x.pixel(size + 0.4), y.pixel(count)
        canvas.add(
            '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
            "<title>{}: {:,}</title></rect>",
            left, top, max(0.8, right - left), HEIGHT - BOTTOM - top, size, count,
        )  # fmt: skip
    return canvas.svg()


def stacked_chart(times_s: Sequence[float], means_ns: Mapping[str, Sequence[float]]) -> Markup:
    """Draw mean times of stages over time, one on the other."""
    floors = [0.0] * len(times_s)
    layers = []
    for name, means in means_ns.items():
        tops = [floor + mean for floor, mean in zip(floors, means, strict=True)]
        layers.append((name, floors, tops))
        floors = tops
    x, y = across(max(times_s[-1], 1e-9)), upwards(max(floors))
    canvas = Canvas("Time by stage over time", ", ".join(means_ns))
    canvas.axes(x, y, (seconds_text, tick_text))
    canvas.names("time since the start", "mean time")
    for name, low, high in layers:
        canvas.band(x, y, times_s, (low, high), f"stage {name}")
    canvas.legend([(name, f"key {name}") for name in means_ns])
    return canvas.svg()


def shares_chart(ladders: Mapping[str, Ladder]) -> Markup:
    """Draw which share of the samples spent at most so long in each stage."""
    low = max(1, min(int(ladder.rungs[0]) for ladder in ladders.values()))
    high = max(2, *(int(ladder.rungs[-1]) for ladder in ladders.values()))
    x, y = log_scale(low, high, LEFT, WIDTH - RIGHT), upwards(1.0)
    canvas = Canvas("Distribution of the stages' times", ", ".join(ladders))
    canvas.axes(x, y, (tick_text, lambda value: f"{value:.0%}"))
    canvas.names("time", "share at or below")
    for name, ladder in ladders.items():
        step = -(-len(ladder.rungs) // _POINTS)
        rungs = [low, *ladder.rungs[::step].tolist(), int(ladder.rungs[-1]), high]
        shares = [0.0, *(ladder.at_or_below[::step] / ladder.count).tolist(), 1.0, 1.0]
        canvas.line(x, y, rungs, Series(name, f"key {name}", shares))
    canvas.legend([(name, f"key {name}") for name in ladders])
    return canvas.svg()
