"""Looks: when a rule that ends a run looks at it, and how long the run may last."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Looks"]

_SLOW_BUDGETS = 4


@dataclass(frozen=True)
class Looks:
    """Looks at a growing number of queries, so that looking costs little.

    least_queries, least_s:
        A run doesn't end before it has both.
    budget_s:
        It ends then if it has the least number of queries, and at four times that at any
        rate; a system that is too slow for them gets that long.
    growth:
        How many times as many queries there are from one look to the next.
    """

    least_queries: int
    least_s: float
    budget_s: float
    growth: float = 1.5

    @property
    def longest_s(self) -> float:
        """Longest that a run lasts."""
        return max(self.least_s, self.budget_s * _SLOW_BUDGETS)

    def next_look(self, issued: int, elapsed_ns: int) -> tuple[int, int]:
        """Look again at so many more queries, and at each limit of time."""
        limits = (self.least_s, self.budget_s, self.longest_s)
        later = [ns for ns in (int(limit * 1e9) for limit in limits) if ns > elapsed_ns]
        count = max(self.least_queries, int(issued * self.growth) + 1)
        return count, min(later, default=elapsed_ns + 1)

    def is_too_early(self, issued: int, elapsed_ns: int) -> bool:
        """Tell whether there is too little to decide anything from."""
        return issued < self.least_queries or elapsed_ns < self.least_s * 1e9

    def used_up(self, issued: int, elapsed_ns: int) -> str | None:
        """Give the words for a run whose time is used up."""
        is_late = elapsed_ns >= self.budget_s * 1e9 and issued >= self.least_queries
        if is_late or elapsed_ns >= self.longest_s * 1e9:
            return f"the time budget of {self.budget_s:g} s is used up"
        return None
