"""How many queries a percentile takes: the rules' formula, with the round's numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from inferometer.rounds.table import Table

__all__ = ["QueryCounts", "read_query_counts"]


@dataclass(frozen=True)
class QueryCounts:
    """Numbers of the formula.

    confidence:
        How sure one has to be that the percentile lies within the margin.
    margin_share:
        The margin, as a share of what lies beyond the percentile.
    multiple:
        What the count is rounded up to a multiple of.
    """

    confidence: float
    margin_share: float
    multiple: int

    def least(self, percentile: float) -> int:
        """Give the count for a percentile between 0 and 1, to the nearest whole number.

        From the normal approximation of the binomial distribution: z² p (1 - p) / margin².
        """
        z = NormalDist().inv_cdf((1 + self.confidence) / 2)
        margin = (1 - percentile) * self.margin_share
        return round(z * z * percentile * (1 - percentile) / margin**2)

    def rounded(self, percentile: float) -> int:
        """Give the count that the rules ask for: `least`, rounded up to the multiple."""
        return math.ceil(self.least(percentile) / self.multiple) * self.multiple


def read_query_counts(table: Table) -> QueryCounts:
    """Read the numbers of the formula."""
    found = QueryCounts(
        table.share("confidence"), table.share("margin_share"), max(1, table.count("multiple"))
    )
    table.finish()
    return found
