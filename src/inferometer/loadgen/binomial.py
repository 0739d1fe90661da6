"""Binomial distribution: its sums and quantiles, without SciPy."""

from __future__ import annotations

import math

__all__ = ["binomial_cdf", "binomial_quantile"]

_TAIL_DEVIATIONS = 12.0


def binomial_quantile(probability: float, count: int, chance: float) -> int:
    """Give the smallest k with P[Binomial(count, chance) <= k] >= probability."""
    deviation = math.sqrt(count * chance * (1 - chance))
    low = max(0, int(count * chance - _TAIL_DEVIATIONS * deviation) - 1)
    high = min(count, int(count * chance + _TAIL_DEVIATIONS * deviation) + 1)
    while low < high:
        middle = (low + high) // 2
        if binomial_cdf(middle, count, chance) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def binomial_cdf(successes: int, count: int, chance: float) -> float:
    """Give P[Binomial(count, chance) <= successes], to about nine digits."""
    if successes < 0:
        return 0.0
    if successes >= count:
        return 1.0
    if successes > count * chance:
        return 1.0 - binomial_cdf(count - successes - 1, count, 1.0 - chance)
    # From the largest term down, each term is the one above times a ratio below 1.
    log_term = (
        math.lgamma(count + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(count - successes + 1)
        + successes * math.log(chance)
        + (count - successes) * math.log1p(-chance)
    )
    total, ratio = 1.0, 1.0
    odds = (1.0 - chance) / chance
    for k in range(successes, 0, -1):
        ratio *= k / (count - k + 1) * odds
        total += ratio
        if ratio < total * 1e-17:
            break
    return math.exp(log_term) * total
