"""Prediction: what a described system does at a rate, with what simulating leaves open."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from inferometer.simulating.system import SimulatedSystem
from inferometer.simulating.tally import Estimate, Tally

__all__ = ["PERCENTILES", "Answer", "Prediction"]

PERCENTILES = (0.5, 0.9, 0.99, 0.999)


class Answer(enum.Enum):
    """Whether a bound is kept."""

    MET = "MET"
    MISSED = "MISSED"
    OPEN = "too close to tell"


@dataclass(frozen=True)
class Prediction:
    """What a system does at a rate. Times are ns, intervals 95 %.

    latency:
        By percentile; infinite where more comes than can be answered.
    waiting:
        Queries that wait or are on their way, of all replicas together, on average.
    outstanding:
        Those and the ones that are being answered.
    lost, retried:
        Shares of the queries; with failures only.
    method:
        What was simulated exactly, and what stands for what.
    scale_error:
        By how much the 99th percentile changed, as a share, from a cluster of half the size to
        the simulated one; ``None`` where all replicas, or independent ones, were simulated.
    """

    system: SimulatedSystem
    qps: float
    latency: dict[float, Estimate]
    mean: Estimate
    utilisation: float
    batch: float
    waiting: float
    outstanding: float
    queries: int
    method: str
    lost: float = 0.0
    retried: float = 0.0
    scale_error: float | None = None
    tally: Tally | None = None

    @property
    def is_stable(self) -> bool:
        """Whether the system keeps up with what comes."""
        return math.isfinite(self.mean.value)

    def percentile(self, fraction: float) -> Estimate:
        """Give any percentile of the latency."""
        if self.tally is None:
            return Estimate(math.inf, math.inf, math.inf)
        return self.latency.get(fraction) or self.tally.percentile(fraction)

    def keeps(self, bound_ns: float, fraction: float) -> Answer:
        """Tell whether a percentile keeps a bound, lost queries counting as slow."""
        asked = min(1.0, fraction / (1.0 - self.lost)) if self.lost < 1.0 else 1.0
        if asked >= 1.0 or not self.is_stable:
            return Answer.MISSED
        found = self.percentile(asked)
        if found.high <= bound_ns:
            return Answer.MET
        return Answer.MISSED if found.low > bound_ns else Answer.OPEN
