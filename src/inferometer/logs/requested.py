"""Requested settings: which of them the detail logs list, and in which order."""

from __future__ import annotations

from inferometer.loadgen import Scenario, Settings

__all__ = ["requested_names"]

_SINGLE_STREAM = (
    "single_stream_expected_latency_ns",
    "single_stream_target_latency_percentile",
)
_MULTI_STREAM = (
    "multi_stream_expected_latency_ns",
    "multi_stream_target_latency_percentile",
    "multi_stream_samples_per_query",
)
_MULTI_STREAM_V05 = (
    "multi_stream_target_qps",
    "multi_stream_target_latency_ns",
    "multi_stream_target_latency_percentile",
    "multi_stream_samples_per_query",
    "multi_stream_max_async_queries",
)
_SERVER = (
    "server_target_qps",
    "server_target_latency_ns",
    "server_target_latency_percentile",
    "server_coalesce_queries",
    "server_find_peak_qps_decimals_of_precision",
    "server_find_peak_qps_boundary_step_size",
    "server_max_async_queries",
    "server_num_issue_query_threads",
)
_COMMON = (
    "min_duration_ms",
    "max_duration_ms",
    "min_query_count",
    "max_query_count",
    "qsl_rng_seed",
    "sample_index_rng_seed",
    "schedule_rng_seed",
    "accuracy_log_rng_seed",
    "accuracy_log_probability",
    "accuracy_log_sampling_target",
    "print_timestamps",
    "performance_issue_unique",
    "performance_issue_same",
    "performance_issue_same_index",
    "performance_sample_count_override",
    "accuracy_sample_count_override",
    "sample_concatenate_permutation",
)
_SINCE_V05 = {
    "server_num_issue_query_threads",
    "accuracy_log_sampling_target",
    "accuracy_sample_count_override",
    "sample_concatenate_permutation",
}


def requested_names(settings: Settings) -> tuple[str, ...]:
    """Give the settings that the detail log of the era lists, those of the scenario first."""
    is_v05 = settings.era.is_v05
    names: tuple[str, ...]
    match settings.scenario:
        case Scenario.SINGLE_STREAM:
            names = _SINGLE_STREAM
        case Scenario.SERVER:
            names = _SERVER
        case Scenario.OFFLINE:
            names = ("offline_expected_qps",)
        case _:
            names = _MULTI_STREAM_V05 if is_v05 else _MULTI_STREAM
    listed = (*names, *_COMMON)
    return tuple(name for name in listed if not (is_v05 and name in _SINCE_V05))
