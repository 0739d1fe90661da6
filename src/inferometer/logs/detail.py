"""Detail log of the current dialect: ``mlperf_log_detail.txt`` with one record a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.recording import Message, Recording, SeriesRecord
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.verdict import PERCENTILES, LatencySummary, Verdict
from inferometer.loadgen.vocabulary import Mode, Scenario
from inferometer.logs.records import (
    LATE_MESSAGES,
    LoadedSets,
    Moment,
    error_count,
    moments,
    series_end_ns,
)
from inferometer.logs.requested import requested_names
from inferometer.logs.summary import scaled
from inferometer.logs.version import version_fields
from inferometer.logs.wording import (
    ERROR_INCIDENTS,
    compact,
    early_stopping_text,
    incident_text,
    late_message_text,
    power_time,
    recommendations,
    start_time_text,
    step_text,
    unsupported_peak_text,
)

__all__ = ["DetailRecord", "detail_lines", "detail_records"]

_CONTENTION_KEYS = (
    "logger_swap_request_slots_retry_count",
    "logger_swap_request_slots_retry_retry_count",
    "logger_swap_request_slots_retry_reencounter_count",
    "logger_start_reading_entries_retry_count",
    "logger_tls_total_log_cas_fail_count",
    "logger_tls_total_swap_buffers_slot_retry_count",
)
_STARTS = {
    Mode.ACCURACY: "Starting accuracy mode",
    Mode.PERFORMANCE: "Starting performance mode",
    Mode.FIND_PEAK: "Starting FindPeakPerformance mode",
}
_EFFECTIVE = (
    "samples_per_query",
    "target_qps",
    "target_latency_ns",
    "target_latency_percentile",
    "max_async_queries",
    "target_duration_ms",
    "min_duration_ms",
    "max_duration_ms",
    "min_query_count",
    "max_query_count",
    "min_sample_count",
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
    "performance_sample_count",
    "accuracy_sample_count",
    "sample_concatenate_permutation",
)


@dataclass(frozen=True)
class DetailRecord:
    """One record: key, value, ns since the log began, and its standing."""

    key: str
    value: Any
    at_ns: int = 0
    is_error: bool = False
    is_warning: bool = False


def detail_lines(recording: Recording, verdict: Verdict | None) -> Iterator[str]:
    """Give the lines of the current detail log."""
    process = int(recording.notes.get("process_id", os.getpid()))
    for record in detail_records(recording, verdict):
        time_ms = f"{record.at_ns // 1_000_000}.{record.at_ns % 1_000_000:06d}"
        yield (
            f':::MLLOG {{"key": "{record.key}", "value": {_value(record.value)}, '
            f'"time_ms": {time_ms}, "namespace": "mlperf::logging", '
            '"event_type": "POINT_IN_TIME", "metadata": '
            f'{{"is_error": {_flag(record.is_error)}, "is_warning": {_flag(record.is_warning)}, '
            f'"file": "inferometer", "line_no": 0, "pid": {process}, "tid": {process}}}}}'
        )


def detail_records(recording: Recording, verdict: Verdict | None) -> Iterator[DetailRecord]:
    """Give the records of the current detail log, in order."""
    before, after = _around_audit(recording)
    for message in before:
        yield from _said(message)
    for name, value in version_fields().items():
        yield DetailRecord(f"loadgen_{name}", value)
    yield DetailRecord("loadgen_file_sha1", {})
    yield from _names(recording)
    for message in after:
        yield from _said(message)
    yield from _requested(recording.settings, recording.notes.get("requested", {}))
    yield from _effective(recording.effective)
    yield from _course(recording)
    if verdict is not None:
        yield from _Results(recording, verdict).records()


def _around_audit(recording: Recording) -> tuple[list[Message], list[Message]]:
    """Part what was said before the test began from what was said once it had."""
    kinds = [message.kind for message in recording.messages]
    begun = kinds.index("audit") if "audit" in kinds else len(kinds)
    early = [m for m in recording.messages[:begun] if m.kind == "invalid_config"]
    return early, [m for m in recording.messages if m not in early]


def _said(message: Message) -> Iterator[DetailRecord]:
    if message.kind in ("audit", "test05"):
        yield DetailRecord("warning_generic_message", message.text, is_warning=True)
    elif message.kind in ("invalid_config", "invalid_settings"):
        key = message.kind.replace("settings", "test_settings")
        yield DetailRecord(f"error_{key}", message.text, is_error=True)


def _names(recording: Recording) -> Iterator[DetailRecord]:
    yield DetailRecord("test_datetime", start_time_text(recording.wall_start_s))
    yield DetailRecord("sut_name", recording.sut_name)
    duration_ns = int(recording.notes.get("sut_name_duration_ns", 0))
    yield DetailRecord("get_sut_name_duration_ns", duration_ns)
    yield DetailRecord("qsl_name", recording.library_name)
    yield DetailRecord("qsl_reported_total_count", recording.total_sample_count)
    yield DetailRecord("qsl_reported_performance_count", recording.performance_sample_count)


def _requested(settings: Settings, given: Mapping[str, Any]) -> Iterator[DetailRecord]:
    """Tell what was asked for; ``given`` holds values that were replaced by possible ones."""
    yield DetailRecord("requested_scenario", settings.scenario.value)
    yield DetailRecord("requested_test_mode", settings.mode.value)
    for name in requested_names(settings):
        yield DetailRecord(f"requested_{name}", given.get(name, getattr(settings, name)))
    if settings.use_token_latencies:
        yield DetailRecord("requested_use_token_latencies", True)
        if settings.scenario is not Scenario.OFFLINE:
            yield DetailRecord("requested_server_ttft_latency", settings.ttft_latency_ns)
            yield DetailRecord("requested_server_tpot_latency", settings.tpot_latency_ns)


def _effective(effective: EffectiveSettings) -> Iterator[DetailRecord]:
    yield DetailRecord("effective_scenario", effective.scenario.value)
    yield DetailRecord("effective_test_mode", effective.mode.value)
    for name in _EFFECTIVE:
        yield DetailRecord(f"effective_{name}", getattr(effective, name))


def _course(recording: Recording) -> Iterator[DetailRecord]:
    """Tell what happened, step by step."""
    sets = LoadedSets(recording)
    said: Mode | None = None
    if recording.settings.mode is Mode.FIND_PEAK:
        said = Mode.FIND_PEAK
        yield DetailRecord("generic_message", _STARTS[said])
    for moment in moments(recording):
        if moment.step.kind == "load":
            mode = Mode.ACCURACY if moment.step.values[2] else Mode.PERFORMANCE
            if said not in (Mode.FIND_PEAK, mode):
                said = mode
                yield DetailRecord("generic_message", _STARTS[mode], moment.at_ns)
            indices = sets.of(moment.step).indices.tolist()
            yield DetailRecord("loaded_qsl_set", indices, moment.at_ns)
        elif moment.step.kind == "series":
            yield from _series(moment)
        elif moment.step.kind != "unload":
            yield _peak_step(moment, recording.settings.scenario)
    for message in recording.messages:
        if message.kind in LATE_MESSAGES:
            yield DetailRecord("error_runtime", late_message_text(message), is_error=True)


def _peak_step(moment: Moment, scenario: Scenario) -> DetailRecord:
    """Tell a step of find-peak."""
    step, at_ns = moment.step, moment.at_ns
    if step.kind == "unsupported":
        text = unsupported_peak_text(is_v05=False)
        return DetailRecord("error_invalid_config", text, at_ns, is_error=True)
    if step.kind in ("base_failed", "unbounded"):
        return DetailRecord("error_runtime", step_text(step, scenario), at_ns, is_error=True)
    return DetailRecord("generic_message", step_text(step, scenario), at_ns)


def _series(moment: Moment) -> Iterator[DetailRecord]:
    series = moment.series
    assert series is not None
    start_ns, end_ns = moment.at_ns, moment.at_ns + series_end_ns(series)
    yield DetailRecord("generated_query_count", series.generated_query_count, start_ns)
    yield DetailRecord("generated_samples_per_query", series.samples_per_query, start_ns)
    yield DetailRecord("generated_query_duration", series.generated_duration_ns, start_ns)
    for incident in series.incidents:
        is_error = incident.kind in ERROR_INCIDENTS
        for text in incident_text(incident, is_v05=False):
            key = "error_runtime" if is_error else "generic_message"
            yield DetailRecord(key, text, start_ns + incident.at_ns, is_error)
    for key in _CONTENTION_KEYS:
        yield DetailRecord(key, 0, end_ns)
    yield from _power(series, end_ns)


def _power(series: SeriesRecord, end_ns: int) -> Iterator[DetailRecord]:
    stop_s = series.wall_start_s + series_end_ns(series) / 1e9
    yield DetailRecord("power_begin", power_time(series.wall_start_s, is_v05=False), end_ns)
    yield DetailRecord("power_end", power_time(stop_s, is_v05=False), end_ns)


class _Results:
    """The result records of a performance series."""

    def __init__(self, recording: Recording, verdict: Verdict):
        self.recording = recording
        self.verdict = verdict
        self.scenario = verdict.scenario
        self.effective = recording.effective
        last = [moment for moment in moments(recording) if moment.series is not None][-1]
        assert last.series is not None
        self.at_ns = last.at_ns + series_end_ns(last.series)

    def records(self) -> Iterator[DetailRecord]:
        for key, value in self._values():
            yield DetailRecord(key, value, self.at_ns)

    def _values(self) -> Iterator[tuple[str, Any]]:
        verdict = self.verdict
        yield "result_validity", "VALID" if verdict.is_valid_as_published else "INVALID"
        if verdict.perf_constraints_met is not None:
            yield "result_perf_constraints_met", verdict.perf_constraints_met
        yield "result_min_duration_met", verdict.min_duration_met
        yield "result_min_queries_met", verdict.min_queries_met
        yield "early_stopping_met", bool(verdict.early_stopping_met)
        if not verdict.is_valid_as_published:
            yield "result_invalid_reason", self._invalid_reason()
        if self.effective.use_token_latencies:
            first = early_stopping_text(verdict.first_token_stopping)
            yield "early_stopping_ttft_result", _one_line(first)
            yield "early_stopping_tpot_result", _one_line(early_stopping_text(verdict.stopping))
        else:
            yield "early_stopping_result", _one_line(early_stopping_text(verdict.stopping))
        yield "result_query_count", verdict.query_count
        if verdict.over_latency_count is not None:
            yield "result_overlatency_query_count", verdict.over_latency_count
        yield from self._rates()
        yield from _latencies(
            "result_{}_latency_ns", "result_{}_percentile_latency_ns", verdict.sample_latency
        )
        yield from self._tokens()
        yield "num_errors", error_count(self.recording)

    def _invalid_reason(self) -> str:
        """Join the advice, each part but the last one about queries with a blank behind."""
        parts = recommendations(self.verdict, is_v05=False)
        if parts and not self.verdict.min_queries_met:
            first_line = parts[-1].split("\n", 1)[0]
            return "".join(f"{_one_line(part)} " for part in parts[:-1]) + first_line
        return "".join(f"{_one_line(part)} " for part in parts)

    def _rates(self) -> Iterator[tuple[str, Any]]:
        rates, verdict = self.verdict.rates, self.verdict
        match self.scenario:
            case Scenario.SINGLE_STREAM:
                yield "result_qps_with_loadgen_overhead", rates.qps_with_overhead
                yield "result_qps_without_loadgen_overhead", rates.qps_without_overhead
                yield "early_stopping_latency_ss", self._estimate(at_p99=False)
                yield "early_stopping_latency_ms", self._estimate(at_p99=True)
            case Scenario.MULTI_STREAM:
                yield from _latencies(
                    "result_{}_query_latency_ns",
                    "result_{}_percentile_per_query_latency_ns",
                    verdict.query_latency,
                )
                yield "early_stopping_latency_ms", self._estimate(at_p99=False)
            case Scenario.SERVER:
                yield "result_scheduled_samples_per_sec", rates.scheduled_samples_per_s
                yield "result_completed_samples_per_sec", rates.completed_samples_per_s
            case _:
                yield "result_samples_per_second", rates.samples_per_s

    def _estimate(self, *, at_p99: bool) -> int:
        uses_tokens = self.effective.use_token_latencies
        stopping = self.verdict.first_token_stopping if uses_tokens else self.verdict.stopping
        if stopping is None:
            return 0
        check = stopping.at_p99 if at_p99 else stopping.check
        return getattr(check, "value", None) or 0

    def _tokens(self) -> Iterator[tuple[str, Any]]:
        tokens, rates = self.verdict.tokens, self.verdict.rates
        if tokens is not None and self.scenario is Scenario.OFFLINE:
            yield "result_tokens_per_second", tokens.tokens_per_s
        elif tokens is not None:
            yield from _latencies(
                "result_first_token_{}_latency_ns",
                "result_first_token_{}_percentile_latency_ns",
                tokens.first_token,
            )
            yield "result_token_throughput_with_loadgen_overhead", tokens.with_overhead_per_s
            yield "result_token_throughput", tokens.without_overhead_per_s
            per_token = dict(
                _latencies(
                    "result_time_to_output_token_{}",
                    "result_time_per_output_token_{}_percentile_ns",
                    tokens.per_token,
                )
            )
            # The published order has the percentiles first here.
            extremes = [key for key in per_token if "time_to_output" in key]
            for key in [*(key for key in per_token if key not in extremes), *extremes]:
                yield key, per_token[key]
            yield "result_completed_tokens_per_second", tokens.completed_per_s
        factor = self.effective.token_latency_scaling_factor
        if self.effective.infer_token_latencies and self.scenario is Scenario.SERVER:
            rate = scaled(rates.completed_samples_per_s, factor)
            yield "result_inferred_completed_tokens_per_second", rate
        if self.effective.infer_token_latencies and self.scenario is Scenario.OFFLINE:
            yield "result_inferred_tokens_per_second", scaled(rates.samples_per_s, factor)


def _latencies(
    extreme_key: str, percentile_key: str, summary: LatencySummary | None
) -> Iterator[tuple[str, Any]]:
    values = (summary.min_ns, summary.max_ns, summary.mean_ns) if summary else (0, 0, 0)
    for name, value in zip(("min", "max", "mean"), values, strict=True):
        yield extreme_key.format(name), value
    for fraction in PERCENTILES:
        reached = summary.percentiles_ns[fraction] if summary else 0
        yield percentile_key.format(f"{fraction * 100:.2f}"), reached


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _value(value: Any) -> str:
    """Write a value as the published log does, except that strings are escaped.

    A rate that cannot be computed is NaN, in the spelling that JSON readers accept.
    """
    if isinstance(value, bool):
        return _flag(value)
    if value is None:
        return "NaN"
    if isinstance(value, float):
        return compact(value)
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)
