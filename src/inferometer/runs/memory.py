"""Memory: what the process holds of its own during a test, and whether it only ever grows."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import gc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psutil

from inferometer.loadgen import Recording, SeriesProgress, SeriesRecord

__all__ = ["MemoryWatch", "own_bytes", "steady_growth"]

_MIB = 2**20
_LEAST_GROWTH_BYTES = 64 * _MIB
_LEAST_SHARE = 0.10
_LEAST_OF_A_PART = 0.15
_FEWEST_POINTS = 3
_MOST_POINTS = 128

Progress = Callable[[SeriesProgress], None]


class MemoryWatch:
    """Looks at memory before, now and then during, and after a test.

    Counted is what is resident and not shared, of this process and the children that it has
    at the start: mapped files and shared memory, such as the journal, stay out.
    """

    def __init__(self) -> None:
        this = psutil.Process()
        self._processes = [this, *this.children(recursive=True)]
        self._before_bytes = self._held_bytes()
        self._during_bytes: list[int] = []
        self._stride, self._calls = 1, 0

    def _held_bytes(self) -> int:
        return sum(map(own_bytes, self._processes))

    def following(self, progress: Progress | None) -> Progress | None:
        """Give a progress function that also looks at memory; ``None`` stays so."""
        if progress is None:
            return None

        def told(how_far: SeriesProgress) -> None:
            self._look()
            progress(how_far)

        return told

    def _look(self) -> None:
        """Take a point; of a long test, ever fewer."""
        self._calls += 1
        if self._calls % self._stride == 0:
            self._during_bytes.append(self._held_bytes())
        if len(self._during_bytes) > _MOST_POINTS:
            self._stride *= 2
            del self._during_bytes[1::2]

    def noted_in(self, recording: Recording) -> Recording:
        """Give the recording of the test with what was seen in its notes."""
        after_bytes = self._held_bytes()
        if _grows_steadily(self._during_bytes):
            # What the test merely put off giving back isn't lost: the collector rests while
            # it runs, and the allocator keeps what is free.
            gc.collect()
            _trim()
            after_bytes = min(after_bytes, self._held_bytes())
        note = {
            "before_bytes": self._before_bytes,
            "after_bytes": after_bytes,
            "during_bytes": self._during_bytes,
        }
        return dataclasses.replace(recording, notes={**recording.notes, "memory": note})


def own_bytes(process: psutil.Process) -> int:
    """Give the bytes that a process has resident and shares with nobody; 0 if it is gone."""
    try:
        held = process.memory_info()
    except psutil.Error:
        return 0
    return int(held.rss - getattr(held, "shared", 0))


def _trim() -> None:
    """Have the C library give free memory back, where it can be asked to."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def steady_growth(recording: Recording) -> str:
    """Say how memory grew from call to call, by its notes; empty if it didn't.

    It did if a test gained more than 64 MiB and a tenth that it didn't give back, less what
    its own recording takes, and gained in the second and the last third of it as well:
    caches and work spaces that fill once aren't leaks.
    """
    note: dict[str, Any] = recording.notes.get("memory", {})
    during: Sequence[int] = note.get("during_bytes", ())
    if not _grows_steadily(during):
        return ""
    gained = min(during[-1] - during[0], note["after_bytes"] - note["before_bytes"])
    gained -= sum(map(_array_bytes, recording.series))
    if gained < max(_LEAST_GROWTH_BYTES, _LEAST_SHARE * during[0]):
        return ""
    samples = sum(series.sample_count for series in recording.series)
    first, last = (round(value / _MIB) for value in (during[0], during[-1]))
    return (
        f"from {first:,} to {last:,} MiB in the course of {samples:,} samples, about "
        f"{gained / max(1, samples) / 1024:,.1f} KiB each"
    )


def _grows_steadily(during: Sequence[int]) -> bool:
    if len(during) < _FEWEST_POINTS:
        return False
    last = len(during) - 1
    total = during[last] - during[0]
    if total < max(_LEAST_GROWTH_BYTES, _LEAST_SHARE * during[0]):
        return False
    parts = min(3, last)
    steps = np.diff([during[round(last * part / parts)] for part in range(parts + 1)])
    return all(step >= _LEAST_OF_A_PART * total for step in steps[-2:])


def _array_bytes(series: SeriesRecord) -> int:
    values = (getattr(series, field.name) for field in dataclasses.fields(series))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))
