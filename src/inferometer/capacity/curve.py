"""Curve: how the latency that decides grows with the load, as a family of shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HIGHEST", "SHAPES", "Shape", "log_share_and_slope"]

Reals = NDArray[np.float64]

HIGHEST = 2.5
"""Logarithm of the share from which all is the same: the system is overwhelmed."""

_STEEPEST = 80.0
_OVERWHELMED = 1e-3


@dataclass(frozen=True)
class Shape:
    """A shape of the curve, whatever the capacity.

    floor:
        Latency without load, as a share of the bound.
    room:
        Load at which queues grow without end, as a multiple of the capacity. Where it is near
        1, the latency crosses its bound steeply.
    weight:
        How plausible it is before anything has run.
    """

    floor: float
    room: float
    weight: float


_ROOMS = {
    1.01: 0.3,
    1.025: 0.5,
    1.05: 0.8,
    1.1: 1.0,
    1.2: 1.0,
    1.4: 1.0,
    2.0: 0.8,
    4.0: 0.4,
    30.0: 0.3,
}
SHAPES = tuple(
    Shape(floor, room, weight)
    for floor in (0.03, 0.4, 0.75, 0.93)
    for room, weight in _ROOMS.items()
)
"""From steep to nearly proportional, with latencies without load from small to the bound's."""


def log_share_and_slope(above: Reals, floor: Reals, room: Reals) -> tuple[Reals, Reals]:
    """Give the logarithm of the share and its slope by the logarithm of the load.

    above:
        Logarithm of the load over the capacity; all arrays broadcast.

    The share is ``floor + (1 - floor) (room - 1) r / (room - r)`` at the relative load r: that
    of a single queue with random arrivals, whose wait grows with ``1 / (1 - utilisation)``.
    """
    relative = np.exp(above)
    left = np.maximum(room - relative, _OVERWHELMED * room)
    wait = (1.0 - floor) * (room - 1.0) * relative / left
    share = floor + wait
    log_share = np.minimum(np.log(share), HIGHEST)
    slope = np.minimum(wait * room / left / share, _STEEPEST)
    return log_share, slope
