"""Warming up: a model runs untimed, then timed, to know about how fast it is."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Scenario
from inferometer.loadgen.cores import usable_cores
from inferometer.runs.effort import Pace
from inferometer.runs.request import QUEUE_RUNNER, ServingOptions
from inferometer.runs.result import TestResult
from inferometer.workloads import InputLibrary, WorkloadError

__all__ = ["PROBE_S", "WARM_UP_S", "WarmingUp", "learned_pace"]

WARM_UP_S = 1.0
"""Longest that each part of warming up goes on by itself, s."""

PROBE_S = 0.25
"""Longest that each of the two probes takes, s."""

_CALLS = 5
_SHARED_CORES_LOSS = 0.8


@dataclass(frozen=True)
class WarmingUp:
    """Calls of a model with single samples and with batches, first untimed, then timed."""

    handle: Callable[[NDArray[np.integer[Any]]], object]
    library: InputLibrary
    max_batch_size: int
    limit_s: float
    probe_s: float

    def pace(self, serving: ServingOptions) -> Pace:
        """Call the model, and give about how fast it is; `WorkloadError` without samples."""
        total = self.library.total_sample_count
        if not total:
            raise WorkloadError(f"{self.library.name} holds no samples; nothing can be measured")
        one = np.arange(1)
        self.library.load(one)
        one_s = self._time(one, _CALLS, self.limit_s)
        self.library.unload(one)
        affordable = max(1, int(self.limit_s / one_s))
        batch = min(self.max_batch_size, total, affordable)
        samples = np.arange(batch)
        self.library.load(samples)
        for calls, longest_s in ((_CALLS, self.limit_s), (None, self.probe_s)):
            one_s = self._time(one, calls, longest_s)
            all_s = self._time(samples, calls, longest_s)
        self.library.unload(samples)
        workers = serving.workers or usable_cores()
        if serving.kind == QUEUE_RUNNER:
            # Each call of its model takes all cores.
            workers = 1
        loss = _SHARED_CORES_LOSS if workers > 1 else 1.0
        return Pace(one_s, workers * loss * batch / all_s)

    def _time(self, samples: NDArray[np.int64], most_calls: int | None, limit_s: float) -> float:
        """Give the mean time of a call, over so many calls or until the limit is reached."""
        calls, begun = 0, time.perf_counter()
        while (calls != most_calls and time.perf_counter() - begun < limit_s) or not calls:
            self.handle(samples)
            calls += 1
        return (time.perf_counter() - begun) / calls


def learned_pace(pace: Pace, result: TestResult) -> Pace:
    """Give the pace with the throughput of an Offline test as what the system can do."""
    if result.scenario is not Scenario.OFFLINE:
        return pace
    series = result.recording.series
    done = sum(int(one.is_complete.sum()) for one in series)
    total_s = sum(int(one.completed_ns.max(initial=0)) for one in series) / 1e9
    if not done or total_s <= 0:
        return pace
    return dataclasses.replace(pace, samples_per_s=done / total_s)
