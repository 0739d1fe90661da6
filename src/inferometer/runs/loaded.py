"""Loaded workload: model and samples ready to be served, and about how fast they are."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, ModelFile, Session, get_backend
from inferometer.loadgen import Responses, Scenario
from inferometer.runs.effort import Pace
from inferometer.runs.request import RunRequest
from inferometer.runs.result import TestResult
from inferometer.runs.system import usable_cores
from inferometer.serving import InlineServing, PoolOptions, PoolServing
from inferometer.workloads import InputLibrary, Workload, WorkloadError, get_workload
from inferometer.workloads.quantized import quantized_models

__all__ = ["LoadedWorkload"]

_WARM_UP_CALLS = 5
_WARM_UP_S = 1.0
_PROBE_S = 0.25
_SHARED_CORES_LOSS = 0.8
_NOTE_EVERY_S = 5.0


class LoadedWorkload:
    """A workload whose model is loaded into a backend.

    ``pace`` is an estimate that only sizes runs; it is made by `warm_up` and improved by
    what Offline tests show.
    """

    def __init__(self, request: RunRequest):
        self._request = request
        self.workload: Workload = get_workload(request.workload, request.workload_options)
        self._sessions = self._load_model()
        self._predict = self.workload.predictor(self._sessions)
        self.library: InputLibrary = self.workload.library()
        self.pace = Pace(0.0, 0.0)

    def _load_model(self) -> dict[str, Session]:
        """Load every part of the model into the backend."""
        backend = get_backend(self._request.backend)
        backend.version()  # says what to install before a model is looked for
        options: BackendOptions = self._request.backend_options
        if options.threads is None:
            options = dataclasses.replace(options, threads=1)
        return {
            part: backend.load(file, options)
            for part, file in self._model_files(backend.formats).items()
        }

    def _model_files(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the model in the number format that was asked for."""
        options = self._request.workload_options
        if options.number_format == "fp32":
            return self.workload.models(formats)
        plain = dataclasses.replace(options, number_format="fp32")
        sources = get_workload(self._request.workload, plain).models(formats)
        return quantized_models(self.workload.info.name, formats, sources)

    def follow_loading(self, note: Callable[[str], None]) -> None:
        """Tell now and then how far a library is that takes long to load its samples."""
        follow = getattr(self.library, "follow", None)
        if follow is not None:
            follow(_LoadingNotes(note))

    @property
    def backend_description(self) -> Mapping[str, Any]:
        """What really runs the model; of a model in parts, the first part stands for all."""
        first = next(iter(self._sessions.values()))
        parts = {"parts": list(self._sessions)} if len(self._sessions) > 1 else {}
        return {"name": self._request.backend, **first.description, **parts}

    @property
    def max_batch_size(self) -> int:
        """Most samples in one call of the model: what was asked for, or what it can take."""
        asked = self._request.serving.max_batch_size
        largest = self.workload.info.largest_batch
        return asked if largest is None else min(asked, largest)

    def handle(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Answer loaded samples: model, then post-processing."""
        return self._predict(indices, self.library.inputs(indices))

    def serve(self, scenario: Scenario) -> tuple[InlineServing | PoolServing, dict[str, Any]]:
        """Give a system under test for a scenario, and its description."""
        asked = self._request.serving
        kind = asked.kind or ("inline" if scenario is Scenario.SINGLE_STREAM else "pool")
        name = f"{self.workload.info.name} {self._request.backend} {kind}"
        if kind == "inline":
            return InlineServing(self.handle, name), {"kind": kind}
        options = PoolOptions(
            workers=asked.workers or usable_cores(),
            max_batch_size=self.max_batch_size,
            max_wait_s=asked.max_wait_ms / 1e3,
            split_queries=scenario.is_multi_stream,
        )
        return PoolServing(self.handle, options, name), {
            "kind": kind,
            **dataclasses.asdict(options),
        }

    def warm_up(self) -> None:
        """Run the model a few times, untimed, then measure about how fast it is.

        A slow model gets fewer calls, and is timed with smaller batches.
        """
        total = self.library.total_sample_count
        if not total:
            raise WorkloadError(f"{self.library.name} holds no samples; nothing can be measured")
        one = np.arange(1)
        self.library.load(one)
        one_s = self._time(one, _WARM_UP_CALLS, _WARM_UP_S)
        self.library.unload(one)
        affordable = max(1, int(_WARM_UP_S / one_s))
        batch = min(self.max_batch_size, total, affordable)
        samples = np.arange(batch)
        self.library.load(samples)
        for calls, limit_s in ((_WARM_UP_CALLS, _WARM_UP_S), (None, _PROBE_S)):
            one_s = self._time(one, calls, limit_s)
            all_s = self._time(samples, calls, limit_s)
        self.library.unload(samples)
        workers = self._request.serving.workers or usable_cores()
        loss = _SHARED_CORES_LOSS if workers > 1 else 1.0
        self.pace = Pace(one_s, workers * loss * batch / all_s)

    def _time(self, samples: NDArray[np.int64], most_calls: int | None, limit_s: float) -> float:
        """Give the mean time of a call, over so many calls or until the limit is reached."""
        calls, begun = 0, time.perf_counter()
        while (calls != most_calls and time.perf_counter() - begun < limit_s) or not calls:
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


class _LoadingNotes:
    """Turns progress into a remark every few seconds."""

    def __init__(self, note: Callable[[str], None]):
        self._note = note
        self._told_at = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Take how many samples are there."""
        now = time.monotonic()
        if now - self._told_at >= _NOTE_EVERY_S:
            self._told_at = now
            self._note(f"loading samples: {done:,} of {total:,}")
