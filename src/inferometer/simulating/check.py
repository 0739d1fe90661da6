"""Check: the real 99th percentile of the latency beside the predicted one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    def error(self) -> float:
        """How far the predicted median is off, as a share of the real one."""
        return self.predicted_median_ns / self.median_ns - 1.0

    @property
    def ratios(self) -> tuple[float, float, float]:
        """Predicted over real of a lap: the quartiles of the laps, and the median between."""
        each = np.array(self.predicted_ns) / np.array(self.real_ns)
        low, middle, high = np.quantile(each, [0.25, 0.5, 0.75]).tolist()
        return low, middle, high

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
