"""Reading: the figure that a gate asks for, taken from a test, with how far it is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import (
    Finding,
    Goodput,
    Interval,
    LatencySummary,
    Scenario,
    SeriesRecord,
    Severity,
    Verdict,
    percentile,
    percentile_interval,
    rate_interval,
)
from inferometer.runs.gates.figure import FigureName, Quantity
from inferometer.runs.result import TestResult

__all__ = ["Reading", "applies", "count_findings", "read_figure"]

UNKNOWN = Interval(None, None)
_SEVERITIES = {"findings.errors": Severity.ERROR, "findings.warnings": Severity.WARNING}


@dataclass(frozen=True)
class Reading:
    """A figure with its 95 % interval: in ns, 1/s, a count, or the metric's own unit.

    The interval of what is counted, or simply happened (a mean, a maximum), is the value
    itself; an end that isn't known is open.
    """

    value: float
    interval: Interval
    unit: str


def applies(figure: FigureName, test: TestResult) -> bool:
    """Tell whether a test is one that has such a figure, if all went well."""
    if figure.family in _SEVERITIES:
        return True
    if figure.family == "accuracy":
        return bool(test.recording.accuracy) or test.accuracy is not None
    verdict = test.verdict
    if verdict is None:
        return False
    if figure.family in ("ttft", "tpot"):
        return verdict.tokens is not None and (
            verdict.scenario is not Scenario.OFFLINE or _from_sending(verdict) is not None
        )
    if figure.family in ("tokens_per_s", "goodput"):
        return verdict.tokens is not None
    # Offline, everything is issued at the start: latencies only count up to the end.
    return figure.quantity is not Quantity.TIME or verdict.scenario is not Scenario.OFFLINE


def read_figure(figure: FigureName, test: TestResult) -> Reading | None:
    """Give a figure of a test that it applies to; ``None`` if it wasn't measured."""
    if figure.family in _SEVERITIES:
        return count_findings(figure, test.findings)
    if figure.family == "accuracy":
        accuracy = test.accuracy
        return Reading(accuracy.value, accuracy.interval, accuracy.unit) if accuracy else None
    verdict, series = test.verdict, test.recording.performance
    if verdict is None or series is None:
        return None
    return _of_performance(figure, verdict, series)


def _of_performance(figure: FigureName, verdict: Verdict, series: SeriesRecord) -> Reading | None:
    if figure.quantity is Quantity.COUNT:
        is_queries = figure.family == "queries"
        return _exactly(verdict.query_count if is_queries else verdict.sample_count)
    if figure.quantity is Quantity.SHARE:
        goodput = verdict.tokens.goodput if verdict.tokens else None
        return Reading(goodput.share, goodput.interval, "%") if goodput else None
    if figure.quantity is Quantity.RATE:
        return _rate(figure, verdict, series)
    return _time(figure, verdict, series)


def count_findings(figure: FigureName, findings: Iterable[Finding]) -> Reading:
    """Count the findings of the severity that a figure asks for."""
    severity = _SEVERITIES[figure.family]
    return _exactly(sum(found.rule.severity is severity for found in findings))


def _exactly(value: float, unit: str = "") -> Reading:
    return Reading(float(value), Interval(float(value), float(value)), unit)


def _rate(figure: FigureName, verdict: Verdict, series: SeriesRecord) -> Reading | None:
    if figure.family == "throughput":
        return _throughput(verdict, series)
    tokens = verdict.tokens
    if tokens is None:
        return None
    is_server = verdict.scenario is Scenario.SERVER
    value = tokens.completed_per_s if is_server else tokens.tokens_per_s
    return None if value is None else Reading(value, UNKNOWN, "1/s")


def _throughput(verdict: Verdict, series: SeriesRecord) -> Reading | None:
    """Give how many samples were answered a second, in any scenario."""
    rates = verdict.rates
    for value in (rates.samples_per_s, rates.completed_samples_per_s, rates.qps_with_overhead):
        if value is not None:
            completed = series.completed_ns[series.is_complete]
            return Reading(value, rate_interval(completed) or UNKNOWN, "1/s")
    return None


def _time(figure: FigureName, verdict: Verdict, series: SeriesRecord) -> Reading | None:
    summary = _summary(figure, verdict)
    if summary is None:
        return None
    if figure.fraction is None:
        return _exactly(getattr(summary, f"{figure.part}_ns"), "ns")
    if figure.fraction in summary.percentiles_ns:
        value = summary.percentiles_ns[figure.fraction]
        return Reading(float(value), summary.intervals_ns[figure.fraction], "ns")
    ordered = np.sort(_values(figure, verdict, series))
    value = percentile(ordered, figure.fraction)
    return Reading(float(value), percentile_interval(ordered, figure.fraction), "ns")


def _summary(figure: FigureName, verdict: Verdict) -> LatencySummary | None:
    if figure.family == "lateness":
        return verdict.lateness
    if figure.family in ("ttft", "tpot"):
        tokens = verdict.tokens
        if tokens is None:
            return None
        told = _from_sending(verdict) or tokens
        return told.first_token if figure.family == "ttft" else told.per_token
    is_multi = verdict.scenario.is_multi_stream
    return verdict.query_latency if is_multi else verdict.sample_latency


def _from_sending(verdict: Verdict) -> Goodput | None:
    """Give what counts from when each request was sent, where that is what counts."""
    goodput = verdict.tokens.goodput if verdict.tokens else None
    return goodput if goodput and goodput.from_sending else None


def _values(figure: FigureName, verdict: Verdict, series: SeriesRecord) -> NDArray[np.int64]:
    """Give the values themselves, for a percentile that the summary doesn't list."""
    if figure.family == "lateness":
        return series.lateness_ns
    return series.query_latency_ns if verdict.scenario.is_multi_stream else series.latency_ns
