"""Cost: what answers cost at the user's price of an hour of the machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Price"]

_SECONDS_IN_HOUR = 3600.0
_MILLION = 1e6


@dataclass(frozen=True)
class Price:
    """What an hour of the machine costs, in a currency of the user's."""

    per_hour: float
    currency: str = ""

    def per_million(self, samples_per_s: float) -> float:
        """Give the cost of a million samples answered at a rate, the machine being busy."""
        return self.per_hour / _SECONDS_IN_HOUR / samples_per_s * _MILLION
