"""Time bins: events counted in equal stretches of time, with edges at whole ns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeBins"]

_MOST = 4096
_FEWEST = 64
_EVENTS_EACH = 4

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class TimeBins:
    """Stretches of ``width_ns`` from the start of a series on, ``count`` of them.

    A stretch holds its first ns and not the first of the next.
    """

    width_ns: int
    count: int

    @classmethod
    def over(cls, last_ns: int, events: int) -> TimeBins:
        """Cut the time up to and with ``last_ns``, fine enough for so many events."""
        wanted = min(_MOST, max(_FEWEST, events // _EVENTS_EACH))
        width_ns = last_ns // wanted + 1
        return cls(width_ns, last_ns // width_ns + 1)

    @property
    def starts_ns(self) -> Integers:
        """int64 [count]: when each begins."""
        return np.arange(self.count, dtype=np.int64) * self.width_ns

    def counts(self, times_ns: Integers) -> Integers:
        """Count int64 [n] times, none below 0, in each bin; later ones are left out."""
        found = np.bincount(times_ns // self.width_ns, minlength=self.count)
        return found[: self.count].astype(np.int64)

    def groups(self, most: int) -> Integers:
        """Give the first bin of each stretch when neighbours are put together, and the end.

        Int64 [stretches + 1], at most ``most`` stretches.
        """
        together = -(-self.count // most)
        return np.append(np.arange(0, self.count, together, dtype=np.int64), self.count)
