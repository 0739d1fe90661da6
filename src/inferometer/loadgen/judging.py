"""Judging: metric, validity and findings, computed from a recording and nothing else."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.early_stopping import EarlyStoppingEstimate, estimate, total_needed
from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.findings import Finding, Severity, finding, findings_of_incidents
from inferometer.loadgen.goodput import goodput_of
from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.recording import Recording, SeriesRecord
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.statistics import per_second, percentile, rate_interval, series_interval
from inferometer.loadgen.verdict import (
    PERCENTILES,
    BoundCheck,
    LatencySummary,
    Metric,
    Rates,
    Stopping,
    TokenSummary,
    Verdict,
)
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["judge", "meets_bound", "series_effective"]

_SINGLE_STREAM_SECOND = 0.99
_ALLOWED_TICKS = 2
_NOTABLE_LATENESS = 0.1

Integers = NDArray[np.int64]


def judge(recording: Recording) -> Verdict | None:
    """Judge the performance series of a recording; ``None`` if it has none.

    Source: MLPerf LoadGen's result summary, in the recording's era.
    """
    series = recording.performance
    if series is None:
        return None
    return _Judgement(recording.settings, series_effective(recording, series), series).verdict()


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
    return _Judgement(settings, effective, series).constraints()[0] is not False


class _Judgement:
    """The quantities of one series, each computed once."""

    def __init__(self, settings: Settings, effective: EffectiveSettings, series: SeriesRecord):
        self.settings = settings
        self.effective = effective
        self.series = series
        self.scenario = effective.scenario
        self.fraction = effective.target_latency_percentile
        self.is_v05 = settings.era.is_v05
        self.latency = series.latency_ns
        self.query_latency = series.query_latency_ns
        self.ordered = np.sort(self.latency)
        self.recorded = len(self.latency)
        self.issued = series.query_count
        self.ended_itself = bool(series.happened(IncidentKind.STOPPED_BY_RULE))
        self.first_token, self.per_token = self._token_latencies()

    def verdict(self) -> Verdict:
        duration_met, queries_met = self._minimums()
        perf_met, first_met, token_met = self.constraints()
        stopping, first_stopping = self._early_stopping()
        stopping_met = self._stopping_met(stopping, first_stopping)
        published = (
            duration_met and queries_met and perf_met is not False and stopping_met is not False
        )
        # A system that never answered has no latency at all; the published LoadGen would
        # still be waiting for it.
        published = published and self.recorded == self.series.sample_count > 0
        rates = self._rates()
        findings = [
            *self._criteria_findings(duration_met, queries_met, perf_met),
            *self._stopping_findings(stopping, stopping_met),
            *self._findings(perf_met, stopping),
        ]
        has_error = any(found.rule.severity is Severity.ERROR for found in findings)
        return Verdict(
            scenario=self.scenario,
            is_valid=published and not has_error,
            is_valid_as_published=published,
            metric=self._metric(rates, stopping),
            min_duration_met=duration_met,
            min_queries_met=queries_met,
            perf_constraints_met=perf_met,
            early_stopping_met=stopping_met,
            stopping=stopping,
            first_token_stopping=first_stopping,
            first_token_constraint_met=first_met,
            token_constraint_met=token_met,
            query_count=self.issued,
            sample_count=self.recorded,
            over_latency_count=self._over_latency_count(),
            sample_latency=self._summary(self.latency),
            query_latency=self._summary(self.query_latency),
            lateness=LatencySummary.of(self.series.lateness_ns),
            rates=rates,
            tokens=self._tokens(),
            ticks=self._tick_percentiles(),
            findings=tuple(findings),
        )

    # ---- criteria

    def _minimums(self) -> tuple[bool, bool]:
        least_ns = self.effective.min_duration_ms * 1_000_000
        if self.scenario is Scenario.OFFLINE:
            lasted_ns = int(self.latency.max(initial=0))
        elif self.scenario is Scenario.SERVER:
            lasted_ns = self._last(self.series.scheduled_ns)
        else:
            lasted_ns = self._last(self.series.issued_ns)
        queries_met = (
            self.issued >= self.effective.min_query_count
            and self.recorded >= self.effective.min_sample_count
        )
        return lasted_ns >= least_ns, queries_met

    def constraints(self) -> tuple[bool | None, bool | None, bool | None]:
        """Give whether the bounds on latency, first token and token time are met."""
        if self.scenario is Scenario.SERVER:
            if self.effective.use_token_latencies:
                first = self._within(self.first_token, self.effective.ttft_latency_ns)
                token = self._within(self.per_token, self.effective.tpot_latency_ns)
                return first and token, first, token
            return self._within(self.latency, self.effective.target_latency_ns), None, None
        if self.is_v05 and self.scenario is Scenario.MULTI_STREAM:
            ticks = self._intervals()
            met = bool(len(ticks)) and percentile(np.sort(ticks), self.fraction) < _ALLOWED_TICKS
            return met, None, None
        if self.is_v05 and self.scenario is Scenario.MULTI_STREAM_FREE:
            return self._within(self.query_latency, self.effective.target_latency_ns), None, None
        return None, None, None

    def _within(self, values: Integers, bound_ns: int) -> bool:
        return bool(len(values)) and percentile(np.sort(values), self.fraction) <= bound_ns

    def _early_stopping(self) -> tuple[Stopping | None, Stopping | None]:
        if self.is_v05 or self.scenario is Scenario.OFFLINE:
            return None, None
        if not self.effective.use_token_latencies:
            return self._stopping_of(self.latency, self.effective.target_latency_ns), None
        token = self._stopping_of(self.per_token, self.effective.tpot_latency_ns)
        if not token.is_met:
            return token, None
        return token, self._stopping_of(self.first_token, self.effective.ttft_latency_ns)

    def _stopping_of(self, values: Integers, bound_ns: int) -> Stopping:
        if self.scenario is Scenario.SERVER:
            over = int((values > bound_ns).sum())
            return Stopping(BoundCheck(self.issued, over, total_needed(over, self.fraction)))
        if self.scenario is Scenario.MULTI_STREAM:
            values = self.query_latency
        # Never more than were answered: an aborted run has issued queries without latency.
        ordered, processed = np.sort(values), min(self.issued, len(values))
        check = estimate(ordered, processed, self.fraction)
        if self.scenario is Scenario.SINGLE_STREAM and check.is_met:
            return Stopping(check, estimate(ordered, processed, _SINGLE_STREAM_SECOND))
        return Stopping(check)

    def _stopping_met(self, stopping: Stopping | None, first: Stopping | None) -> bool | None:
        if stopping is None:
            return None if self.is_v05 else True
        if self.effective.use_token_latencies:
            return stopping.is_met and first is not None and first.is_met
        return stopping.is_met

    # ---- numbers

    def _last(self, values: Integers) -> int:
        return int(values[-1]) if len(values) else 0

    def _final_done_ns(self) -> int | None:
        """Give when the last issued query was wholly answered."""
        last = self.series.completed_ns[-self.series.samples_per_query :]
        return int(last.max()) if len(last) and bool((last >= 0).all()) else None

    def _rates(self) -> Rates:
        done_ns = self._final_done_ns()
        last_issued_ns = self._last(self.series.issued_ns)
        match self.scenario:
            case Scenario.SINGLE_STREAM:
                mean_ns = int(self.latency.sum()) // self.recorded if self.recorded else 0
                return Rates(
                    qps_with_overhead=per_second(self.recorded - 1, last_issued_ns),
                    qps_without_overhead=per_second(1, mean_ns),
                )
            case Scenario.SERVER:
                last_due_ns = self._last(self.series.scheduled_ns)
                return Rates(
                    scheduled_samples_per_s=per_second(self.recorded - 1, last_due_ns),
                    completed_samples_per_s=per_second(self.recorded - 1, done_ns),
                )
            case Scenario.OFFLINE:
                longest_ns = int(self.latency.max(initial=0))
                return Rates(samples_per_s=per_second(self.recorded, longest_ns))
            case _:
                total = self.issued * self.series.samples_per_query
                return Rates(samples_per_s=per_second(total, done_ns))

    def _metric(self, rates: Rates, stopping: Stopping | None) -> Metric:
        match self.scenario:
            case Scenario.SINGLE_STREAM | Scenario.MULTI_STREAM if not self.is_v05:
                return self._latency_metric(self.query_latency, stopping)
            case Scenario.SINGLE_STREAM:
                return self._latency_metric(self.latency, None)
            case Scenario.MULTI_STREAM:
                return Metric("samples per query", float(self.series.samples_per_query), "", True)
            case Scenario.SERVER:
                name, value = "completed samples/s", rates.completed_samples_per_s
                if self.is_v05:
                    name, value = "scheduled samples/s", rates.scheduled_samples_per_s
            case _:
                name, value = "samples/s", rates.samples_per_s
        completed = self.series.completed_ns[self.series.is_complete]
        return Metric(name, value, "1/s", True, rate_interval(completed))

    def _latency_metric(self, values: Integers, stopping: Stopping | None) -> Metric:
        name = f"p{self.fraction * 100:g} latency"
        if not len(values):
            return Metric(name, None, "ns", False)
        ordered = np.sort(values)
        check = stopping.check if stopping else None
        return Metric(
            name,
            float(percentile(ordered, self.fraction)),
            "ns",
            False,
            series_interval(values, ordered, self.fraction, ended_itself=self.ended_itself),
            check.value if isinstance(check, EarlyStoppingEstimate) else None,
        )

    def _summary(self, values: Integers) -> LatencySummary | None:
        return LatencySummary.of(values, self.fraction, ended_itself=self.ended_itself)

    def _over_latency_count(self) -> int | None:
        if self.scenario is not Scenario.SERVER:
            return None
        return int((self.latency > self.effective.target_latency_ns).sum())

    def _intervals(self) -> Integers:
        """Give the ticks between v0.5 multi-stream queries, int64 [wholly answered]."""
        counts = self.series.tick_counts
        if counts is None or len(self.query_latency) < self.issued:
            return np.empty(0, np.int64)
        ahead = self.effective.max_async_queries
        tail_s = self.query_latency[max(0, self.issued - ahead) :] / 1e9
        tail = np.ceil(self.effective.target_qps * tail_s).astype(np.int64)
        return np.concatenate([counts[ahead:], tail])

    def _tick_percentiles(self) -> dict[float, int] | None:
        intervals = np.sort(self._intervals())
        if not len(intervals):
            return None
        return {p: percentile(intervals, p) for p in (*PERCENTILES, self.fraction)}

    # ---- tokens

    def _token_latencies(self) -> tuple[Integers, Integers]:
        """Give time to first token and time per output token of each sample that has them."""
        series, none = self.series, np.empty(0, np.int64)
        counts, first = series.token_count, series.first_token_ns
        if counts is None or first is None:
            return none, none
        scheduled = np.repeat(series.scheduled_ns, series.samples_per_query)
        has_first = (first >= 0) & series.is_complete
        to_first = first - scheduled
        has_both = has_first & (counts > 1)
        after_first = series.completed_ns[has_both] - first[has_both]
        return to_first[has_first], after_first // (counts[has_both] - 1)

    def _tokens(self) -> TokenSummary | None:
        counts = self.series.token_count
        if counts is None:
            return None
        total = int(counts[self.series.is_complete].sum())
        offline = self.scenario is Scenario.OFFLINE
        mean_ns = int(self.latency.sum()) // self.recorded if self.recorded else 0
        return TokenSummary(
            total=total,
            first_token=None if offline else LatencySummary.of(self.first_token, self.fraction),
            per_token=None if offline else LatencySummary.of(self.per_token, self.fraction),
            tokens_per_s=per_second(total, int(self.latency.max(initial=0))),
            with_overhead_per_s=per_second(total, self._last(self.series.issued_ns)),
            without_overhead_per_s=per_second(total, mean_ns * self.recorded),
            completed_per_s=per_second(total, self._final_done_ns()),
            goodput=goodput_of(self.series, self.effective),
        )

    # ---- findings

    def _criteria_findings(
        self, duration_met: bool, queries_met: bool, perf_met: bool | None
    ) -> list[Finding]:
        found = []
        effective = self.effective
        if perf_met is False:
            found.append(finding("criteria.latency-bound", self._bound_text()))
        if not duration_met:
            seen = f"minimum {effective.min_duration_ms / 1e3:g} s"
            found.append(finding("criteria.min-duration", seen))
        if not queries_met:
            seen = (
                f"{self.issued} queries issued, {self.recorded} samples answered; minimum "
                f"{effective.min_query_count} queries, {effective.min_sample_count} samples"
            )
            found.append(finding("criteria.min-queries", seen))
        return found

    def _bound_text(self) -> str:
        name = f"p{self.fraction * 100:g}"
        if self.is_v05 and self.scenario is Scenario.MULTI_STREAM:
            return f"{name} of the intervals between queries is {_ALLOWED_TICKS} ticks or more"
        if self.effective.use_token_latencies:
            return f"{name} of the time to the first token or per token"
        values = self.query_latency if self.scenario.is_multi_stream else self.latency
        if not len(values):
            return "nothing was answered"
        reached_ms = percentile(np.sort(values), self.fraction) / 1e6
        bound_ms = self.effective.target_latency_ns / 1e6
        return f"{name} {reached_ms:.3g} ms, bound {bound_ms:g} ms"

    def _stopping_findings(self, stopping: Stopping | None, met: bool | None) -> list[Finding]:
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

    def _findings(self, perf_met: bool | None, stopping: Stopping | None) -> list[Finding]:
        found = findings_of_incidents(self.series)
        found.extend(self._lateness_findings(perf_met, stopping))
        if self.scenario is not Scenario.OFFLINE and self.recorded:
            interval = series_interval(self.latency, self.ordered, self.fraction)
            bounded = interval.high is not None
            if not bounded:
                seen = f"{self.recorded} samples at p{self.fraction * 100:g}"
                found.append(finding("statistics.open-interval", seen))
        return found

    def _lateness_findings(self, perf_met: bool | None, stopping: Stopping | None) -> list[Finding]:
        if self.scenario is not Scenario.SERVER or not self.recorded:
            return []
        complete = self.series.is_complete
        lateness = self.series.lateness_ns[complete]
        from_issue = self.latency - lateness
        bound_ns = self.effective.target_latency_ns
        late_ns = percentile(np.sort(lateness), self.fraction)
        seen = f"issued minus scheduled at p{self.fraction * 100:g}: {late_ns / 1e3:,.0f} µs"
        check = stopping.check if stopping else None
        has_slow = isinstance(check, BoundCheck) and not check.is_met and check.over_bound > 0
        failed = perf_met is False or has_slow
        if failed and not self.effective.use_token_latencies:
            over = int((from_issue > bound_ns).sum())
            enough = self.is_v05 or self.issued >= total_needed(over, self.fraction)
            if enough and self._within(from_issue, bound_ns):
                return [finding("timing.lateness-decides", f"{seen}; from issue it would pass")]
        reference_ns = percentile(self.ordered, self.fraction)
        if late_ns > _NOTABLE_LATENESS * reference_ns:
            share = late_ns / reference_ns if reference_ns else math.inf
            return [finding("timing.lateness-high", f"{seen}, {share:.0%} of the latency")]
        return []
