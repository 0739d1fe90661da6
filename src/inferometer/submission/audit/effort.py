"""Effort: how often a comparison is repeated, and how large a difference counts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AuditEffort"]


@dataclass(frozen=True)
class AuditEffort:
    """What an audit spends, and how sure it has to be.

    pairs:
        Pairs of interleaved tests in one comparison; fewer than six decide nothing.
    margin, short_margin:
        How much faster the favoured side has to be, with 95 % confidence, before it counts;
        the second for queries that take less than ``short_ns``, where the generator's own
        work weighs more.
    mismatch_share:
        Share of differing answers that rounding and ties between classes may explain.
    few_samples:
        Samples of the set that is asked again and again.
    longer:
        How many times as many queries the longer test of the query-count audit has.
    watch_ns:
        How long the system is watched after a test.
    """

    pairs: int = 6
    margin: float = 0.10
    short_margin: float = 0.30
    short_ns: int = 500_000
    mismatch_share: float = 0.01
    few_samples: int = 8
    longer: float = 2.5
    watch_ns: int = 200_000_000

    def margin_for(self, latency_ns: float) -> float:
        """Give the margin for queries that take so long."""
        return self.short_margin if latency_ns < self.short_ns else self.margin
