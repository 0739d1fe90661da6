"""Loaded workload: model and samples ready to be served, and about how fast they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendError, get_backend
from inferometer.loadgen import Responses, Scenario
from inferometer.runs.data_hash import data_sha256
from inferometer.runs.effort import Pace
from inferometer.runs.loading_notes import LoadingNotes
from inferometer.runs.model import load_model, model_hashes
from inferometer.runs.model_timer import ModelTimer, TimedPredictor
from inferometer.runs.remote_model import RemoteWatch, SplitPredictor, remote_sessions
from inferometer.runs.replicated import (
    SpreadLibrary,
    check_serving,
    most_in_flight,
    start_replicas,
    takes_own_samples,
)
from inferometer.runs.request import (
    IN_FLIGHT,
    NETWORK_SUT,
    PROCESSES,
    QUEUE_RUNNER,
    RAY,
    RunRequest,
    ServingOptions,
)
from inferometer.runs.result import TestResult
from inferometer.runs.warming_up import PROBE_S, WARM_UP_S, WarmingUp, learned_pace
from inferometer.serving import (
    InlineServing,
    PoolOptions,
    PoolServing,
    QueueRunnerOptions,
    QueueRunnerServing,
    Replicas,
    ReplicaServing,
    ReplicaServingOptions,
    TimedAnswer,
)
from inferometer.serving.remote import InFlightServing
from inferometer.workloads import InputLibrary

__all__ = ["LoadedWorkload"]

Serving = InlineServing | PoolServing | QueueRunnerServing | InFlightServing | ReplicaServing


class LoadedWorkload:
    """A workload whose model is loaded into a backend.

    ``pace`` is an estimate that only sizes runs; it is made by `warm_up` and improved by
    what Offline tests show. A ``library`` that is given is used in place of a new one.
    """

    def __init__(
        self,
        request: RunRequest,
        note: Callable[[str], None] = lambda _: None,
        library: InputLibrary | None = None,
    ):
        check_serving(request.serving)
        self._request = request
        self.workload, self._files, self._sessions = load_model(request, note)
        timer = ModelTimer()
        timed = {part: timer.over(session) for part, session in self._sessions.items()}
        predict = self.workload.predictor(timed)
        self.library: InputLibrary = self.workload.library() if library is None else library
        self._handler = TimedPredictor(predict, self._inputs, timer)
        self._remote = remote_sessions(self._sessions)
        self._replicas: Replicas | None = None
        self.pace = Pace(0.0, 0.0)

    def close(self) -> None:
        """Let the model go, and all copies of it."""
        if self._replicas is not None:
            self._replicas.close()
        for session in self._sessions.values():
            session.close()

    def follow_loading(self, note: Callable[[str], None]) -> None:
        """Tell now and then how far a library is that takes long to load its samples."""
        follow = getattr(self.library, "follow", None)
        if follow is not None:
            follow(LoadingNotes(note))

    @property
    def model_bytes(self) -> int:
        """Size of all files of the model."""
        return sum(file.size_bytes for file in self._files.values())

    @property
    def backend_description(self) -> Mapping[str, Any]:
        """What really runs the model; of a model in parts, the first part stands for all."""
        first = next(iter(self._sessions.values()))
        parts = {"parts": list(self._sessions)} if len(self._sessions) > 1 else {}
        return {"name": self._request.backend, **first.description, **parts}

    @cached_property
    def model_sha256(self) -> dict[str, str]:
        """The hash of each part of the model, as its file is now."""
        return model_hashes(self._files)

    @cached_property
    def data_sha256(self) -> str:
        """The hash of a few of the samples; it is found before a test runs, never during one."""
        return data_sha256(self.library)

    @property
    def max_batch_size(self) -> int:
        """Most samples in one call of the model: what was asked for, or what it can take."""
        asked = self._request.serving.max_batch_size
        largest = self.workload.info.largest_batch
        return asked if largest is None else min(asked, largest)

    def handle(self, indices: NDArray[np.integer[Any]]) -> Responses:
        """Answer loaded samples: model, then post-processing."""
        return self._handler(indices)

    def timed(self, indices: NDArray[np.integer[Any]]) -> TimedAnswer:
        """Answer loaded samples; also give the ns that inputs and model took."""
        return self._handler.timed(indices)

    def _inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        # The library may be another one by now.
        return self.library.inputs(indices)

    def serve_by(self, serving: ServingOptions) -> None:
        """Serve in another way from now on, with the same loaded model."""
        self._request = dataclasses.replace(self._request, serving=serving)

    def serve(self, scenario: Scenario) -> tuple[Serving, dict[str, Any]]:
        """Give a system under test for a scenario, and its description."""
        asked = self._request.serving.filled(scenario)
        kind, workers = asked.kind, asked.workers
        assert workers is not None
        if self._remote and kind == "pool":
            # A worker only waits for the server: as many as may be in flight.
            first = next(iter(self._remote.values()))
            workers = self._request.serving.workers or first.options.connections
            if self._request.serving.kind is None and len(self._remote) == 1:
                kind = IN_FLIGHT
        name = self._name_of(kind)
        if kind == "inline":
            return InlineServing(self._handler, name), {"kind": kind}
        if kind == QUEUE_RUNNER:
            runner = QueueRunnerOptions(threads=workers, max_batch_size=self.max_batch_size)
            described = {"kind": kind, **dataclasses.asdict(runner)}
            return QueueRunnerServing(self._handler, runner, name), described
        if kind == IN_FLIGHT:
            return self._in_flight(name)
        if kind in (PROCESSES, RAY):
            return self._spread(kind, scenario, asked, name)
        options = PoolOptions(
            workers=workers,
            max_batch_size=self.max_batch_size,
            max_wait_s=asked.max_wait_ms / 1e3,
            split_queries=scenario.is_multi_stream,
        )
        described = {"kind": kind, **dataclasses.asdict(options)}
        return PoolServing(self._handler, options, name), described

    def _name_of(self, kind: str | None) -> str:
        """Name the system; behind a network, by what it said of itself over the network."""
        name = f"{self.workload.info.name} {self._request.backend} {kind}"
        if not getattr(get_backend(self._request.backend), "is_remote", False):
            return name
        server = self.backend_description.get("version", "")
        return " ".join(filter(None, [NETWORK_SUT, str(server), name]))

    def _in_flight(self, name: str) -> tuple[Serving, dict[str, Any]]:
        """Keep many requests on their way to a server."""
        if len(self._remote) != 1:
            raise BackendError(
                f"the serving {IN_FLIGHT} takes a model of one part on a server: --backend remote"
            )
        ((part, session),) = self._remote.items()
        handler = SplitPredictor(self.workload, part, session, self._inputs)
        most = self.max_batch_size
        described = {
            "kind": IN_FLIGHT,
            "most_in_flight": session.options.connections,
            "max_batch_size": most,
        }
        return InFlightServing(handler, session.transport, most, name), described

    def watch(self) -> RemoteWatch:
        """Begin to note what happens to requests, for one test."""
        return RemoteWatch(self._remote)

    def _spread(
        self, kind: str, scenario: Scenario, asked: ServingOptions, name: str
    ) -> tuple[Serving, dict[str, Any]]:
        """Spread batches over copies of the workload, which are started for the first test."""
        options = ReplicaServingOptions(
            max_batch_size=self.max_batch_size,
            max_wait_s=asked.max_wait_ms / 1e3,
            split_queries=scenario.is_multi_stream,
            most_in_flight=most_in_flight(asked),
        )
        if self._replicas is None:
            has_each_load = takes_own_samples(asked)
            self._replicas = start_replicas(self._request)
            library = self.library
            if isinstance(library, SpreadLibrary):
                library = library.inner
            self.library = SpreadLibrary(library, self._replicas, has_each_load=has_each_load)
        described = {"kind": kind, **dataclasses.asdict(options), **self._replicas.description}
        return ReplicaServing(self._replicas, options, name), described

    def warm_up(self, limit_s: float = WARM_UP_S, probe_s: float = PROBE_S) -> None:
        """Run the model a few times, untimed, then measure about how fast it is.

        A slow model gets fewer calls, and is timed with smaller batches: both parts end
        after about ``limit_s``, and each of two probes after ``probe_s``.
        """
        warming = WarmingUp(self.handle, self.library, self.max_batch_size, limit_s, probe_s)
        self.pace = warming.pace(self._request.serving)

    def learn_pace(self, result: TestResult) -> None:
        """Take the throughput of an Offline test as what the system can do."""
        self.pace = learned_pace(self.pace, result)
