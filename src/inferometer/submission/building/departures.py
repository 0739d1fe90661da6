"""Departures: settings of a recorded test that aren't those of its round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from inferometer.loadgen import EffectiveSettings, Scenario, Settings
from inferometer.rounds import MORE_IS_ALLOWED, Round, free_settings
from inferometer.submission.building.candidate import Candidate, RecordedTest

__all__ = ["Departure", "departures"]

_NS_PER_MS = 1_000_000
_ONLY_SHORTER = {"max_duration_ms", "max_query_count", "min_query_count"}


@dataclass(frozen=True)
class Departure:
    """A setting with what the round wants and what the test had.

    only_shortens:
        Whether it did nothing but shorten the run, which a demonstration may do.
    """

    name: str
    wanted: object
    found: object
    only_shortens: bool

    def __str__(self) -> str:
        return f"{self.name} {self.found}, not {self.wanted}"


def departures(
    test: RecordedTest, candidate: Candidate, book: Round, *, is_closed: bool
) -> list[Departure]:
    """Give the settings of a performance test that the round doesn't allow."""
    wanted = book.settings(candidate.scenario, candidate.settings_name)
    recording = test.result.recording
    found = list(_of_settings(wanted, recording.settings, book, is_closed=is_closed))
    least = 0 if candidate.benchmark is None else candidate.benchmark.performance_sample_count
    held = recording.effective.performance_sample_count
    if held < least:
        found.append(Departure("performance_sample_count", f"{least} or more", held, False))
    return found + list(_of_benchmark(recording.effective, candidate, book, is_closed=is_closed))


def _of_benchmark(
    effective: EffectiveSettings, candidate: Candidate, book: Round, *, is_closed: bool
) -> Iterator[Departure]:
    """Hold the settings against the benchmark that a model of one's own is submitted as."""
    benchmark, scenario = candidate.benchmark, candidate.scenario
    if benchmark is None:
        return
    least = benchmark.least_samples.get(scenario, 0)
    held = effective.samples_per_query
    if is_closed and scenario is Scenario.OFFLINE and held < least:
        yield Departure("samples_per_query", f"{least} or more", held, False)
    bound_ms = benchmark.server_latency_ms
    # The v6.1 checker holds the open division to this bound too.
    is_bound = scenario is Scenario.SERVER and (is_closed or not book.era.is_v05)
    if is_bound and bound_ms is not None and effective.target_latency_ns > bound_ms * _NS_PER_MS:
        held_ms = effective.target_latency_ns / _NS_PER_MS
        yield Departure("target_latency", f"{bound_ms:g} ms or less", f"{held_ms:g} ms", False)


def _of_settings(
    wanted: Settings, found: Settings, book: Round, *, is_closed: bool
) -> Iterator[Departure]:
    free = free_settings(book.era, is_closed=is_closed)
    shortening = _ONLY_SHORTER | ({"min_duration_ms"} if book.era.is_v05 else set())
    for field in fields(Settings):
        asked, had = getattr(wanted, field.name), getattr(found, field.name)
        if asked == had or field.name in free:
            continue
        if field.name in MORE_IS_ALLOWED and had > asked:
            continue
        yield Departure(field.name, asked, had, field.name in shortening)
