"""Bound decision: whether a latency bound is met, told as soon as it can be."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from inferometer.loadgen.binomial import binomial_cdf

__all__ = ["BoundAnswer", "BoundDecision"]

_MOST_NEEDED = 1 << 27


class BoundAnswer(enum.StrEnum):
    """What is known of a bound: that it is met, that it is missed, or neither yet."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True)
class BoundDecision:
    """Decides whether at most ``1 - fraction`` of all queries are slower than a bound.

    fraction:
        The percentile that the bound is for, such as 0.99.
    error_rate:
        Highest probability of each wrong answer: of *met* where more queries are slow in
        the long run, and of *missed* where fewer are. It holds however often one looks.

    The evidence against an answer is a likelihood ratio, averaged over the shares on the
    other side of the limit with weights of a beta distribution; such a mean is a martingale
    where the limit itself holds, so that the chance of it ever reaching 1 / ``error_rate``
    is at most ``error_rate``.

    Source: Ville's inequality; Robbins, Statistical methods related to the law of the
    iterated logarithm, 1970; Howard et al., Time-uniform nonparametric nonasymptotic
    confidence sequences, 2021.
    """

    fraction: float
    error_rate: float = 0.01

    def answer(self, slow: int, total: int, correction: float = 1.0) -> BoundAnswer:
        """Say what ``slow`` of ``total`` queries tell.

        ``correction``, at least 1, is how many times as much the slow count varies as it
        would if queries were independent; the counts then weigh by so much less.
        """
        weighed = int(total / correction)
        slow_low = math.floor(slow / correction)
        slow_high = min(weighed, math.ceil(slow / correction))
        enough = -math.log(self.error_rate)
        if self._evidence(slow_high, weighed, is_met=True) >= enough:
            return BoundAnswer.MET
        if self._evidence(slow_low, weighed, is_met=False) >= enough:
            return BoundAnswer.MISSED
        return BoundAnswer.OPEN

    def needed(self, slow: int, total: int, correction: float = 1.0) -> int | None:
        """Estimate how many queries an answer takes if the share of slow ones stays.

        ``None`` where that is beyond any run, as it is for a share at the limit.
        """
        if not total:
            return None
        share = slow / total

        def is_enough(count: int) -> bool:
            return self.answer(round(share * count), count, correction) is not BoundAnswer.OPEN

        high = max(total, 1)
        while not is_enough(high):
            high *= 2
            if high > _MOST_NEEDED:
                return None
        low = high // 2
        while high - low > max(1, high // 100):
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle) else (middle, high)
        return high

    def _evidence(self, slow: int, total: int, *, is_met: bool) -> float:
        """Give the logarithm of the mean likelihood ratio for one side of the limit."""
        if total <= 0:
            return 0.0
        limit = 1.0 - self.fraction
        # Weights (1 - share)**(weight - 1): shares within a few times the limit matter.
        weight = max(1, round(1.0 / limit))
        log_rest = weight * math.log1p(-limit)
        if is_met:
            log_prior = math.log(-math.expm1(log_rest)) - math.log(weight)
            beyond = binomial_cdf(total + weight - slow - 1, total + weight, 1.0 - limit)
        else:
            log_prior = log_rest - math.log(weight)
            beyond = binomial_cdf(slow, total + weight, limit)
        if beyond <= 0.0:
            return -math.inf
        log_mean = (
            math.lgamma(slow + 1)
            + math.lgamma(total - slow + weight)
            - math.lgamma(total + weight + 1)
            + math.log(beyond)
            - log_prior
        )
        return log_mean - slow * math.log(limit) - (total - slow) * math.log1p(-limit)
