"""Patterns: what the times within one test give away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario, SeriesRecord
from inferometer.submission.audit.bench import Bench
from inferometer.submission.audit.comparison import NothingMeasured, compare_pairs
from inferometer.submission.audit.result import AuditResult, failed, not_checkable, passed
from inferometer.tuning.gain import FEWEST_PAIRS, Gain

__all__ = ["first_asked", "lull_pairs", "lulls", "over_time", "repeat_pairs", "time_pairs"]

Pairs = list[tuple[float, float]]
"""(plain, favoured) speeds."""

_BLOCKS = 12
_FEWEST_IN_BLOCK = 5
_WARM_UP = 0.2
_WINDOW = 0.35
_OUTER = 1 / 3
_FEWEST_IDLE = 30
_OVER_TIME_MARGIN = 0.20
_REPEATS_WANTED = 1.25
_QUIET = 0.10
"""Share of the processors up to which others are too few to favour a process that rests."""


def first_asked(bench: Bench, scenario: Scenario = Scenario.SINGLE_STREAM) -> AuditResult:
    """Ask whether samples are answered faster once they were asked before in the same test.

    Both kinds are compared within short blocks of time, so that no warming up of the system
    counts. Catches a cache, also one that is only used after a while: the later blocks are
    looked at by themselves as well.
    """
    audit = "audit.first-asked"
    samples = bench.sizes(scenario).samples
    settings = bench.settings(scenario, min_query_count=int(samples * _REPEATS_WANTED))

    def measure() -> Iterator[tuple[str, Gain]]:
        runs = [bench.run(settings).series for _ in range(bench.effort.pairs // 2)]
        blocks = [repeat_pairs(series) for one in runs for series in one]
        late = [pair for one in blocks for pair in one[len(one) // 2 :]]
        for name, pairs in (("", [p for one in blocks for p in one]), (" late in the test", late)):
            if len(pairs) >= FEWEST_PAIRS:
                yield name, compare_pairs(pairs)

    return _judge(audit, scenario, measure, "samples asked before are answered", bench)


def over_time(bench: Bench, scenario: Scenario = Scenario.SINGLE_STREAM) -> AuditResult:
    """Ask whether the system becomes faster in the course of a test, after its first part.

    Every test has a fresh system. A system that compiles or warms up in the first fifth does
    no harm to itself.
    """
    usual = bench.settings(scenario)
    settings = usual.replace(min_query_count=int(usual.min_query_count * bench.effort.longer))

    def measure() -> Iterator[tuple[str, Gain]]:
        runs = [bench.run(settings) for _ in range(bench.effort.pairs)]
        pairs = [pair for run in runs for series in run.series for pair in time_pairs(series)]
        yield "", compare_pairs(pairs)

    words = "late queries are answered"
    return _judge("audit.over-time", scenario, measure, words, bench, _OVER_TIME_MARGIN)


def lulls(bench: Bench) -> AuditResult:
    """Ask whether queries that come after a long lull are answered faster, Server.

    Only queries that found the system idle are looked at. Where the time before a query is
    not used to prepare its answer, how long it was makes no query faster. Where others keep
    the processors busy, it does: the operating system prefers a process that has rested.
    Nobody is accused then.
    """
    settings = bench.settings(Scenario.SERVER)
    loads: list[float] = []

    def measure() -> Iterator[tuple[str, Gain]]:
        runs = [bench.run(settings) for _ in range(bench.effort.pairs)]
        loads.extend(run.other_load for run in runs)
        pairs = [pair for run in runs for series in run.series for pair in lull_pairs(series)]
        yield "", compare_pairs(pairs)

    words = "queries after a long lull are answered"
    found = _judge("audit.lulls", Scenario.SERVER, measure, words, bench)
    load = max(loads, default=0.0)
    if not found.has_failed or load <= _QUIET:
        return found
    return not_checkable(
        "audit.lulls",
        Scenario.SERVER,
        f"{found.seen}, but others used up to {load:.0%} of the processors meanwhile, which does "
        "the same; audit on a quiet machine",
    )


def repeat_pairs(series: SeriesRecord) -> Pairs:
    """Give, for each block of time, the speed of samples asked first and of those asked again.

    Only series of one sample a query have such pairs, in the order of time.
    """
    latencies = series.query_latency_ns
    if series.samples_per_query != 1 or len(latencies) != series.query_count:
        return []
    _, firsts = np.unique(series.sample_index, return_index=True)
    is_first = np.zeros(len(latencies), bool)
    is_first[firsts] = True
    pairs = []
    for block in np.array_split(np.arange(len(latencies)), _BLOCKS):
        first, again = latencies[block[is_first[block]]], latencies[block[~is_first[block]]]
        if min(len(first), len(again)) >= _FEWEST_IN_BLOCK:
            pairs.append((_speed(first), _speed(again)))
    return pairs


def time_pairs(series: SeriesRecord) -> Pairs:
    """Give the speed of an early part of a series and of its last part."""
    latencies = series.query_latency_ns
    window = int(len(latencies) * _WINDOW)
    if window < _FEWEST_IN_BLOCK:
        return []
    start = int(len(latencies) * _WARM_UP)
    return [(_speed(latencies[start : start + window]), _speed(latencies[-window:]))]


def lull_pairs(series: SeriesRecord) -> Pairs:
    """Give the speed of queries after the shortest third of the lulls and after the longest."""
    by_query = series.completed_ns.reshape(series.query_count, series.samples_per_query)
    done = by_query.max(axis=1)
    if not len(done) or (by_query < 0).any():
        return []
    last_done = np.maximum.accumulate(done)[:-1]
    lull = series.issued_ns[1:] - last_done
    idle = lull > 0
    latencies, lull = (done - series.scheduled_ns)[1:][idle], lull[idle]
    if len(lull) < _FEWEST_IDLE:
        return []
    low, high = np.quantile(lull, [_OUTER, 1 - _OUTER])
    return [(_speed(latencies[lull <= low]), _speed(latencies[lull >= high]))]


def _speed(latencies: NDArray[np.int64]) -> float:
    """Give one over the mean latency without the slowest tenth."""
    ordered = np.sort(latencies)
    return 1e9 / max(1.0, float(ordered[: max(1, len(ordered) * 9 // 10)].mean()))


def _judge(
    audit: str,
    scenario: Scenario,
    measure: Callable[[], Iterator[tuple[str, Gain]]],
    words: str,
    bench: Bench,
    margin: float | None = None,
) -> AuditResult:
    """Fail if one of the gains is beyond the margin, and so again in a second measurement."""
    try:
        first = dict(measure())
        if not first:
            return not_checkable(audit, scenario, "too few queries of either kind")
        share = bench.effort.margin if margin is None else margin
        bad = [name for name, gain in first.items() if gain.low > 1 + share]
        again = dict(measure()) if bad else {}
    except NothingMeasured as trouble:
        return not_checkable(audit, scenario, str(trouble))
    for name in bad:
        if name in again and again[name].low > 1 + share:
            seen = f"{words} {first[name]} times as fast{name}, {again[name]} in a second look"
            return failed(audit, scenario, seen, gain=first[name].value, margin=share)
    name, gain = next(iter(first.items()))
    seen = f"{words} {gain} times as fast, margin {share:.0%}"
    return passed(audit, scenario, seen, gain=gain.value, margin=share)
