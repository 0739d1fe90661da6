"""Free settings: those that a round leaves to the submitter, and those that may only be more."""

from __future__ import annotations

from inferometer.loadgen import Era

__all__ = ["MORE_IS_ALLOWED", "free_settings"]

MORE_IS_ALLOWED = frozenset(
    {"min_duration_ms", "min_query_count", "performance_sample_count_override"}
)
"""Settings that may be larger than the round asks."""

# What to expect of the system, which load it takes, how it is watched; not the rules.
_FREE = frozenset(
    {
        "accuracy_log_rng_seed",
        "era",
        "integer_flavour",
        "mode",
        "multi_stream_expected_latency_ns",
        "offline_expected_qps",
        "print_timestamps",
        "server_coalesce_queries",
        "server_find_peak_qps_boundary_step_size",
        "server_find_peak_qps_decimals_of_precision",
        "server_max_async_queries",
        "server_target_qps",
        "single_stream_expected_latency_ns",
    }
)
# In v0.5 the number of streams is what MultiStream measures.
_FREE_IN_V05 = frozenset({"multi_stream_samples_per_query"})
# Other bounds are what the open division is for; it has to tell them.
_FREE_IN_OPEN = frozenset({"server_target_latency_ns", "multi_stream_target_latency_ns"})


def free_settings(era: Era, *, is_closed: bool) -> frozenset[str]:
    """Give the names of the settings that a division of a round of this era leaves open."""
    found = _FREE | (_FREE_IN_V05 if era.is_v05 else frozenset())
    return found if is_closed else found | _FREE_IN_OPEN
