"""Deviates: how many standard deviations a stated confidence reaches to."""

from __future__ import annotations

import math

__all__ = ["NORMAL_DEVIATE", "normal_equivalent", "student_deviate", "tail_of"]

NORMAL_DEVIATE = 1.959963984540054
"""Half the width, in standard deviations, of the 95 % interval of a normal distribution."""

_FEWEST_FREEDOM = 2.0


def student_deviate(freedom: float, normal: float = NORMAL_DEVIATE) -> float:
    """Give the deviate of Student's distribution that has the confidence of a normal one.

    ``freedom`` need not be whole; below 2 it counts as 2. From 4 on it is right to 0.3 %.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z, share = normal, 1.0 / max(freedom, _FEWEST_FREEDOM)
    first = (z**3 + z) / 4.0
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96.0
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384.0
    return z + share * (first + share * (second + share * third))


def normal_equivalent(deviate: float, freedom: float) -> float:
    """Give the normal deviate with the tail that one of Student's distribution has.

    Source: Wallace, Bounds on normal approximations to Student's distribution, 1959.
    """
    scale = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    return scale * math.sqrt(freedom * math.log1p(deviate * deviate / freedom))


def tail_of(deviate: float) -> float:
    """Give the probability that a normal variable lies above a deviate."""
    return 0.5 * math.erfc(deviate / math.sqrt(2.0))
