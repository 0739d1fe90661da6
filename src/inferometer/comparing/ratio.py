"""Ratio: how many times as fast one option is as another, with an interval that holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.tuning.gain import gain_of, signed_rank_p

__all__ = ["Basis", "Ratio", "paired_ratio", "single_ratio", "unpaired_ratio"]

_ROUNDING = 1 + 1e-9


class Basis(Enum):
    """What a ratio was made of, and so what it can tell."""

    PAIRED = "interleaved runs"
    UNPAIRED = "runs at different times"
    SINGLE = "one run each"
    TOO_FEW = "too few runs"


@dataclass(frozen=True)
class Ratio:
    """How many times as fast the first is as the second, more being better.

    low, high:
        The interval; ``None`` where none can be given.
    p_value:
        Two-sided, of there being no difference, of this comparison alone.
    confidence:
        Of this interval alone: where many are told together it is higher than 95 %.
    runs:
        Of the first and of the second.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float | None
    confidence: float
    basis: Basis
    runs: tuple[int, int]

    @property
    def shows_difference(self) -> bool:
        """Whether repeated runs show that one is faster: the whole interval on one side of 1.

        Runs that weren't repeated never show it, however far apart they are: how much runs
        vary from one to the next isn't known then.
        """
        if self.basis not in (Basis.PAIRED, Basis.UNPAIRED):
            return False
        assert self.low is not None
        assert self.high is not None
        return self.low > 1.0 or self.high < 1.0

    @property
    def half_width(self) -> float:
        """Half the width of the interval as a share of the ratio; infinite without one."""
        if self.low is None or self.high is None:
            return math.inf
        return (self.high - self.low) / 2 / self.value

    def turned(self) -> Ratio:
        """Give the ratio of the second to the first."""
        return Ratio(
            1 / self.value,
            None if self.high is None else 1 / self.high,
            None if self.low is None else 1 / self.low,
            self.p_value,
            self.confidence,
            self.basis,
            (self.runs[1], self.runs[0]),
        )


def paired_ratio(
    first: Sequence[float], second: Sequence[float], confidence: float
) -> Ratio | None:
    """Compare speeds that were measured in the same blocks; ``None`` for no block.

    The estimate is that of Hodges and Lehmann on the logarithms, and the interval belongs to
    Wilcoxon's signed-rank test. As the order within each block is drawn at random, the
    logarithm of a block's ratio is symmetric where there is no difference, whatever the
    machine does meanwhile: the test is exact.
    """
    pairs = list(zip(second, first, strict=True))
    if not pairs:
        return None
    counts = (len(pairs), len(pairs))
    gain = gain_of(pairs, confidence)
    if gain is None:
        middle = math.exp(float(np.median([math.log(one / other) for other, one in pairs])))
        return Ratio(middle, None, None, None, confidence, Basis.TOO_FEW, counts)
    p_value = signed_rank_p(pairs)
    return Ratio(gain.value, gain.low, gain.high, p_value, confidence, Basis.PAIRED, counts)


def unpaired_ratio(
    first: Sequence[float], second: Sequence[float], confidence: float
) -> Ratio | None:
    """Compare speeds of runs that have nothing to do with each other; ``None`` without any.

    The estimate is the median of all ratios, and the interval that of the test of Mann and
    Whitney, exact for independent runs; it knows nothing of what changed between the two
    times of measuring.
    """
    if not first or not second:
        return None
    ones, others = np.log(np.asarray(first)), np.log(np.asarray(second))
    differences = np.sort((ones[:, None] - others[None, :]).ravel())
    counts = (len(ones), len(others))
    value = math.exp(float(np.median(differences)))
    tail = _rank_sums(*counts)
    outside = int(np.searchsorted(tail, (1 - confidence) / 2 * _ROUNDING, side="right")) - 1
    if outside < 0:
        return Ratio(value, None, None, None, confidence, Basis.TOO_FEW, counts)
    low, high = (math.exp(differences[place]) for place in (outside, -1 - outside))
    below, above = int((differences < 0).sum()), int((differences > 0).sum())
    fewer = min(below, above) + int((differences == 0).sum()) // 2
    p_value = min(1.0, 2.0 * float(tail[fewer]))
    return Ratio(value, low, high, p_value, confidence, Basis.UNPAIRED, counts)


def _rank_sums(first: int, second: int) -> NDArray[np.float64]:
    """Give the probability of so many of all pairs, or fewer, having the first below.

    The number of ways is counted by which of the two the largest value belongs to.
    """
    ways = [[np.ones(1)] * (second + 1)]
    for one in range(1, first + 1):
        row = [np.ones(1)]
        for other in range(1, second + 1):
            counts = np.zeros(one * other + 1)
            counts[: len(row[other - 1])] += row[other - 1]
            counts[other:] += ways[one - 1][other]
            row.append(counts)
        ways.append(row)
    found = ways[first][second]
    tail: NDArray[np.float64] = np.cumsum(found) / found.sum()
    return tail


def single_ratio(first: float, second: float, intervals: Sequence[Interval | None]) -> Ratio:
    """Compare one run with another, with the interval that the two recordings give.

    The logarithms' half widths add up as those of independent numbers do. The interval only
    covers what varies within each run.
    """
    value = first / second
    spreads = [_log_half_width(interval) for interval in intervals]
    if None in spreads:
        return Ratio(value, None, None, None, 0.95, Basis.SINGLE, (1, 1))
    half = math.hypot(*(spread for spread in spreads if spread is not None))
    low, high = value * math.exp(-half), value * math.exp(half)
    return Ratio(value, low, high, None, 0.95, Basis.SINGLE, (1, 1))


def _log_half_width(interval: Interval | None) -> float | None:
    if interval is None or not interval.low or not interval.high:
        return None
    return math.log(interval.high / interval.low) / 2
