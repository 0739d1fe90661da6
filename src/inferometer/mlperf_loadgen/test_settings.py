"""Test settings as the published binding has them, of both eras."""

from __future__ import annotations

from typing import Any

from inferometer.mlperf_loadgen.fields import BOOL, F64, I32, U64, Field, word_field
from inferometer.mlperf_loadgen.words import TestMode, TestScenario, TestScenarioV05

__all__ = ["TestSettings", "TestSettingsV05", "copy_of", "fields_of"]


class _Settings:
    """What both eras have."""

    __slots__ = ("_values",)
    __test__ = False

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    mode = word_field(TestMode.PerformanceOnly)
    single_stream_target_latency_percentile = Field(F64, 0.9)
    server_target_qps = Field(F64, 1.0)
    server_target_latency_ns = Field(U64, 100_000_000)
    server_target_latency_percentile = Field(F64, 0.99)
    server_coalesce_queries = Field(BOOL, False)
    server_find_peak_qps_decimals_of_precision = Field(I32, 1)
    server_find_peak_qps_boundary_step_size = Field(F64, 1.0)
    server_max_async_queries = Field(U64, 0)
    offline_expected_qps = Field(F64, 1.0)
    min_duration_ms = Field(U64, 10_000)
    max_duration_ms = Field(U64, 0)
    min_query_count = Field(U64, 100)
    max_query_count = Field(U64, 0)
    qsl_rng_seed = Field(U64, 0)
    sample_index_rng_seed = Field(U64, 0)
    schedule_rng_seed = Field(U64, 0)
    accuracy_log_rng_seed = Field(U64, 0)
    accuracy_log_probability = Field(F64, 0.0)
    print_timestamps = Field(BOOL, False)
    performance_issue_unique = Field(BOOL, False)
    performance_issue_same = Field(BOOL, False)
    performance_issue_same_index = Field(U64, 0)
    performance_sample_count_override = Field(U64, 0)


class TestSettings(_Settings):
    """Settings of a test, current era."""

    __slots__ = ()

    scenario = word_field(TestScenario.SingleStream)
    single_stream_expected_latency_ns = Field(F64, 1e6)
    multi_stream_expected_latency_ns = Field(F64, 8e6)
    multi_stream_target_latency_percentile = Field(F64, 0.99)
    multi_stream_samples_per_query = Field(U64, 8)
    server_num_issue_query_threads = Field(U64, 0)
    sample_concatenate_permutation = Field(BOOL, False)
    accuracy_log_sampling_target = Field(U64, 0)
    accuracy_sample_count_override = Field(U64, 0)
    test05 = Field(BOOL, False)
    test05_qsl_rng_seed = Field(U64, 0)
    test05_sample_index_rng_seed = Field(U64, 0)
    test05_schedule_rng_seed = Field(U64, 0)
    use_token_latencies = Field(BOOL, False)
    ttft_latency = Field(U64, 100_000_000)
    tpot_latency = Field(U64, 100_000_000)
    infer_token_latencies = Field(BOOL, False)
    token_latency_scaling_factor = Field(U64, 0)

    def FromConfig(self, path: str, model: str, scenario: str, conf_type: int = 1) -> int:  # noqa: N802
        """Apply a config file; give 0, or a negative error number.

        conf_type 1 is a ``user.conf``: the first one in the process applies the built-in
        ``mlperf.conf`` before it, and a further one is logged as an error. 0 is the
        built-in file alone. Any other number is the file alone.
        """
        from inferometer.mlperf_loadgen.config import from_config  # noqa: PLC0415

        return from_config(self, path, model, scenario, conf_type)


class TestSettingsV05(_Settings):
    """Settings of a test in v0.5."""

    __slots__ = ()

    scenario = word_field(TestScenarioV05.SingleStream)
    single_stream_expected_latency_ns = Field(U64, 1_000_000)
    multi_stream_target_qps = Field(F64, 10.0)
    multi_stream_target_latency_ns = Field(U64, 100_000_000)
    multi_stream_target_latency_percentile = Field(F64, 0.9)
    multi_stream_samples_per_query = Field(I32, 4)
    multi_stream_max_async_queries = Field(I32, 1)

    def FromConfig(self, path: str, model: str, scenario: str) -> int:  # noqa: N802
        """Apply a config file; give 0, or a negative error number."""
        from inferometer.mlperf_loadgen.config import from_config_v05  # noqa: PLC0415

        return from_config_v05(self, path, model, scenario)


TestSettingsV05.__name__ = TestSettingsV05.__qualname__ = "TestSettings"


def fields_of(settings: Any) -> dict[str, Any]:
    """Give every setting and its value."""
    return {
        name: getattr(settings, name)
        for owner in reversed(type(settings).__mro__)
        for name, attribute in vars(owner).items()
        if isinstance(attribute, Field)
    }


def copy_of(settings: Any) -> Any:
    """Give another object with the same settings."""
    other = type(settings)()
    for name, value in fields_of(settings).items():
        setattr(other, name, value)
    return other
