"""Same answer: when two answers to one content say the same, by task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.detection.payloads import COLUMNS

__all__ = ["SameAnswer", "same_answer_of"]

SameAnswer = Callable[[bytes, bytes], bool]

_ROW = len(COLUMNS)
_BOX_TOLERANCE = 0.01
_SCORE_TOLERANCE = 0.01


def same_answer_of(task: str) -> SameAnswer:
    """Give the comparison that suits a task: byte for byte, or boxes with some tolerance.

    The first number of a detection is the sample's index; it isn't compared, so that samples
    may stand in each other's place.
    """
    return _same_detections if "detection" in task else _same_bytes


def _same_bytes(one: bytes, other: bytes) -> bool:
    return one == other


def _same_detections(one: bytes, other: bytes) -> bool:
    """Compare boxes in the order of class and score, where last digits may differ."""
    if len(one) != len(other) or len(one) % (4 * _ROW):
        return one == other
    first, second = _rows(one), _rows(other)
    if not np.array_equal(first[:, 6], second[:, 6]):
        return False
    near = np.abs(first - second)
    return bool((near[:, 1:5] <= _BOX_TOLERANCE).all() and (near[:, 5] <= _SCORE_TOLERANCE).all())


def _rows(data: bytes) -> NDArray[np.float32]:
    rows = np.frombuffer(data, "<f4").reshape(-1, _ROW)
    ordered: NDArray[np.float32] = rows[np.lexsort((rows[:, 1], rows[:, 5], rows[:, 6]))]
    return ordered
