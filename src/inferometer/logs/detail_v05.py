"""Detail log of the v0.5 dialect: ``mlperf_log_detail.txt`` as free text."""

from __future__ import annotations

import os
from collections.abc import Iterator

from inferometer.loadgen.effective import EffectiveSettings
from inferometer.loadgen.recording import Recording
from inferometer.loadgen.settings import Settings
from inferometer.loadgen.vocabulary import Mode
from inferometer.logs.records import LATE_MESSAGES, LoadedSets, Moment, moments, series_end_ns
from inferometer.logs.requested import requested_names
from inferometer.logs.summary import parameter_lines
from inferometer.logs.version import version_fields
from inferometer.logs.wording import (
    ERROR_INCIDENTS,
    compact,
    incident_text,
    late_message_text,
    mode_name,
    power_time,
    scenario_name,
    start_time_text,
    step_text,
    unsupported_peak_text,
)

__all__ = ["detail_v05_lines"]

_COUNTERS = (
    "swap_request_slots_retry_count",
    "swap_request_slots_retry_retry_count",
    "swap_request_slots_retry_reencounter_count",
    "start_reading_entries_retry_count",
    "tls_total_log_cas_fail_count",
    "tls_total_swap_buffers_slot_retry_count",
)
_STARTS = {
    Mode.ACCURACY: "Starting accuracy mode:",
    Mode.PERFORMANCE: "Starting performance mode:",
    Mode.FIND_PEAK: "Starting FindPeakPerformance mode:",
}


def detail_v05_lines(recording: Recording) -> Iterator[str]:
    """Give the lines of the v0.5 detail log; it has no results."""
    process = int(recording.notes.get("process_id", os.getpid()))
    for at_ns, text in _texts(recording):
        yield f'"pid": {process}, "tid": {process}, "ts": {at_ns}ns : {text}'


def _texts(recording: Recording) -> Iterator[tuple[int, str]]:
    for text in (*_preamble(recording), *_settings(recording)):
        yield 0, text
    yield from _course(recording)


def _preamble(recording: Recording) -> Iterator[str]:
    for message in recording.messages:
        if message.kind == "invalid_config":
            yield f"ERROR : {message.text}"
    fields = version_fields()
    yield "LoadgenVersionInfo:"
    yield f"version : {fields['version']}"
    yield f"build_date_local : {fields['build_date_local']}"
    yield f"build_date_utc   : {fields['build_date_utc']}"
    yield f"git_commit_date  : {fields['git_commit_date']}"
    # These three records span several lines.
    yield f"git_log :\n\n{fields['git_log_message']}\n"
    yield f"git_status :\n\n{fields['git_status_message']}\n"
    yield "SHA1 of files :\n\nNA\n"
    yield f"Date + time of test: {start_time_text(recording.wall_start_s)}"
    yield f"System Under Test (SUT) name: {recording.sut_name}"
    yield f"Query Sample Library (QSL) name: {recording.library_name}"
    yield f"QSL total size: {recording.total_sample_count}"
    yield f"QSL performance size*: {recording.performance_sample_count}"
    yield "*TestSettings (performance_sample_count_override) can override"
    yield "*Refer to Effective Settings for actual value"
    for message in recording.messages:
        if message.kind == "audit":
            yield message.text
        elif message.kind == "invalid_settings":
            yield f"ERROR : {message.text}"


def _settings(recording: Recording) -> Iterator[str]:
    settings, effective = recording.settings, recording.effective
    for title in ("Effective Settings:", "Requested Settings:"):
        yield ""
        yield title
        yield f"Scenario : {scenario_name(settings.scenario, is_v05=True)}"
        yield f"Test mode : {mode_name(settings.mode, is_v05=True)}"
        if title.startswith("Effective"):
            yield from _effective(effective)
        else:
            yield from _requested(settings)
    yield ""


def _effective(effective: EffectiveSettings) -> Iterator[str]:
    """Give the summary's parameters with the three more that only this log has."""
    for line in parameter_lines(effective, is_v05=True):
        if line.startswith("max_async_queries"):
            yield f"target_latency_percentile : {compact(effective.target_latency_percentile)}"
        if line.startswith("min_duration"):
            yield f"target_duration (ms): {effective.target_duration_ms}"
        if line.startswith("qsl_rng_seed"):
            yield f"min_sample_count : {effective.min_sample_count}"
        yield line


def _requested(settings: Settings) -> Iterator[str]:
    for name in requested_names(settings):
        value = getattr(settings, name)
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, float):
            # The one latency that v0.5 holds as a whole number.
            is_whole = name == "single_stream_expected_latency_ns"
            value = int(value) if is_whole else compact(value)
        yield f"{name} : {value}"


def _course(recording: Recording) -> Iterator[tuple[int, str]]:
    sets = LoadedSets(recording)
    said: Mode | None = None
    if recording.settings.mode is Mode.FIND_PEAK:
        said = Mode.FIND_PEAK
        yield 0, _STARTS[said]
    for moment in moments(recording):
        step, at_ns = moment.step, moment.at_ns
        if step.kind == "load":
            mode = Mode.ACCURACY if step.values[2] else Mode.PERFORMANCE
            if said not in (Mode.FIND_PEAK, mode):
                said = mode
                yield at_ns, _STARTS[mode]
            listed = ",".join(map(str, sets.of(step).indices.tolist()))
            yield at_ns, f'Loading QSL : "set" : "[{listed}]"'
        elif step.kind == "series":
            yield from _series(moment)
        elif step.kind == "unsupported":
            yield at_ns, f"ERROR : {unsupported_peak_text(is_v05=True)}"
        elif step.kind != "unload":
            mark = "ERROR : " if step.kind in ("base_failed", "unbounded") else ""
            yield at_ns, mark + step_text(step, recording.settings.scenario)
    for message in recording.messages:
        if message.kind in LATE_MESSAGES:
            yield 0, f"ERROR : {late_message_text(message)}"


def _series(moment: Moment) -> Iterator[tuple[int, str]]:
    series = moment.series
    assert series is not None
    end_ns = moment.at_ns + series_end_ns(series)
    generated = (
        f'GeneratedQueries: "queries" : {series.generated_query_count}, '
        f'"samples per query" : {series.samples_per_query}, '
        f'"duration" : {series.generated_duration_ns}'
    )
    yield moment.at_ns, generated
    for incident in series.incidents:
        texts = incident_text(incident, is_v05=True)
        mark = "ERROR : " if incident.kind in ERROR_INCIDENTS else ""
        for number, text in enumerate(texts):
            yield moment.at_ns + incident.at_ns, (mark if number == 0 else "") + text
    yield end_ns, "Log Contention Counters:"
    for name in _COUNTERS:
        yield end_ns, f"0 : {name}"
    mode = mode_name(series.mode, is_v05=True)
    stop_s = series.wall_start_s + series_end_ns(series) / 1e9
    for name, wall_s in (("POWER_BEGIN", series.wall_start_s), ("POWER_END", stop_s)):
        yield end_ns, f'{name}: "mode" : {mode}, "time" : {power_time(wall_s, is_v05=True)}'
