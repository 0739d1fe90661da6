"""Pyramid: a long run over time at several resolutions, of which each number was recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.report.page.packing import packed

__all__ = ["Level", "level_of", "pyramid"]

_TOP_WINDOWS = 140
_FEWEST_IN_WINDOW = 4
_FINER = 4
_HIGH = 0.99

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """One resolution: statistics of windows of equally many values, in order of time.

    per:
        Values in a window; the last window may hold fewer.
    first_ns, least, median, high, most:
        int64 [windows]: when the first value of the window was due, and of its values the
        least, the median, the 99th percentile and the largest. Each is one of the values.
    """

    per: int
    first_ns: Integers
    least: Integers
    median: Integers
    high: Integers
    most: Integers

    def to_page(self) -> dict[str, object]:
        """Give what the page's script draws."""
        arrays = {
            "first": self.first_ns,
            "least": self.least,
            "median": self.median,
            "high": self.high,
            "most": self.most,
        }
        return {"per": self.per, **{name: packed(values) for name, values in arrays.items()}}


def level_of(at_ns: Integers, values: Integers, per: int) -> Level:
    """Summarise windows of ``per`` values; both arrays are int64 [n], in order of time."""
    full = len(values) // per
    blocks = [np.sort(values[: full * per].reshape(full, per), axis=1)]
    if full * per < len(values):
        blocks.append(np.sort(values[full * per :])[None, :])
    blocks = [block for block in blocks if block.size]
    columns = (_entry(blocks, share) for share in (0.0, 0.5, _HIGH, 1.0))
    return Level(per, at_ns[::per], *columns)


def _entry(blocks: list[Integers], share: float) -> Integers:
    """Give the published percentile, the entry at ``trunc(count * share)``, of sorted rows."""
    taken = [block[:, min(int(block.shape[1] * share), block.shape[1] - 1)] for block in blocks]
    return np.concatenate(taken)


def pyramid(at_ns: Integers, values: Integers, most_windows: int) -> list[Level]:
    """Summarise int64 [n], in order of time, at ever finer resolutions, the coarsest first.

    Each has windows a quarter as long as the one before; the finest has at most
    ``most_windows`` of them.
    """
    per = max(1, -(-len(values) // _TOP_WINDOWS))
    levels = [level_of(at_ns, values, per)]
    while per // _FINER >= _FEWEST_IN_WINDOW and len(values) // (per // _FINER) <= most_windows:
        per //= _FINER
        levels.append(level_of(at_ns, values, per))
    return levels
