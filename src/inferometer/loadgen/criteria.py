"""Criteria: whether a series lasted long enough and kept its bounds, in its recording's era."""

from __future__ import annotations

import numpy as np

from inferometer.loadgen.early_stopping import estimate, total_needed
from inferometer.loadgen.measured_series import Integers, MeasuredSeries, last_of
from inferometer.loadgen.statistics import percentile
from inferometer.loadgen.verdict import BoundCheck, Stopping
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["ALLOWED_TICKS", "constraints", "early_stopping", "minimums", "stopping_met"]

ALLOWED_TICKS = 2
"""Intervals between v0.5 multi-stream queries have to stay below so many ticks."""

_SINGLE_STREAM_SECOND = 0.99


def minimums(measured: MeasuredSeries) -> tuple[bool, bool]:
    """Give whether it lasted long enough, and had enough queries and samples."""
    least_ns = measured.effective.min_duration_ms * 1_000_000
    if measured.scenario is Scenario.OFFLINE:
        lasted_ns = int(measured.latency.max(initial=0))
    elif measured.scenario is Scenario.SERVER:
        lasted_ns = last_of(measured.series.scheduled_ns)
    else:
        lasted_ns = last_of(measured.series.issued_ns)
    queries_met = (
        measured.issued >= measured.effective.min_query_count
        and measured.recorded >= measured.effective.min_sample_count
    )
    return lasted_ns >= least_ns, queries_met


def constraints(measured: MeasuredSeries) -> tuple[bool | None, bool | None, bool | None]:
    """Give whether the bounds on latency, first token and token time are met."""
    if measured.scenario is Scenario.SERVER:
        if measured.effective.use_token_latencies:
            first = measured.keeps(measured.first_token, measured.effective.ttft_latency_ns)
            token = measured.keeps(measured.per_token, measured.effective.tpot_latency_ns)
            return first and token, first, token
        return measured.keeps(measured.latency, measured.effective.target_latency_ns), None, None
    if measured.is_v05 and measured.scenario is Scenario.MULTI_STREAM:
        ticks = measured.tick_intervals()
        met = bool(len(ticks)) and percentile(np.sort(ticks), measured.fraction) < ALLOWED_TICKS
        return met, None, None
    if measured.is_v05 and measured.scenario is Scenario.MULTI_STREAM_FREE:
        bound_ns = measured.effective.target_latency_ns
        return measured.keeps(measured.query_latency, bound_ns), None, None
    return None, None, None


def early_stopping(measured: MeasuredSeries) -> tuple[Stopping | None, Stopping | None]:
    """Give what early stopping says of the latency, or of token and first token."""
    if measured.is_v05 or measured.scenario is Scenario.OFFLINE:
        return None, None
    if not measured.effective.use_token_latencies:
        return _stopping_of(measured, measured.latency, measured.effective.target_latency_ns), None
    token = _stopping_of(measured, measured.per_token, measured.effective.tpot_latency_ns)
    if not token.is_met:
        return token, None
    return token, _stopping_of(measured, measured.first_token, measured.effective.ttft_latency_ns)


def _stopping_of(measured: MeasuredSeries, values: Integers, bound_ns: int) -> Stopping:
    if measured.scenario is Scenario.SERVER:
        over = int((values > bound_ns).sum())
        return Stopping(BoundCheck(measured.issued, over, total_needed(over, measured.fraction)))
    if measured.scenario is Scenario.MULTI_STREAM:
        values = measured.query_latency
    # Never more than were answered: an aborted run has issued queries without latency.
    ordered, processed = np.sort(values), min(measured.issued, len(values))
    check = estimate(ordered, processed, measured.fraction)
    if measured.scenario is Scenario.SINGLE_STREAM and check.is_met:
        return Stopping(check, estimate(ordered, processed, _SINGLE_STREAM_SECOND))
    return Stopping(check)


def stopping_met(
    measured: MeasuredSeries, stopping: Stopping | None, first: Stopping | None
) -> bool | None:
    """Give whether early stopping accepts the series; ``None`` where it isn't asked."""
    if stopping is None:
        return None if measured.is_v05 else True
    if measured.effective.use_token_latencies:
        return stopping.is_met and first is not None and first.is_met
    return stopping.is_met
