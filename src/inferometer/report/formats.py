"""Terminal table of two number formats: accuracy, latency, throughput and size side by side."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inferometer.loadgen import Scenario
from inferometer.report.wording import duration_text, rate_text
from inferometer.runs import FormatComparison
from inferometer.workloads import in_unit

__all__ = ["print_formats"]


def print_formats(comparison: FormatComparison, console: Console) -> None:
    """Print a row for each figure, with what int8 keeps or gains."""
    workload = comparison.sessions[0].workload
    table = Table(title=escape(str(workload["title"])), title_justify="left", box=SIMPLE_HEAD)
    table.title_style = "bold"
    for name in ("", "fp32", "int8", "int8 against fp32"):
        table.add_column(name)
    table.add_row(*_accuracy_cells(comparison, str(workload["metric"]), str(workload["unit"])))
    latencies = comparison.metric(Scenario.SINGLE_STREAM)
    table.add_row(
        "SingleStream p90",
        *(duration_text(value) for value in latencies),
        _times(comparison.speed_up(Scenario.SINGLE_STREAM), "as fast"),
    )
    rates = comparison.metric(Scenario.OFFLINE)
    table.add_row(
        "Offline samples",
        *(rate_text(value) for value in rates),
        _times(comparison.speed_up(Scenario.OFFLINE), "as many"),
    )
    before, after = comparison.sizes_bytes
    table.add_row(
        "size", *(f"{size / 1e6:.2f} MB" for size in (before, after)), f"{after / before:.1%}"
    )
    console.print(table)


def _accuracy_cells(comparison: FormatComparison, metric: str, unit: str) -> tuple[str, ...]:
    both, kept = comparison.accuracies(), comparison.kept_accuracy()
    if both is None:
        return (metric, "not measured", "not measured", "–")
    cells = [metric, *(in_unit(value, unit) for value in both)]
    text = "–" if kept is None else f"{kept:.2%} kept"
    difference = comparison.difference
    if difference is not None:
        low, high = (
            in_unit(end, unit) for end in (difference.interval.low, difference.interval.high)
        )
        text += (
            f"\n[dim]difference {in_unit(difference.value, unit)} [{low} – {high}][/]"
            f"\n[dim]p = {difference.p_value:.2g}, {difference.method}[/]"
        )
    return (*cells, text)


def _times(ratio: float | None, words: str) -> str:
    return "–" if ratio is None else f"{ratio:.2f} times {words}"
