"""Observation: one test of the system under audit, with every answer that it gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Mode, Recording, RunOutcome, Scenario, SeriesRecord
from inferometer.logs.accuracy import SampleLookup

__all__ = ["Answer", "Observation"]


@dataclass(frozen=True)
class Answer:
    """An answer: the sample's id in the test, its index in the library, and the bytes."""

    sample_id: int
    index: int
    data: bytes


@dataclass(frozen=True)
class Observation:
    """What a test of the system showed.

    answers:
        The answers that were kept, in the order of completion.
    error:
        What ended the test, if something did.
    processor_after_ns, watched_ns:
        Processor time that the system used once the test was over, and for how long it was
        watched.
    other_load:
        Share of all processor time that others used meanwhile; 0 on a virtual clock.
    stands_for:
        Where samples were exchanged: the sample whose content stood at each index.
    """

    recording: Recording
    answers: tuple[Answer, ...]
    error: BaseException | None = None
    processor_after_ns: int = 0
    watched_ns: int = 0
    other_load: float = 0.0
    stands_for: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: RunOutcome) -> Observation:
        """Take in what a test left."""
        lookup = SampleLookup(outcome.recording)
        answers = tuple(
            Answer(one.sample_id, lookup.index_of(one.sample_id), one.data)
            for one in outcome.responses
        )
        return cls(outcome.recording, answers, outcome.error)

    @property
    def scenario(self) -> Scenario:
        """The scenario of the test."""
        return self.recording.settings.scenario

    @property
    def series(self) -> tuple[SeriesRecord, ...]:
        """The series that were timed: those of accuracy mode, or the one of performance mode."""
        if self.recording.settings.mode is Mode.ACCURACY:
            return self.recording.accuracy
        only = self.recording.performance
        return () if only is None else (only,)

    @property
    def query_latencies_ns(self) -> NDArray[np.int64]:
        """int64: latency of every query that was answered whole, in issue order."""
        parts = [one.query_latency_ns for one in self.series]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def first_answers(self) -> dict[int, bytes]:
        """Give the first answer to each sample, by library index."""
        found: dict[int, bytes] = {}
        for answer in self.answers:
            found.setdefault(answer.index, answer.data)
        return found
