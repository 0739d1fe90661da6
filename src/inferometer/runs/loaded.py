"""Loaded workload: model and samples ready to be served, and about how fast they are."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, get_backend
from inferometer.loadgen import Responses, Scenario
from inferometer.runs.effort import Pace
from inferometer.runs.request import RunRequest
from inferometer.runs.result import TestResult
from inferometer.runs.system import usable_cores
from inferometer.serving import InlineServing, PoolOptions, PoolServing
from inferometer.workloads import InputLibrary, Workload, get_workload

__all__ = ["LoadedWorkload"]

_WARM_UP_CALLS = 5
_PROBE_S = 0.25
_SHARED_CORES_LOSS = 0.8


class LoadedWorkload:
    """A workload whose model is loaded into a backend.

    ``pace`` is an estimate that only sizes runs; it is made by `warm_up` and improved by
    what Offline tests show.
    """

    def __init__(self, request: RunRequest):
        self._request = request
        self.workload: Workload = get_workload(request.workload)
        backend = get_backend(request.backend)
        options: BackendOptions = request.backend_options
        if options.threads is None:
            options = dataclasses.replace(options, threads=1)
        self._model = backend.load(self.workload.model(backend.formats), options)
        self.library: InputLibrary = self.workload.library()
        self.pace = Pace(0.0, 0.0)

    @property
    def backend_description(self) -> Mapping[str, Any]:
        """What really runs the model."""
        return {"name": self._request.backend, **self._model.description}

    def handle(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Answer loaded samples: model, then post-processing."""
        outputs = self._model.run(self.library.inputs(indices))
        return self.workload.postprocess(outputs)

    def serve(self, scenario: Scenario) -> tuple[InlineServing | PoolServing, dict[str, Any]]:
        """Give a system under test for a scenario, and its description."""
        asked = self._request.serving
        kind = asked.kind or ("inline" if scenario is Scenario.SINGLE_STREAM else "pool")
        name = f"{self.workload.info.name} {self._request.backend} {kind}"
        if kind == "inline":
            return InlineServing(self.handle, name), {"kind": kind}
        options = PoolOptions(
            workers=asked.workers or usable_cores(),
            max_batch_size=asked.max_batch_size,
            max_wait_s=asked.max_wait_ms / 1e3,
            split_queries=scenario.is_multi_stream,
        )
        return PoolServing(self.handle, options, name), {
            "kind": kind,
            **dataclasses.asdict(options),
        }

    def warm_up(self) -> None:
        """Run the model a few times, untimed, then measure about how fast it is."""
        batch = min(self._request.serving.max_batch_size, self.library.total_sample_count)
        samples = np.arange(batch)
        self.library.load(samples)
        for _ in range(_WARM_UP_CALLS):
            self.handle(samples[:1])
            self.handle(samples)
        one_s, all_s = self._time(samples[:1]), self._time(samples)
        self.library.unload(samples)
        workers = self._request.serving.workers or usable_cores()
        loss = _SHARED_CORES_LOSS if workers > 1 else 1.0
        self.pace = Pace(one_s, workers * loss * batch / all_s)

    def _time(self, samples: NDArray[np.int64]) -> float:
        calls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < _PROBE_S:
            self.handle(samples)
            calls += 1
        return (time.perf_counter() - begun) / calls

    def learn_pace(self, result: TestResult) -> None:
        """Take the throughput of an Offline test as what the system can do."""
        if result.scenario is not Scenario.OFFLINE:
            return
        series = result.recording.series
        done = sum(int(one.is_complete.sum()) for one in series)
        total_s = sum(int(one.completed_ns.max(initial=0)) for one in series) / 1e9
        if done and total_s > 0:
            self.pace = dataclasses.replace(self.pace, samples_per_s=done / total_s)
