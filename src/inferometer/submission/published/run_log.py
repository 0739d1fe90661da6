"""Run log: the numbers of one performance run, from the logs of either dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen import Scenario
from inferometer.logs import (
    DETAIL_LOG,
    SUMMARY_LOG,
    DetailLog,
    SummaryLog,
    read_detail,
    read_summary,
)
from inferometer.submission.places import scenario_of
from inferometer.submission.published.values import number_of, text_of
from inferometer.submission.tree import SMALL_FILE_BYTES, Tree, TreeError, shown

__all__ = ["MetricWord", "RunLog", "read_run_log"]

_CURRENT_MARK = b":::MLLOG"
_PERCENTILES = ("50.00", "90.00", "95.00", "97.00", "99.00", "99.90")
_PER_PERCENT = 100.0


@dataclass(frozen=True)
class MetricWord:
    """The metric of a scenario, and what it is called in a log."""

    name: str
    unit: str
    higher_is_better: bool
    key: str


_S, _M, _V, _O = (
    Scenario.SINGLE_STREAM,
    Scenario.MULTI_STREAM,
    Scenario.SERVER,
    Scenario.OFFLINE,
)
_V05_METRICS = {
    _S: (MetricWord("p90 latency", "ns", False, "90th percentile latency (ns)"),),
    _M: (MetricWord("samples per query", "streams", True, "Samples per query"),),
    _V: (MetricWord("scheduled samples/s", "1/s", True, "Scheduled samples per second"),),
    _O: (MetricWord("samples/s", "1/s", True, "Samples per second"),),
}
_CURRENT_METRICS = {
    _S: (MetricWord("p90 latency", "ns", False, "early_stopping_latency_ss"),),
    _M: (MetricWord("p99 latency", "ns", False, "early_stopping_latency_ms"),),
    # Where models answer in tokens, these are what counts.
    _V: (
        MetricWord("completed tokens/s", "1/s", True, "result_completed_tokens_per_second"),
        MetricWord("completed samples/s", "1/s", True, "result_completed_samples_per_sec"),
    ),
    _O: (
        MetricWord("tokens/s", "1/s", True, "result_tokens_per_second"),
        MetricWord("samples/s", "1/s", True, "result_samples_per_second"),
    ),
}
"""Metrics of the rounds that logs of each dialect belong to; the first that is there counts."""


@dataclass(frozen=True)
class RunLog:
    """What one run says; whatever it doesn't say is ``None``.

    latencies_ns:
        Percentiles of latency by percent, of queries in MultiStream and of samples elsewhere.
    percentile:
        The percent that the bound is about, where the log tells it.
    seeds:
        Those of the library, of the samples and of the schedule.
    """

    is_v05: bool
    scenario: Scenario | None
    metric: MetricWord | None
    value: float | None
    is_valid: bool | None
    latencies_ns: Mapping[float, float]
    mean_ns: float | None
    bound_ns: float | None
    percentile: float | None
    seeds: tuple[str | None, ...]


def read_run_log(tree: Tree, folder: tuple[str, ...], scenario: Scenario | None) -> RunLog:
    """Read the run in a folder; ``scenario`` decides which metric is looked for.

    Current runs are read from their detail log, v0.5 runs from their summary, as the published
    checkers do. Raises `TreeError` or `LogError` that names the file.
    """
    if tree.has_file(*folder, DETAIL_LOG):
        with tree.open(*folder, DETAIL_LOG) as file:
            is_current = file.read(len(_CURRENT_MARK)) == _CURRENT_MARK
        if is_current:
            return _from_detail(read_detail(_small(tree, *folder, DETAIL_LOG)), scenario)
    return _from_summary(read_summary(_small(tree, *folder, SUMMARY_LOG)), scenario)


def _small(tree: Tree, *parts: str) -> Path:
    path = tree.path(*parts)
    if tree.size_bytes(*parts) > SMALL_FILE_BYTES:
        raise TreeError(
            f"{shown('/'.join(parts))}: larger than {SMALL_FILE_BYTES >> 20} MiB, which no log of "
            "this kind is"
        )
    return path


def _from_summary(log: SummaryLog, scenario: Scenario | None) -> RunLog:
    def value_of(key: str) -> float | None:
        text = log.values.get(key)
        return number_of(text.split()[0]) if text and text.split() else None

    written = scenario_of(log.values.get("Scenario", ""))
    metric, value = _metric(_V05_METRICS, scenario or written, value_of)
    return RunLog(
        is_v05=True,
        scenario=written,
        metric=metric,
        value=value,
        is_valid=log.is_valid,
        latencies_ns=_percentiles("{} percentile latency (ns)", value_of),
        mean_ns=value_of("Mean latency (ns)"),
        bound_ns=value_of("target_latency (ns)") or None,
        percentile=None,
        seeds=tuple(text_of(log.values.get(key)) for key in _SEEDS),
    )


_SEEDS = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


def _from_detail(log: DetailLog, scenario: Scenario | None) -> RunLog:
    def value_of(key: str) -> float | None:
        return number_of(log.first(key))

    written = scenario_of(str(log.first("effective_scenario", "")))
    metric, value = _metric(_CURRENT_METRICS, scenario or written, value_of)
    is_multi = (scenario or written) is Scenario.MULTI_STREAM
    kind = "per_query_latency" if is_multi else "latency"
    share = value_of("effective_target_latency_percentile")
    validity = log.first("result_validity")
    return RunLog(
        is_v05=False,
        scenario=written,
        metric=metric,
        value=value,
        is_valid=None if validity is None else validity == "VALID",
        latencies_ns=_percentiles(f"result_{{}}_percentile_{kind}_ns", value_of),
        mean_ns=value_of("result_mean_latency_ns"),
        bound_ns=value_of("effective_target_latency_ns") or None,
        percentile=None if share is None else share * _PER_PERCENT,
        seeds=tuple(text_of(log.first(f"effective_{key}")) for key in _SEEDS),
    )


def _metric(
    words: Mapping[Scenario, tuple[MetricWord, ...]],
    scenario: Scenario | None,
    value_of: Callable[[str], float | None],
) -> tuple[MetricWord | None, float | None]:
    """Give the first metric of the scenario that the log tells, else the last without value."""
    choices = words.get(scenario, ()) if scenario else ()
    for word in choices:
        value = value_of(word.key)
        if value:
            return word, value
    return (choices[-1], None) if choices else (None, None)


def _percentiles(form: str, value_of: Callable[[str], float | None]) -> dict[float, float]:
    found = {float(percent): value_of(form.format(percent)) for percent in _PERCENTILES}
    return {percent: value for percent, value in found.items() if value is not None}
