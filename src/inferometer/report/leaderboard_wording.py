"""Leaderboard wording: the cells of a table of results, as people read them."""

from __future__ import annotations

from inferometer.loadgen import Severity
from inferometer.report.wording import duration_text, rate_text
from inferometer.submission.published import ResultRow

__all__ = [
    "accuracy_cell",
    "bound_cell",
    "latency_cell",
    "metric_cell",
    "model_cell",
    "place_cell",
    "warnings_of",
]

_NS_PER_MS = 1e6


def metric_cell(row: ResultRow) -> str:
    """Write the metric with its unit."""
    value = row.metric_value
    if value is None:
        return "–"
    if row.metric_unit == "ns":
        return duration_text(value)
    if row.metric_unit == "1/s":
        return rate_text(value)
    return f"{value:,.0f} {row.metric_unit or ''}".rstrip()


def latency_cell(row: ResultRow) -> str:
    """Write the latency at the percentile that counts."""
    return "–" if row.latency_ms is None else duration_text(row.latency_ms * _NS_PER_MS)


def bound_cell(row: ResultRow) -> str:
    """Write which percentile counts, and the bound where there is one."""
    if row.latency_percentile is None:
        return ""
    text = f"p{row.latency_percentile:g}"
    if row.latency_bound_ms is None:
        return text
    return f"{text}, bound {row.latency_bound_ms:g} ms"


def accuracy_cell(row: ResultRow) -> str:
    """Write the accuracy with its metric, where that isn't plain top-1."""
    if row.accuracy is None:
        return "–"
    text = f"{row.accuracy:.5g}{' %' if row.accuracy_unit == '%' else ''}"
    return text if row.accuracy_metric == "top-1" else f"{row.accuracy_metric} {text}"


def place_cell(row: ResultRow, separator: str) -> str:
    """Write where a result stands: round, division and availability."""
    return separator.join(part for part in (row.round, row.division, row.status) if part)


def model_cell(row: ResultRow) -> str:
    """Write which model stands for the benchmark, where its folder names another one."""
    return "" if row.benchmark_written == row.benchmark else f"as {row.benchmark_written}"


def warnings_of(row: ResultRow) -> int:
    """Count the findings that are more than a remark."""
    return sum(found.rule.severity is not Severity.INFO for found in row.findings)
