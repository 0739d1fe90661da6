"""Verdict: what a performance series comes to, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.early_stopping import EarlyStoppingEstimate
from inferometer.loadgen.findings import Finding
from inferometer.loadgen.statistics import Interval, percentile, series_interval
from inferometer.loadgen.vocabulary import Scenario

__all__ = [
    "PERCENTILES",
    "BoundCheck",
    "Goodput",
    "LatencySummary",
    "Metric",
    "Rates",
    "Stopping",
    "TokenSummary",
    "Verdict",
]

PERCENTILES = (0.50, 0.90, 0.95, 0.97, 0.99, 0.999)
"""The percentiles that every result lists."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Metric:
    """The number that a scenario is known by.

    interval:
        Its 95 % confidence interval, ``None`` where none can be given.
    published_value:
        What published rounds report in its place, where that is another number: since
        2.0, the early-stopping estimate, a bound that holds with 99 % confidence.
    """

    name: str
    value: float | None
    unit: str
    higher_is_better: bool
    interval: Interval | None = None
    published_value: float | None = None


@dataclass(frozen=True)
class LatencySummary:
    """Latencies in ns: least, largest, mean (whole ns), percentiles by fraction."""

    count: int
    min_ns: int
    max_ns: int
    mean_ns: int
    percentiles_ns: dict[float, int]
    intervals_ns: dict[float, Interval]

    @classmethod
    def of(
        cls, values: Integers, *fractions: float, ended_itself: bool = False
    ) -> LatencySummary | None:
        """Summarise int64 [n], in the order of time; ``None`` for no values.

        ``fractions`` are listed as well; ``ended_itself`` is as `series_interval` takes it.
        """
        if not len(values):
            return None
        ordered = np.sort(values)
        wanted = sorted({*PERCENTILES, *fractions})
        return cls(
            count=len(ordered),
            min_ns=int(ordered[0]),
            max_ns=int(ordered[-1]),
            mean_ns=int(ordered.sum()) // len(ordered),
            percentiles_ns={p: percentile(ordered, p) for p in wanted},
            intervals_ns={
                p: series_interval(values, ordered, p, ended_itself=ended_itself) for p in wanted
            },
        )


@dataclass(frozen=True)
class BoundCheck:
    """Server early stopping: how many samples were over the bound, and what that needs."""

    processed: int
    over_bound: int
    needed: int

    @property
    def is_met(self) -> bool:
        """Whether enough queries were processed for so many slow ones."""
        return self.processed >= self.needed


@dataclass(frozen=True)
class Rates:
    """Rates in 1/s; ``None`` where a scenario has no such rate."""

    qps_with_overhead: float | None = None
    qps_without_overhead: float | None = None
    scheduled_samples_per_s: float | None = None
    completed_samples_per_s: float | None = None
    samples_per_s: float | None = None


@dataclass(frozen=True)
class Goodput:
    """Requests that met both bounds, on the first token and on the time per output token.

    first_token, per_token, whole:
        Latencies of what was answered: from the scheduled time on, or, where ``from_sending``,
        from when each request was sent.
    good, total, share, interval:
        Samples that met both bounds, of all that were issued, and the 95 % confidence interval
        of their share. A sample without an answer, or without tokens, isn't good.
    per_s, tokens_per_s:
        Good samples, and their tokens, a second until the last completion.
    """

    ttft_bound_ns: int
    tpot_bound_ns: int
    from_sending: bool
    first_token: LatencySummary | None
    per_token: LatencySummary | None
    whole: LatencySummary | None
    good: int
    total: int
    share: float
    interval: Interval
    per_s: float | None
    tokens_per_s: float | None


@dataclass(frozen=True)
class TokenSummary:
    """Token latencies and rates; first-token parts are ``None`` for Offline.

    goodput:
        ``None`` where nothing tells when first tokens came.
    """

    total: int
    first_token: LatencySummary | None
    per_token: LatencySummary | None
    tokens_per_s: float | None
    with_overhead_per_s: float | None
    without_overhead_per_s: float | None
    completed_per_s: float | None
    goodput: Goodput | None = None


@dataclass(frozen=True)
class Stopping:
    """What early stopping says: the scenario's check, and for SingleStream also p99."""

    check: EarlyStoppingEstimate | BoundCheck
    at_p99: EarlyStoppingEstimate | None = None

    @property
    def is_met(self) -> bool:
        """Whether the check is met; the p99 estimate doesn't matter for that."""
        return self.check.is_met


@dataclass(frozen=True)
class Verdict:
    """What a performance series comes to.

    is_valid:
        The published criteria are met and no finding is an error.
    is_valid_as_published:
        The published criteria alone, as the log files state them.
    perf_constraints_met, early_stopping_met:
        ``None`` where the scenario or era has no such criterion.
    stopping, first_token_stopping:
        Early stopping on latencies; with token latencies, on the time per token and, only
        if that is met, on the time to the first token.
    ticks_at_percentile:
        v0.5 multi-stream: intervals between queries, percentiles by fraction.
    """

    scenario: Scenario
    is_valid: bool
    is_valid_as_published: bool
    metric: Metric
    min_duration_met: bool
    min_queries_met: bool
    perf_constraints_met: bool | None
    early_stopping_met: bool | None
    stopping: Stopping | None
    first_token_stopping: Stopping | None
    first_token_constraint_met: bool | None
    token_constraint_met: bool | None
    query_count: int
    sample_count: int
    over_latency_count: int | None
    sample_latency: LatencySummary | None
    query_latency: LatencySummary | None
    lateness: LatencySummary | None
    rates: Rates
    tokens: TokenSummary | None
    ticks: dict[float, int] | None
    findings: tuple[Finding, ...]

    @property
    def ended_because(self) -> str:
        """Why a rule ended the run, such as that its bound is decided; empty if none did."""
        ended = (found.seen for found in self.findings if found.rule.id == "run.stopped-by-rule")
        return next(ended, "")
