"""Simulated machines: known goodness, noise, and time that only passes in trials."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from inferometer.tuning import Axis

Setup = tuple[int, ...]


class Machine:
    """Measures setups on a clock of its own.

    ``drift`` gives the speed of the machine at a time; ``noise`` is the standard deviation of
    the logarithm of a reading.
    """

    def __init__(
        self,
        goodness: Callable[[Setup], float | None],
        noise: float = 0.0,
        drift: Callable[[float], float] = lambda _: 1.0,
        seed: int = 1,
        overhead_s: float = 0.0,
    ):
        self.now_s = 100.0
        self.longest_trial_s = 0.0
        self.measured: list[tuple[Setup, int]] = []
        self._goodness, self._noise, self._drift = goodness, noise, drift
        self._overhead_s = overhead_s
        self._random = random.Random(seed)

    def clock(self) -> float:
        return self.now_s

    def measure(self, setup: Setup, seconds: float, lap: int) -> float | None:
        begun = self.now_s
        self.now_s += seconds + self._overhead_s
        self.longest_trial_s = max(self.longest_trial_s, self.now_s - begun)
        self.measured.append((setup, lap))
        value = self._goodness(setup)
        if value is None:
            return None
        noise = math.exp(self._random.gauss(0.0, self._noise))
        return value * self._drift(begun) * noise


def grid_axes(*sizes: int) -> list[Axis[Setup]]:
    """Axes of a grid: along each, all other values of one coordinate."""

    def along(place: int, size: int) -> Axis[Setup]:
        def alternatives(now: Setup) -> list[Setup]:
            return [
                (*now[:place], value, *now[place + 1 :])
                for value in range(size)
                if value != now[place]
            ]

        return Axis(f"axis {place}", alternatives)

    return [along(place, size) for place, size in enumerate(sizes)]
