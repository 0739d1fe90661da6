"""Goodput: how many requests to a model met the bounds on their tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.dependence import dependence_of
from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.recording import SeriesRecord
from inferometer.loadgen.statistics import Interval, per_second, proportion_interval
from inferometer.loadgen.verdict import Goodput, LatencySummary
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["goodput_of"]

Integers = NDArray[np.int64]


def goodput_of(series: SeriesRecord, effective: EffectiveSettings) -> Goodput | None:
    """Hold each sample of a series against the bounds on first token and time per token.

    In Offline everything is scheduled at the start, so that times count from when the system
    says it sent a sample; elsewhere they count from the scheduled time. ``None`` where
    nothing tells when first tokens came.
    """
    counts, first = series.token_count, series.first_token_ns
    if counts is None or first is None or not bool((first >= 0).any()):
        return None
    origin = np.repeat(series.scheduled_ns, series.samples_per_query)
    sent = series.began_ns
    from_sending = effective.scenario is Scenario.OFFLINE and sent is not None
    if from_sending and sent is not None:
        origin = np.where(sent >= 0, sent, origin)
    answered = series.is_complete & (first >= 0) & (counts > 1)
    to_first = (first - origin)[answered]
    per_token = (series.completed_ns - first)[answered] // (counts[answered] - 1)
    is_good = (to_first <= effective.ttft_latency_ns) & (per_token <= effective.tpot_latency_ns)
    is_all_good = np.zeros(series.sample_count, bool)
    is_all_good[answered] = is_good
    good, total = int(is_good.sum()), series.sample_count
    last_ns = int(series.completed_ns.max(initial=0))
    fraction = effective.target_latency_percentile
    return Goodput(
        ttft_bound_ns=effective.ttft_latency_ns,
        tpot_bound_ns=effective.tpot_latency_ns,
        from_sending=from_sending,
        first_token=LatencySummary.of(to_first, fraction),
        per_token=LatencySummary.of(per_token, fraction),
        whole=LatencySummary.of((series.completed_ns - origin)[answered], fraction),
        good=good,
        total=total,
        share=good / total,
        interval=_share_interval(is_all_good, good / total),
        per_s=per_second(good, last_ns),
        tokens_per_s=per_second(int(counts[answered][is_good].sum()), last_ns),
    )


def _share_interval(flags: NDArray[np.bool_], share: float) -> Interval:
    """Give the interval of a share of flags, bool [n] in the order of time.

    Requests that miss a bound come in clusters, as under load: so many are worth fewer.
    """
    found = dependence_of(flags)
    if found.is_too_long:
        return Interval(None, None)
    worth = max(1.0, len(flags) / found.inflation)
    return proportion_interval(share * worth, worth)
