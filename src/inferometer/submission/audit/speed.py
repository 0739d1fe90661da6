"""Speed: one number for how fast a test went, which a few disturbed queries hardly move."""

from __future__ import annotations

import numpy as np

from inferometer.loadgen import Scenario
from inferometer.submission.audit.observation import Observation

__all__ = ["speed_of", "typical_latency_ns"]

_KEPT = 0.95
_KEPT_OF_SERVER = 0.75


def speed_of(observation: Observation) -> float | None:
    """Give the speed of a test, more being better; ``None`` if nothing was answered.

    Offline it is samples a second. Otherwise it is one over the mean latency of a query, the
    slowest twentieth left out: unlike a percentile, that mean sees an answer that came from a
    cache however rare it is, and a few stalls don't move it. Server leaves out a quarter, as
    queries wait behind one that stalled.
    """
    if observation.scenario is Scenario.OFFLINE:
        done = sum(int(one.is_complete.sum()) for one in observation.series)
        spent_ns = sum(int(one.completed_ns.max(initial=0)) for one in observation.series)
        return None if not done else done * 1e9 / max(1, spent_ns)
    mean_ns = typical_latency_ns(observation)
    return None if mean_ns is None else 1e9 / mean_ns


def typical_latency_ns(observation: Observation) -> float | None:
    """Give the mean latency of all but the slowest queries, at least 1 ns.

    Offline it is the time that a sample took on average.
    """
    if observation.scenario is Scenario.OFFLINE:
        speed = speed_of(observation)
        return None if speed is None else 1e9 / speed
    ordered = np.sort(observation.query_latencies_ns)
    if not len(ordered):
        return None
    share = _KEPT_OF_SERVER if observation.scenario is Scenario.SERVER else _KEPT
    kept = ordered[: max(1, int(len(ordered) * share))]
    return max(1.0, float(kept.mean()))
