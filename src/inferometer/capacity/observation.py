"""Observation: what one run at a load says of how near it is to the bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["Observation"]


@dataclass(frozen=True)
class Observation:
    """One run, as the search sees it.

    load:
        Queries a second, or samples per query.
    share:
        The latency that decides, as a share of its bound: up to 1 keeps it. It is the one
        after the slowest that a whole run may have over the bound. Infinite if nothing was
        answered.
    noise:
        Standard deviation of the share's logarithm, from the run's own parts; ``None`` where
        it can't be told.
    has_met:
        Whether the run met its bound by its own verdict.
    length:
        Its length as a share of a whole run's.
    seconds, queries:
        How long load was put on the system, and how many queries it got.
    was_stopped:
        Whether it was ended before its time because it could not meet its bound any more.
    served:
        Load that was answered while it fell behind; ``None`` if it kept up.
    """

    load: float
    share: float
    noise: float | None
    has_met: bool
    length: float = 1.0
    seconds: float = 0.0
    queries: int = 0
    was_stopped: bool = False
    served: float | None = None

    @property
    def log_share(self) -> float:
        """Logarithm of the share: up to 0 keeps the bound."""
        return math.log(self.share) if self.share > 0 else -math.inf

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON; an infinite share as ``None``."""
        values = dict(vars(self))
        values["share"] = self.share if math.isfinite(self.share) else None
        return values

    @classmethod
    def from_mapping(cls, values: dict[str, Any]) -> Observation:
        """Take back what `to_mapping` gave."""
        share = math.inf if values["share"] is None else values["share"]
        return cls(**{**values, "share": share})
