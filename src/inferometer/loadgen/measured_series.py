"""Measured series: the quantities of one series that it is judged by, each computed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.incident import IncidentKind
from inferometer.loadgen.recording import SeriesRecord
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.statistics import percentile

__all__ = ["Integers", "MeasuredSeries", "last_of"]

Integers = NDArray[np.int64]


class MeasuredSeries:
    """A series with its settings and latencies.

    fraction:
        The share of the latencies that the scenario's percentile is of.
    latency, query_latency:
        Of each answered sample, and of each wholly answered query; ns, int64 [n].
    ordered:
        The latencies of samples, in rising order.
    recorded, issued:
        Samples that were answered, and queries that were issued.
    ended_itself:
        Whether a rule ended it early.
    first_token, per_token:
        Time to the first token, and time per output token, of each sample that has them; ns,
        int64 [n].
    """

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
        self.first_token, self.per_token = _token_latencies(series)

    def keeps(self, values: Integers, bound_ns: int) -> bool:
        """Whether the percentile of values lies within a bound; not if there are none."""
        return bool(len(values)) and percentile(np.sort(values), self.fraction) <= bound_ns

    def final_done_ns(self) -> int | None:
        """Give when the last issued query was wholly answered."""
        last = self.series.completed_ns[-self.series.samples_per_query :]
        return int(last.max()) if len(last) and bool((last >= 0).all()) else None

    def tick_intervals(self) -> Integers:
        """Give the ticks between v0.5 multi-stream queries, int64 [wholly answered]."""
        counts = self.series.tick_counts
        if counts is None or len(self.query_latency) < self.issued:
            return np.empty(0, np.int64)
        ahead = self.effective.max_async_queries
        tail_s = self.query_latency[max(0, self.issued - ahead) :] / 1e9
        tail = np.ceil(self.effective.target_qps * tail_s).astype(np.int64)
        return np.concatenate([counts[ahead:], tail])


def last_of(values: Integers) -> int:
    """Give the last of some values; 0 if there is none."""
    return int(values[-1]) if len(values) else 0


def _token_latencies(series: SeriesRecord) -> tuple[Integers, Integers]:
    """Give time to first token and time per output token of each sample that has them."""
    none = np.empty(0, np.int64)
    counts, first = series.token_count, series.first_token_ns
    if counts is None or first is None:
        return none, none
    scheduled = np.repeat(series.scheduled_ns, series.samples_per_query)
    has_first = (first >= 0) & series.is_complete
    to_first = first - scheduled
    has_both = has_first & (counts > 1)
    after_first = series.completed_ns[has_both] - first[has_both]
    return to_first[has_first], after_first // (counts[has_both] - 1)
