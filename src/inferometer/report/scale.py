"""Scales: from values to pixels, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Scale", "linear_scale", "log_scale", "span_scale"]


@dataclass(frozen=True)
class Scale:
    """Maps values from ``low`` … ``high`` to pixels from ``start`` … ``stop``."""

    low: float
    high: float
    start: float
    stop: float
    is_log: bool
    ticks: tuple[float, ...]

    def pixel(self, value: float) -> float:
        """Give the pixel of a value; values outside stick to the ends."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


def linear_scale(high: float, start: float, stop: float, wanted_ticks: int = 5) -> Scale:
    """Give a linear scale from 0 to a round number at or above ``high``."""
    high = high if high > 0 else 1.0
    step = _round_step(high / wanted_ticks)
    count = math.ceil(high / step - 1e-9)
    ticks = tuple(step * number for number in range(count + 1))
    return Scale(0.0, ticks[-1], start, stop, is_log=False, ticks=ticks)


def span_scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Give a linear scale from ``low`` to ``high`` as they are, with ticks at round numbers."""
    high = high if high > low else low + 1.0
    step = _round_step((high - low) / 5)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(low, high, start, stop, is_log=False, ticks=ticks)


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * 0.999)


def log_scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Give a logarithmic scale over the values, with ticks at 1, 2 and 5 times powers of 10."""
    low = max(low, 1e-12)
    high = max(high, low * 1.5)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1.0, 2.0, 5.0) if last - first <= 3 else (1.0,)
    candidates = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    below = [tick for tick in candidates if tick <= low]
    above = [tick for tick in candidates if tick >= high]
    low = below[-1] if below else low
    high = above[0] if above else high
    ticks = tuple(tick for tick in candidates if low <= tick <= high)
    return Scale(low, high, start, stop, is_log=True, ticks=ticks)
