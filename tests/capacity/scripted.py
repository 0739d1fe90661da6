"""A system whose share of the bound is a smooth curve with little noise, the same each time."""

from __future__ import annotations

import math

import numpy as np

from inferometer.capacity import Observation


class Scripted:
    """Runs at loads; it can miss, when verified, and be interrupted after some runs."""

    def __init__(self, capacity: float, misses: int = 0, interrupts_after: int = 10**6):
        self.capacity, self.misses, self.left = capacity, misses, interrupts_after
        self.is_verifying = False
        self.random = np.random.default_rng(1)

    def __call__(self, load: float) -> Observation:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        utilisation = load / (self.capacity * 1.25)
        share = 100.0 if utilisation >= 1 else 0.2 / (1 - utilisation)
        share *= math.exp(self.random.normal(0, 0.01))
        if self.is_verifying and self.misses:
            self.misses -= 1
            share = max(share, 1.1)
        return Observation(load, share, 0.01, has_met=share <= 1.0, seconds=1.0)
