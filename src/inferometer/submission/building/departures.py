"""Departures: settings of a recorded test that aren't those of its round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from inferometer.loadgen import Settings
from inferometer.rounds import MORE_IS_ALLOWED, Round, free_settings
from inferometer.submission.building.candidate import Candidate, RecordedTest

__all__ = ["Departure", "departures"]


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
    return found


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
