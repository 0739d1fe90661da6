"""Sweep wording: figures of options with their units, as people read them."""

from __future__ import annotations

from inferometer.loadgen import Interval
from inferometer.report.wording import duration_text, interval_text, rate_text
from inferometer.sweeping import Answer, Figure, FigureKind
from inferometer.workloads import in_unit

__all__ = ["ANSWER_WORDS", "amount_text", "figure_text", "range_text"]

ANSWER_WORDS = {
    Answer.MET: "yes",
    Answer.OPEN: "maybe",
    Answer.MISSED: "no",
    Answer.UNKNOWN: "not known",
}
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_JOULES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"))


def figure_text(figure: Figure, currency: str = "") -> str:
    """Write the value of a figure with its unit."""
    return amount_text(figure.kind, figure.value, currency, figure.unit)


def amount_text(kind: FigureKind, value: float, currency: str = "", unit: str = "%") -> str:
    """Write an amount of a kind of figure; ``unit`` is that of an accuracy."""
    match kind.unit:
        case "ns":
            return duration_text(value)
        case "1/s":
            return rate_text(value)
        case "accuracy":
            return in_unit(value, unit)
        case "bytes":
            return _scaled(value, _BYTES)
        case "J":
            return _scaled(value, _JOULES)
        case _:
            return f"{value:.3g} {currency}".strip()


def range_text(figure: Figure, currency: str = "") -> str:
    """Write the interval of a figure; empty where it has none."""
    if figure.interval is None:
        return ""
    if figure.kind.unit in ("ns", "1/s"):
        return interval_text(figure.interval, figure.kind.unit)
    low, high = (_end(figure, end, currency) for end in _ends(figure.interval))
    return f"{low} – {high}"


def _ends(interval: Interval) -> tuple[float | None, float | None]:
    return interval.low, interval.high


def _end(figure: Figure, end: float | None, currency: str) -> str:
    return "…" if end is None else amount_text(figure.kind, end, currency, figure.unit)


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    for size, unit in units:
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    size, unit = units[-1]
    return f"{value / size:.3g} {unit}"
