"""Energy meter: reads counters before, now and then during, and after a test."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from inferometer.loadgen import Recording, SeriesProgress
from inferometer.runs.energy.counter import Counter, find_counters

__all__ = ["EnergyMeter"]

_MOST_POINTS = 256

Progress = Callable[[SeriesProgress], None]


class EnergyMeter:
    """Keeps points of time and count of each counter, so that any stretch can be cut out.

    ``clock`` gives Unix time, s, by which recordings say when they began.
    """

    def __init__(
        self,
        counters: Sequence[Counter] | None = None,
        clock: Callable[[], float] = time.time,
    ):
        self._counters = find_counters() if counters is None else list(counters)
        self._clock = clock
        self._times_s: list[float] = []
        self._counts_uj: list[list[int]] = [[] for _ in self._counters]
        self._stride, self._calls = 1, 0
        self._look()

    def following(self, progress: Progress | None) -> Progress | None:
        """Give a progress function that also reads the counters; ``None`` stays so."""
        if progress is None or not self._counters:
            return progress

        def told(how_far: SeriesProgress) -> None:
            self._calls += 1
            if self._calls % self._stride == 0:
                self._look()
            progress(how_far)

        return told

    def noted_in(self, recording: Recording) -> Recording:
        """Give the recording with the points in its notes; as it is where nothing counts."""
        self._look()
        if not self._counters:
            return recording
        note = {
            "times_s": self._times_s,
            "counters": [
                {"name": counter.name, "taken_uj": counts}
                for counter, counts in zip(self._counters, self._counts_uj, strict=True)
            ],
        }
        return dataclasses.replace(recording, notes={**recording.notes, "energy": note})

    def _look(self) -> None:
        """Take a point; a counter that can't be read any more is left out from the start."""
        read = [counter.read_uj() for counter in self._counters]
        kept = [number for number, count in enumerate(read) if count is not None]
        self._counters = [self._counters[number] for number in kept]
        self._counts_uj = [self._counts_uj[number] for number in kept]
        self._times_s.append(self._clock())
        now_uj = [count for count in read if count is not None]
        for counter, counts, count in zip(self._counters, self._counts_uj, now_uj, strict=True):
            counts.append(_unwrapped(count, counts, counter.wraps_at_uj))
        if len(self._times_s) > _MOST_POINTS:
            self._thin()

    def _thin(self) -> None:
        self._stride *= 2
        del self._times_s[1::2]
        for counts in self._counts_uj:
            del counts[1::2]


def _unwrapped(count: int, before: Sequence[int], wraps_at_uj: int) -> int:
    """Give a count that goes on where the counter began at 0 again."""
    if not before or not wraps_at_uj:
        return count
    turns = before[-1] // wraps_at_uj
    if count < before[-1] - turns * wraps_at_uj:
        turns += 1
    return count + turns * wraps_at_uj
