"""Judging: metric, validity and findings, computed from a recording and nothing else."""

from __future__ import annotations

import dataclasses

from inferometer.loadgen.criteria import constraints, early_stopping, minimums, stopping_met
from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.findings import Severity
from inferometer.loadgen.judging_findings import (
    criteria_findings,
    series_findings,
    stopping_findings,
)
from inferometer.loadgen.measured_series import MeasuredSeries
from inferometer.loadgen.metric import (
    metric_of,
    over_latency_count,
    rates_of,
    summary_of,
    tick_percentiles,
    tokens_of,
)
from inferometer.loadgen.recording import Recording, SeriesRecord
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.verdict import LatencySummary, Verdict

__all__ = ["judge", "meets_bound", "series_effective"]


def judge(recording: Recording) -> Verdict | None:
    """Judge the performance series of a recording; ``None`` if it has none.

    Source: MLPerf LoadGen's result summary, in the recording's era.
    """
    series = recording.performance
    if series is None:
        return None
    effective = series_effective(recording, series)
    return _verdict(MeasuredSeries(recording.settings, effective, series))


def series_effective(recording: Recording, series: SeriesRecord) -> EffectiveSettings:
    """Give the effective settings of one series, with the load that find-peak gave it."""
    effective = dataclasses.replace(recording.effective, target_qps=series.target_qps)
    if series.samples_per_query != effective.samples_per_query and (
        effective.scenario.is_multi_stream
    ):
        effective = dataclasses.replace(
            effective,
            samples_per_query=series.samples_per_query,
            min_sample_count=effective.min_query_count * series.samples_per_query,
        )
    return effective


def meets_bound(settings: Settings, effective: EffectiveSettings, series: SeriesRecord) -> bool:
    """Tell whether a series meets its latency bound, the only thing find-peak asks."""
    return constraints(MeasuredSeries(settings, effective, series))[0] is not False


def _verdict(measured: MeasuredSeries) -> Verdict:
    duration_met, queries_met = minimums(measured)
    perf_met, first_met, token_met = constraints(measured)
    stopping, first_stopping = early_stopping(measured)
    is_stopping_met = stopping_met(measured, stopping, first_stopping)
    published = (
        duration_met and queries_met and perf_met is not False and is_stopping_met is not False
    )
    # A system that never answered has no latency at all; the published LoadGen would
    # still be waiting for it.
    published = published and measured.recorded == measured.series.sample_count > 0
    rates = rates_of(measured)
    findings = [
        *criteria_findings(measured, duration_met, queries_met, perf_met),
        *stopping_findings(stopping, is_stopping_met),
        *series_findings(measured, perf_met, stopping),
    ]
    has_error = any(found.rule.severity is Severity.ERROR for found in findings)
    return Verdict(
        scenario=measured.scenario,
        is_valid=published and not has_error,
        is_valid_as_published=published,
        metric=metric_of(measured, rates, stopping),
        min_duration_met=duration_met,
        min_queries_met=queries_met,
        perf_constraints_met=perf_met,
        early_stopping_met=is_stopping_met,
        stopping=stopping,
        first_token_stopping=first_stopping,
        first_token_constraint_met=first_met,
        token_constraint_met=token_met,
        query_count=measured.issued,
        sample_count=measured.recorded,
        over_latency_count=over_latency_count(measured),
        sample_latency=summary_of(measured, measured.latency),
        query_latency=summary_of(measured, measured.query_latency),
        lateness=LatencySummary.of(measured.series.lateness_ns),
        rates=rates,
        tokens=tokens_of(measured),
        ticks=tick_percentiles(measured),
        findings=tuple(findings),
    )
