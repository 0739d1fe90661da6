"""Moments of a test and the counts of its errors, as both dialects of the logs tell them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from inferometer.loadgen.plan import LoadableSet, loadable_sets
from inferometer.loadgen.recording import Recording, SeriesRecord, Step
from inferometer.loadgen.vocabulary import Mode
from inferometer.logs.wording import ERROR_INCIDENTS

__all__ = [
    "ERROR_MESSAGES",
    "ERROR_STEPS",
    "LATE_MESSAGES",
    "LoadedSets",
    "Moment",
    "error_count",
    "moments",
    "series_end_ns",
    "warning_count",
]


ERROR_MESSAGES = ("invalid_config", "invalid_settings", "library_failed", "interrupted")
"""The messages outside the series that count as errors."""

ERROR_STEPS = ("unsupported", "base_failed", "unbounded")
"""The steps of find-peak that count as errors."""

LATE_MESSAGES = ("library_failed", "interrupted")
"""Those of them that come at the end of a test."""


@dataclass(frozen=True)
class Moment:
    """A step of the test, ns after its start; ``series`` belongs to a step of that kind."""

    at_ns: int
    step: Step
    series: SeriesRecord | None = None


def moments(recording: Recording) -> Iterator[Moment]:
    """Give the steps of a test with their times; that of a series is its start."""
    at_ns = 0
    for step in recording.chronicle:
        series = None
        if step.kind == "series":
            series = recording.series[int(step.values[0])]
            at_ns = max(at_ns, int((series.wall_start_s - recording.wall_start_s) * 1e9))
        yield Moment(at_ns, step, series)
        if series is not None:
            at_ns += series_end_ns(series)


def series_end_ns(series: SeriesRecord) -> int:
    """Give when the last sample of a series was answered, ns after its start."""
    return max(0, int(series.completed_ns.max(initial=0)))


class LoadedSets:
    """Makes the sets that ``load`` steps brought into memory anew from the seeds."""

    def __init__(self, recording: Recording):
        self._recording = recording
        self._sets: dict[tuple[Mode, int], list[LoadableSet]] = {}

    def of(self, step: Step) -> LoadableSet:
        """Give the set of a ``load`` or ``unload`` step."""
        number, per_query, is_accuracy = (int(value) for value in step.values)
        mode = Mode.ACCURACY if is_accuracy else Mode.PERFORMANCE
        if (mode, per_query) not in self._sets:
            self._sets[mode, per_query] = self._make(mode, per_query)
        return self._sets[mode, per_query][number]

    def _make(self, mode: Mode, per_query: int) -> list[LoadableSet]:
        effective = self._recording.effective
        if effective.scenario.is_multi_stream:
            effective = dataclasses.replace(effective, samples_per_query=per_query)
        return loadable_sets(
            effective,
            mode,
            self._recording.total_sample_count,
            era=self._recording.settings.era,
            flavour=self._recording.settings.integer_flavour,
        )


def error_count(recording: Recording) -> int:
    """Count the errors of a test, as the last line of the summary does."""
    in_series = sum(
        count
        for series in recording.series
        for kind, count in series.incident_counts.items()
        if kind in ERROR_INCIDENTS
    )
    steps = sum(step.kind in ERROR_STEPS for step in recording.chronicle)
    said = sum(message.kind in ERROR_MESSAGES for message in recording.messages)
    return in_series + steps + said


def warning_count(recording: Recording) -> int:
    """Count the warnings of a test; v0.5 mentions an audit file without warning."""
    if recording.settings.era.is_v05:
        return 0
    return sum(message.kind in ("audit", "test05") for message in recording.messages)
