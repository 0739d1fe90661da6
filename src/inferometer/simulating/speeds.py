"""Speeds: drift, that is what calls of a replica at about the same time have in common."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inferometer.simulating.distribution import Reals
from inferometer.simulating.service import Drift

__all__ = ["LaneSpeeds", "Speed"]

Integers = NDArray[np.int64]


class Speed:
    """The drift of a replica: a factor of all its calls at a time."""

    def __init__(self, drift: Drift | None, random: np.random.Generator):
        self._drift, self._random = drift, random
        self._log = 0.0 if drift is None else random.standard_normal()
        self._at_ns = 0

    def at(self, now: int, idle: float) -> float:
        """Give the factor on a replica with an idle share; its mean is 1."""
        drift = self._drift
        if drift is None:
            return 1.0
        kept = math.exp(-(now - self._at_ns) / 1e9 / drift.period_s)
        noise = math.sqrt(1.0 - kept * kept) * self._random.standard_normal()
        self._log, self._at_ns = self._log * kept + noise, now
        spread = drift.spread + drift.idle_spread * idle
        return math.exp(spread * self._log - spread**2 / 2)


class LaneSpeeds:
    """The drift of each lane: a factor of all calls of a replica at a time; its mean is 1."""

    def __init__(self, drift: Drift, lanes: int, random: np.random.Generator):
        self._drift, self._random = drift, random
        self._log = random.standard_normal(lanes)
        self._at = np.zeros(lanes)

    def at(self, rows: Integers, now: Reals, idle: Reals | float) -> Reals:
        """Give the factors of some lanes, which have come to a time and an idle share each."""
        spread = self._drift.spread + self._drift.idle_spread * idle
        kept = np.exp((self._at[rows] - now) / (self._drift.period_s * 1e9))
        noise = np.sqrt(1.0 - kept * kept) * self._random.standard_normal(len(rows))
        log = self._log[rows] * kept + noise
        self._log[rows], self._at[rows] = log, now
        factors: Reals = np.exp(spread * log - spread**2 / 2)
        return factors

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Let lanes go."""
        self._log, self._at = self._log[rows], self._at[rows]
