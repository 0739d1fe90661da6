"""Check: the real 99th percentile of the latency beside the predicted one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inferometer.loadgen import Interval
from inferometer.loadgen.deviates import NORMAL_DEVIATE
from inferometer.loadgen.order_statistics import bounding_ranks, entry_at
from inferometer.simulating.system import SimulatedSystem

__all__ = ["TOLERANCE", "LoadCheck", "Validation"]

TOLERANCE = 0.15
"""How far the predicted 99th percentile may be off, as a share of the real one."""


@dataclass(frozen=True)
class LoadCheck:
    """One load, real and predicted. Latencies are the 99th percentile of each lap, ns.

    qps:
        The rate, on average.
    predicted_ns:
        For the same arrivals, the median of some simulations.
    """

    load: float
    qps: float
    real_ns: tuple[float, ...]
    predicted_ns: tuple[float, ...]

    @property
    def median_ns(self) -> float:
        """The median of the laps, real."""
        return float(np.median(self.real_ns))

    @property
    def predicted_median_ns(self) -> float:
        """The median of the laps, predicted."""
        return float(np.median(self.predicted_ns))

    @property
    def errors(self) -> tuple[float, ...]:
        """How far the prediction of each lap is off, as a share of what was real in it."""
        pairs = zip(self.predicted_ns, self.real_ns, strict=True)
        return tuple(predicted / real - 1.0 for predicted, real in pairs)

    @property
    def error(self) -> float:
        """The median of the errors of the laps: arrivals are the same on both sides of each."""
        return float(np.median(self.errors))

    @property
    def error_interval(self) -> Interval:
        """Where that median lies with 95 % confidence, by order statistics of the laps."""
        ordered = np.sort(self.errors)
        low, high = bounding_ranks(len(ordered), 0.5, NORMAL_DEVIATE)
        return Interval(entry_at(ordered, low), entry_at(ordered, high))

    @property
    def scatter(self) -> tuple[float, float]:
        """The quartiles of the real laps, ns."""
        low, high = np.quantile(self.real_ns, [0.25, 0.75]).tolist()
        return low, high

    @property
    def is_met(self) -> bool:
        """Whether the prediction is within the tolerance."""
        return abs(self.error) <= TOLERANCE


@dataclass(frozen=True)
class Validation:
    """What a validation came to.

    saturation_qps:
        Answers a second under more load than can be answered, of each lap.
    """

    workload: str
    system: SimulatedSystem
    saturation_qps: tuple[float, ...]
    checks: tuple[LoadCheck, ...]

    @property
    def is_met(self) -> bool:
        """Whether every prediction is within the tolerance."""
        return all(check.is_met for check in self.checks)
