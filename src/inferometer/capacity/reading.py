"""Reading: latencies of a run become an observation."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from inferometer.capacity.observation import Observation
from inferometer.loadgen import Era, total_needed

__all__ = ["Bound", "observation_of"]

_PARTS = 12
_FEWEST_IN_A_PART = 8
_MISSING = 15.0


@dataclass(frozen=True)
class Bound:
    """The bound that the slowest queries of a run are held against.

    is_early_stopping:
        Whether the run also has to pass early stopping, as since LoadGen 2.0.
    """

    limit_ns: int
    percentile: float
    is_early_stopping: bool

    @classmethod
    def of(cls, era: Era, limit_ns: int, percentile: float) -> Bound:
        """Give the bound as an era holds a run against it."""
        return cls(limit_ns, percentile, not era.is_v05)

    def allowed(self, queries: int) -> int:
        """Give how many of so many queries may be slower; -1 if there are too few to pass."""
        return _allowed(queries, self.percentile, self.is_early_stopping)


@cache
def _allowed(queries: int, percentile: float, is_early_stopping: bool) -> int:
    by_percentile = queries - 1 - min(int(queries * percentile), queries - 1)
    if not is_early_stopping:
        return by_percentile
    low, high = -1, by_percentile
    while low < high:
        middle = (low + high + 1) // 2
        if total_needed(middle, percentile) <= queries:
            low = middle
        else:
            high = middle - 1
    return low


def observation_of(
    load: float,
    latency_ns: NDArray[np.int64],
    bound: Bound,
    *,
    whole_queries: int,
    length: float,
    seconds: float,
    has_met: bool | None = None,
    was_stopped: bool = False,
) -> Observation:
    """Read a run.

    latency_ns:
        int64 [queries], in the order in which they were issued.
    whole_queries:
        How many queries a whole run at this load has; what may be slow of them decides which
        latency is looked at.
    has_met:
        Whether the run met its bound; by default whether that latency did.
    """
    count = len(latency_ns)
    slow_share = max(bound.allowed(whole_queries), 0) / max(whole_queries, 1)
    share = _edge(latency_ns, slow_share) / bound.limit_ns if count else math.inf
    if has_met is None:
        has_met = share <= 1.0 and not was_stopped
    return Observation(
        load=load,
        share=_agreeing(share, has_met=has_met, is_whole=length >= 1.0 or was_stopped),
        noise=_noise(latency_ns, slow_share),
        has_met=has_met,
        length=min(1.0, max(length, 1e-3)),
        seconds=seconds,
        queries=count,
        was_stopped=was_stopped,
    )


def _agreeing(share: float, *, has_met: bool, is_whole: bool) -> float:
    """Keep the share on the side of the bound on which the verdict is."""
    if not is_whole:
        return share
    return min(share, 1.0) if has_met else max(share, 1.0 + 1e-6)


def _edge(latency_ns: NDArray[np.int64], slow_share: float) -> float:
    """Give the latency after which come only as many as may be slow."""
    count = len(latency_ns)
    place = count - 1 - min(int(count * slow_share), count - 1)
    return float(np.partition(latency_ns, place)[place])


def _noise(latency_ns: NDArray[np.int64], slow_share: float) -> float | None:
    """Give the standard deviation of the edge's logarithm: the larger of two estimates.

    By leaving out a part at a time, where parts are stretches of time, so that slow queries
    that come together count together (the delete-a-group jackknife); and by how far the
    latencies lie apart that are one deviation of the number of slow queries away. Both see too
    little where few queries are slow, as these come together: they are raised for it.
    """
    count = len(latency_ns)
    if count < _PARTS * _FEWEST_IN_A_PART:
        return None
    ends = np.linspace(0, count, _PARTS + 1).astype(int)
    logs = []
    for first, last in itertools.pairwise(ends.tolist()):
        left = np.concatenate([latency_ns[:first], latency_ns[last:]])
        logs.append(math.log(max(_edge(left, slow_share), 1.0)))
    by_parts = math.sqrt(float(np.var(logs)) * (_PARTS - 1))
    slow = max(1.0, count * slow_share)
    shift = math.sqrt(slow) / count
    fast_end = _edge(latency_ns, slow_share + shift)
    slow_end = _edge(latency_ns, max(0.0, slow_share - shift))
    by_count = math.log(max(slow_end, 1.0) / max(fast_end, 1.0)) / 2
    return max(by_parts, by_count) * (1.0 + _MISSING / slow) or None
