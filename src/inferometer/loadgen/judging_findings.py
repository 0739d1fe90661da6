"""Findings of judging: why a series isn't valid, and what is odd about it."""

from __future__ import annotations

import math

import numpy as np

from inferometer.loadgen.criteria import ALLOWED_TICKS
from inferometer.loadgen.early_stopping import total_needed
from inferometer.loadgen.findings import Finding, finding, findings_of_incidents
from inferometer.loadgen.measured_series import MeasuredSeries
from inferometer.loadgen.statistics import percentile, series_interval
from inferometer.loadgen.verdict import BoundCheck, Stopping
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["criteria_findings", "series_findings", "stopping_findings"]

_NOTABLE_LATENESS = 0.1


def criteria_findings(
    measured: MeasuredSeries, duration_met: bool, queries_met: bool, perf_met: bool | None
) -> list[Finding]:
    """Name the criteria that aren't met."""
    found = []
    effective = measured.effective
    if perf_met is False:
        found.append(finding("criteria.latency-bound", _bound_text(measured)))
    if not duration_met:
        seen = f"minimum {effective.min_duration_ms / 1e3:g} s"
        found.append(finding("criteria.min-duration", seen))
    if not queries_met:
        seen = (
            f"{measured.issued} queries issued, {measured.recorded} samples answered; minimum "
            f"{effective.min_query_count} queries, {effective.min_sample_count} samples"
        )
        found.append(finding("criteria.min-queries", seen))
    return found


def _bound_text(measured: MeasuredSeries) -> str:
    name = f"p{measured.fraction * 100:g}"
    if measured.is_v05 and measured.scenario is Scenario.MULTI_STREAM:
        return f"{name} of the intervals between queries is {ALLOWED_TICKS} ticks or more"
    if measured.effective.use_token_latencies:
        return f"{name} of the time to the first token or per token"
    values = measured.query_latency if measured.scenario.is_multi_stream else measured.latency
    if not len(values):
        return "nothing was answered"
    reached_ms = percentile(np.sort(values), measured.fraction) / 1e6
    bound_ms = measured.effective.target_latency_ns / 1e6
    return f"{name} {reached_ms:.3g} ms, bound {bound_ms:g} ms"


def stopping_findings(stopping: Stopping | None, met: bool | None) -> list[Finding]:
    """Say what early stopping would have taken, where it isn't met."""
    if stopping is None or met is not False:
        return []
    check = stopping.check
    if isinstance(check, BoundCheck):
        seen = (
            f"{check.over_bound} of {check.processed} over the bound, which takes "
            f"{check.needed} queries to accept"
        )
    else:
        seen = f"{check.processed} queries, at least {check.least} needed"
    return [finding("criteria.early-stopping", seen)]


def series_findings(
    measured: MeasuredSeries, perf_met: bool | None, stopping: Stopping | None
) -> list[Finding]:
    """Name what happened in a series, was late, or can't be told of it."""
    found = findings_of_incidents(measured.series)
    found.extend(_lateness_findings(measured, perf_met, stopping))
    if measured.scenario is not Scenario.OFFLINE and measured.recorded:
        interval = series_interval(measured.latency, measured.ordered, measured.fraction)
        bounded = interval.high is not None
        if not bounded:
            seen = f"{measured.recorded} samples at p{measured.fraction * 100:g}"
            found.append(finding("statistics.open-interval", seen))
    return found


def _lateness_findings(
    measured: MeasuredSeries, perf_met: bool | None, stopping: Stopping | None
) -> list[Finding]:
    if measured.scenario is not Scenario.SERVER or not measured.recorded:
        return []
    complete = measured.series.is_complete
    lateness = measured.series.lateness_ns[complete]
    from_issue = measured.latency - lateness
    bound_ns = measured.effective.target_latency_ns
    late_ns = percentile(np.sort(lateness), measured.fraction)
    seen = f"issued minus scheduled at p{measured.fraction * 100:g}: {late_ns / 1e3:,.0f} µs"
    check = stopping.check if stopping else None
    has_slow = isinstance(check, BoundCheck) and not check.is_met and check.over_bound > 0
    failed = perf_met is False or has_slow
    if failed and not measured.effective.use_token_latencies:
        over = int((from_issue > bound_ns).sum())
        enough = measured.is_v05 or measured.issued >= total_needed(over, measured.fraction)
        if enough and measured.keeps(from_issue, bound_ns):
            return [finding("timing.lateness-decides", f"{seen}; from issue it would pass")]
    reference_ns = percentile(measured.ordered, measured.fraction)
    if late_ns > _NOTABLE_LATENESS * reference_ns:
        share = late_ns / reference_ns if reference_ns else math.inf
        return [finding("timing.lateness-high", f"{seen}, {share:.0%} of the latency")]
    return []
