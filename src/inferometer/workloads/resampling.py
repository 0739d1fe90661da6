"""Resampling: replicates of a metric that vary as much as the metric does."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.deviates import NORMAL_DEVIATE, student_deviate

__all__ = ["spread_replicates"]


def spread_replicates(value: float, drawn: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Give replicates, float64 [n], around a value, from those of ``count`` resampled parts.

    Resamples of few parts vary less than the metric over them does, and their quantiles are
    those of a normal distribution rather than of Student's. Both are made up for, and so is
    that resampling moves a metric that isn't a mean.
    """
    width = math.sqrt(count / (count - 1)) * student_deviate(count - 1) / NORMAL_DEVIATE
    spread: NDArray[np.float64] = value + width * (drawn - drawn.mean())
    return spread
