"""Effective settings: what the requested settings come to for one sample library."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen.errors import SettingsError
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.vocabulary import Mode, Scenario

__all__ = ["EffectiveSettings", "derive"]

_OFFLINE_MARGIN = 1.1
_CONCATENATE_MARGIN = 2.0
_OFFLINE_PERCENTILE = 0.99


@dataclass(frozen=True)
class EffectiveSettings:
    """The numbers a test really runs by; the log files print them as ``effective_*``.

    ``problems`` holds the contradictions that the published LoadGen logs as errors and
    then runs with; anything built on this package refuses to start instead.
    """

    scenario: Scenario
    mode: Mode
    samples_per_query: int
    target_qps: float
    target_latency_ns: int
    target_latency_percentile: float
    max_async_queries: int
    target_duration_ms: int
    min_duration_ms: int
    max_duration_ms: int
    min_query_count: int
    max_query_count: int
    min_sample_count: int
    qsl_rng_seed: int
    sample_index_rng_seed: int
    schedule_rng_seed: int
    accuracy_log_rng_seed: int
    accuracy_log_probability: float
    accuracy_log_sampling_target: int
    print_timestamps: bool
    performance_issue_unique: bool
    performance_issue_same: bool
    performance_issue_same_index: int
    performance_sample_count: int
    accuracy_sample_count: int
    sample_concatenate_permutation: bool
    use_token_latencies: bool
    ttft_latency_ns: int
    tpot_latency_ns: int
    infer_token_latencies: bool
    token_latency_scaling_factor: int
    problems: tuple[str, ...] = ()


def derive(
    settings: Settings, total_sample_count: int, performance_sample_count: int
) -> EffectiveSettings:
    """Derive the effective settings for a library of the two given sizes.

    Raises `SettingsError` where the published LoadGen would crash: an empty library, or
    a performance sample count of 0.

    Source: the order of steps is that of MLPerf LoadGen's `TestSettingsInternal`.
    """
    performance_count = settings.performance_sample_count_override or performance_sample_count
    accuracy_count = settings.accuracy_sample_count_override or total_sample_count
    _check_counts(total_sample_count, performance_count)
    target_qps, latency_ns, percentile, max_async, per_query = _by_scenario(settings)
    min_query_count = settings.min_query_count
    target_duration_ms = settings.min_duration_ms

    if settings.scenario is Scenario.OFFLINE:
        per_query = _offline_samples(settings, performance_count)
        min_query_count, target_duration_ms = 1, 0
    elif settings.scenario is Scenario.SINGLE_STREAM and settings.sample_concatenate_permutation:
        expected = int(_CONCATENATE_MARGIN * (target_duration_ms / 1000.0) * target_qps)
        min_query_count = max(min_query_count, expected)
        # A full permutation more even when the count already is a multiple: as published.
        min_query_count += performance_sample_count - min_query_count % performance_sample_count

    return EffectiveSettings(
        scenario=settings.scenario,
        mode=settings.mode,
        samples_per_query=per_query,
        target_qps=target_qps,
        target_latency_ns=latency_ns,
        target_latency_percentile=percentile,
        max_async_queries=max_async,
        target_duration_ms=target_duration_ms,
        min_duration_ms=settings.min_duration_ms,
        max_duration_ms=settings.max_duration_ms,
        min_query_count=min_query_count,
        max_query_count=settings.max_query_count,
        min_sample_count=min_query_count * per_query,
        qsl_rng_seed=settings.qsl_rng_seed,
        sample_index_rng_seed=settings.sample_index_rng_seed,
        schedule_rng_seed=settings.schedule_rng_seed,
        accuracy_log_rng_seed=settings.accuracy_log_rng_seed,
        accuracy_log_probability=settings.accuracy_log_probability,
        accuracy_log_sampling_target=settings.accuracy_log_sampling_target,
        print_timestamps=settings.print_timestamps,
        performance_issue_unique=settings.performance_issue_unique,
        performance_issue_same=settings.performance_issue_same,
        performance_issue_same_index=settings.performance_issue_same_index,
        performance_sample_count=performance_count,
        accuracy_sample_count=accuracy_count,
        sample_concatenate_permutation=settings.sample_concatenate_permutation,
        use_token_latencies=settings.use_token_latencies,
        ttft_latency_ns=settings.ttft_latency_ns,
        tpot_latency_ns=settings.tpot_latency_ns,
        infer_token_latencies=settings.infer_token_latencies,
        token_latency_scaling_factor=settings.token_latency_scaling_factor,
        problems=_problems(settings, performance_count),
    )


def _check_counts(total: int, performance: int) -> None:
    for name, count in (("total", total), ("performance", performance)):
        if count < 1:
            raise SettingsError(
                f"the sample library's {name} sample count is {count}; it has to be at least 1"
            )


def _by_scenario(settings: Settings) -> tuple[float, int, float, int, int]:
    """Give rate, latency bound, percentile, outstanding limit and samples a query."""
    match settings.scenario:
        case Scenario.SINGLE_STREAM:
            rate = 1e9 / settings.single_stream_expected_latency_ns
            return rate, 0, settings.single_stream_target_latency_percentile, 1, 1
        case Scenario.SERVER:
            return (
                settings.server_target_qps,
                settings.server_target_latency_ns,
                settings.server_target_latency_percentile,
                settings.server_max_async_queries,
                1,
            )
        case Scenario.OFFLINE:
            return settings.offline_expected_qps, 0, _OFFLINE_PERCENTILE, 1, 1
        case _:
            return _by_multi_stream(settings)


def _by_multi_stream(settings: Settings) -> tuple[float, int, float, int, int]:
    percentile = settings.multi_stream_target_latency_percentile
    per_query = settings.multi_stream_samples_per_query
    if not settings.era.is_v05:
        return 1e9 / settings.multi_stream_expected_latency_ns, 0, percentile, 1, per_query
    rate = settings.multi_stream_target_qps
    max_async = settings.multi_stream_max_async_queries
    if settings.scenario is Scenario.MULTI_STREAM:
        latency_ns = int(max_async / rate * 1e9)
    else:
        latency_ns = settings.multi_stream_target_latency_ns
    return rate, latency_ns, percentile, max_async, per_query


def _offline_samples(settings: Settings, performance_count: int) -> int:
    one_pass = settings.performance_issue_unique
    if settings.era.is_v05:
        one_pass = one_pass or settings.performance_issue_same
    if one_pass:
        return performance_count
    seconds = settings.min_duration_ms / 1000.0
    return max(
        settings.min_query_count, int(_OFFLINE_MARGIN * seconds * settings.offline_expected_qps)
    )


def _problems(settings: Settings, performance_count: int) -> tuple[str, ...]:
    index = settings.performance_issue_same_index
    found = []
    if settings.performance_issue_same and index >= performance_count:
        found.append(
            "Sample Idx to be repeated in performance_issue_same mode cannot be greater than "
            f"loaded performance_sample_count. performance_issue_same_index: {index} "
            f"performance_sample_count: {performance_count}"
        )
    if settings.performance_issue_unique and settings.performance_issue_same:
        found.append(
            "Performance_issue_unique and performance_issue_same, both cannot be true at the "
            "same time. performance_issue_unique: 1 performance_issue_same: 1"
        )
    return tuple(found)
