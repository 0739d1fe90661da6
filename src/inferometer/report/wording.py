"""Wording: numbers with units and intervals, as people read them."""

from __future__ import annotations

from inferometer.loadgen import Interval, Metric
from inferometer.workloads import AccuracyResult, in_unit

__all__ = [
    "accuracy_text",
    "duration_text",
    "exact_text",
    "interval_text",
    "metric_text",
    "rate_text",
    "tick_text",
]

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))


def duration_text(value_ns: float | None) -> str:
    """Write ns with three significant digits in the unit that fits."""
    if value_ns is None:
        return "–"
    size, unit = _time_unit(value_ns)
    return f"{value_ns:g} ns" if size == 1.0 else f"{_three_digits(value_ns / size)} {unit}"


def _time_unit(value_ns: float) -> tuple[float, str]:
    """Choose the largest unit in which the value, once rounded, is at least 1."""
    for size, unit in _UNITS:
        if abs(value_ns) >= 0.9995 * size:
            return size, unit
    return 1.0, "ns"


def exact_text(value_ns: int) -> str:
    """Write whole ns in the unit that fits, with every digit: 1234567 is 1.234567 ms."""
    size, unit = _time_unit(value_ns)
    whole, rest = divmod(abs(value_ns), int(size))
    digits = f"{rest:0{len(str(int(size))) - 1}d}".rstrip("0") if rest else ""
    return f"{'-' if value_ns < 0 else ''}{whole:,}{'.' if digits else ''}{digits} {unit}"


def tick_text(value_ns: float) -> str:
    """Write ns as short as an axis wants it: 10 ms rather than 10.0 ms."""
    size, unit = _time_unit(value_ns)
    return f"{value_ns / size:g} {unit}" if value_ns else "0"


def rate_text(per_s: float | None) -> str:
    """Write a rate per second."""
    return "–" if per_s is None else f"{_three_digits(per_s)}/s"


def _three_digits(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"


def interval_text(interval: Interval | None, unit: str) -> str:
    """Write a 95 % interval, both ends in one unit; an open end is ``…``."""
    if interval is None:
        return ""
    reference = interval.high if interval.high is not None else interval.low
    if reference is None:
        return "… – …"
    size, name = _unit_for(reference, unit)
    ends = [
        "…" if end is None else _three_digits(end / size) for end in (interval.low, interval.high)
    ]
    return f"{ends[0]} – {ends[1]}{name}"


def _unit_for(reference: float, unit: str) -> tuple[float, str]:
    if unit == "1/s":
        return 1.0, "/s"
    if unit != "ns":
        return 1.0, ""
    size, name = _time_unit(reference)
    return size, f" {name}"


def _in_unit(value: float, unit: str) -> str:
    if unit == "ns":
        return duration_text(value)
    return rate_text(value) if unit == "1/s" else f"{value:g}"


def metric_text(metric: Metric) -> str:
    """Write a metric's value with its unit."""
    return "–" if metric.value is None else _in_unit(metric.value, metric.unit)


def accuracy_text(accuracy: AccuracyResult) -> str:
    """Write an accuracy with its interval and its target."""
    low, high = accuracy.interval.low, accuracy.interval.high
    text = in_unit(accuracy.value, accuracy.unit)
    if low is not None and high is not None:
        text += f" [{in_unit(low, accuracy.unit)} – {in_unit(high, accuracy.unit)}]"
    if accuracy.target is not None:
        sign = "≥" if accuracy.meets_target else "<"
        text += f" {sign} {in_unit(accuracy.target, accuracy.unit)}"
    return text
