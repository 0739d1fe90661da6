"""Metric: what a series comes to in numbers, in its recording's era."""

from __future__ import annotations

import numpy as np

from inferometer.loadgen.early_stopping import EarlyStoppingEstimate
from inferometer.loadgen.goodput import goodput_of
from inferometer.loadgen.measured_series import Integers, MeasuredSeries, last_of
from inferometer.loadgen.statistics import per_second, percentile, rate_interval, series_interval
from inferometer.loadgen.verdict import (
    PERCENTILES,
    LatencySummary,
    Metric,
    Rates,
    Stopping,
    TokenSummary,
)
from inferometer.loadgen.vocabulary import Scenario

__all__ = [
    "metric_of",
    "over_latency_count",
    "rates_of",
    "summary_of",
    "tick_percentiles",
    "tokens_of",
]


def rates_of(measured: MeasuredSeries) -> Rates:
    """Give the rates that the scenario has."""
    done_ns = measured.final_done_ns()
    last_issued_ns = last_of(measured.series.issued_ns)
    match measured.scenario:
        case Scenario.SINGLE_STREAM:
            mean_ns = int(measured.latency.sum()) // measured.recorded if measured.recorded else 0
            return Rates(
                qps_with_overhead=per_second(measured.recorded - 1, last_issued_ns),
                qps_without_overhead=per_second(1, mean_ns),
            )
        case Scenario.SERVER:
            last_due_ns = last_of(measured.series.scheduled_ns)
            return Rates(
                scheduled_samples_per_s=per_second(measured.recorded - 1, last_due_ns),
                completed_samples_per_s=per_second(measured.recorded - 1, done_ns),
            )
        case Scenario.OFFLINE:
            longest_ns = int(measured.latency.max(initial=0))
            return Rates(samples_per_s=per_second(measured.recorded, longest_ns))
        case _:
            total = measured.issued * measured.series.samples_per_query
            return Rates(samples_per_s=per_second(total, done_ns))


def metric_of(measured: MeasuredSeries, rates: Rates, stopping: Stopping | None) -> Metric:
    """Give the metric of the scenario."""
    match measured.scenario:
        case Scenario.SINGLE_STREAM | Scenario.MULTI_STREAM if not measured.is_v05:
            return _latency_metric(measured, measured.query_latency, stopping)
        case Scenario.SINGLE_STREAM:
            return _latency_metric(measured, measured.latency, None)
        case Scenario.MULTI_STREAM:
            return Metric("samples per query", float(measured.series.samples_per_query), "", True)
        case Scenario.SERVER:
            name, value = "completed samples/s", rates.completed_samples_per_s
            if measured.is_v05:
                name, value = "scheduled samples/s", rates.scheduled_samples_per_s
        case _:
            name, value = "samples/s", rates.samples_per_s
    completed = measured.series.completed_ns[measured.series.is_complete]
    return Metric(name, value, "1/s", True, rate_interval(completed))


def _latency_metric(
    measured: MeasuredSeries, values: Integers, stopping: Stopping | None
) -> Metric:
    name = f"p{measured.fraction * 100:g} latency"
    if not len(values):
        return Metric(name, None, "ns", False)
    ordered = np.sort(values)
    check = stopping.check if stopping else None
    return Metric(
        name,
        float(percentile(ordered, measured.fraction)),
        "ns",
        False,
        series_interval(values, ordered, measured.fraction, ended_itself=measured.ended_itself),
        check.value if isinstance(check, EarlyStoppingEstimate) else None,
    )


def summary_of(measured: MeasuredSeries, values: Integers) -> LatencySummary | None:
    """Give percentiles of latencies, ns; ``None`` if there are none."""
    return LatencySummary.of(values, measured.fraction, ended_itself=measured.ended_itself)


def over_latency_count(measured: MeasuredSeries) -> int | None:
    """Give how many samples of Server were over the bound."""
    if measured.scenario is not Scenario.SERVER:
        return None
    return int((measured.latency > measured.effective.target_latency_ns).sum())


def tick_percentiles(measured: MeasuredSeries) -> dict[float, int] | None:
    """Give percentiles of the ticks between v0.5 multi-stream queries."""
    intervals = np.sort(measured.tick_intervals())
    if not len(intervals):
        return None
    return {p: percentile(intervals, p) for p in (*PERCENTILES, measured.fraction)}


def tokens_of(measured: MeasuredSeries) -> TokenSummary | None:
    """Give what the tokens of a language model come to; ``None`` where none were counted."""
    counts = measured.series.token_count
    if counts is None:
        return None
    total = int(counts[measured.series.is_complete].sum())
    offline = measured.scenario is Scenario.OFFLINE
    mean_ns = int(measured.latency.sum()) // measured.recorded if measured.recorded else 0
    return TokenSummary(
        total=total,
        first_token=None if offline else LatencySummary.of(measured.first_token, measured.fraction),
        per_token=None if offline else LatencySummary.of(measured.per_token, measured.fraction),
        tokens_per_s=per_second(total, int(measured.latency.max(initial=0))),
        with_overhead_per_s=per_second(total, last_of(measured.series.issued_ns)),
        without_overhead_per_s=per_second(total, mean_ns * measured.recorded),
        completed_per_s=per_second(total, measured.final_done_ns()),
        goodput=goodput_of(measured.series, measured.effective),
    )
