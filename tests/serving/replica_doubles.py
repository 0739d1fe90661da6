"""Doubles for tests of replicas: what a replica does, and a pool of them without processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import RunOutcome
from inferometer.serving import Recipe, ReplicaAnswer, Samples
from inferometer.serving.replicas import Answered, Sink, nobody

HERE = Path(__file__).resolve().parents[2]


class EchoReplica:
    """Answers each sample with the first number of its input, or with its index.

    fail_on, die_on:
        Library index at which it raises an error, or ends its process.
    die_once:
        File that is there once it has died; then it doesn't again.
    """

    def __init__(self, argument: Mapping[str, Any]):
        self._argument = argument
        self._samples: Samples | None = None
        if argument.get("broken"):
            raise ValueError("no such model")

    def take(self, samples: Samples) -> None:
        self._samples = samples

    def answer(self, indices: NDArray[np.integer[Any]]) -> ReplicaAnswer:
        time.sleep(self._argument.get("service_s", 0.0))
        if self._argument.get("fail_on") in indices:
            raise ValueError("a sample that the model can't take")
        if self._argument.get("die_on") in indices:
            os.kill(os.getpid(), 9)
        samples = self._samples
        assert samples is not None
        rows = np.searchsorted(samples.indices, indices)
        assert (samples.indices[rows] == indices).all()
        values = indices if samples.inputs is None else samples.inputs["x"][rows, 0]
        return ReplicaAnswer(values.astype("<i4").reshape(-1, 1), 10, 20, 40)


def recipe(**argument: Any) -> Recipe:
    return Recipe("tests.serving.replica_doubles:EchoReplica", argument)


def samples(count: int = 64) -> Samples:
    indices = np.arange(count)
    return Samples(indices, {"x": np.stack([indices + 1000, indices], axis=1)})


class ScriptedReplicas:
    """Replicas whose answers come when the script, called at each batch, says so."""

    def __init__(self, count: int, script: Callable[[int, int, NDArray[Any], Sink], None]):
        self.count = count
        self.description: Mapping[str, Any] = {}
        self._script = script
        self._sink: Sink = nobody

    def listen(self, sink: Sink) -> tuple[int, ...]:
        self._sink = sink
        return tuple(range(self.count))

    def take(self, samples: Samples) -> None:
        pass

    def send(self, replica: int, ticket: int, indices: NDArray[np.integer[Any]]) -> None:
        self._script(replica, ticket, indices, self._sink)

    def close(self) -> None:
        pass


def echo(ticket: int, indices: NDArray[np.integer[Any]]) -> Answered:
    responses = indices.astype("<i4").reshape(-1, 1)
    return Answered(ticket, ReplicaAnswer(responses, 10, 20, 40))


def answers_of(outcome: RunOutcome) -> list[tuple[int, int]]:
    """Give each answer with the library index of its sample, in the order of samples."""
    index = {}
    for series in outcome.recording.series:
        for place, sample in enumerate(series.sample_index.tolist()):
            index[series.first_sample_id + place] = sample
    return sorted((index[r.sample_id], int.from_bytes(r.data, "little")) for r in outcome.responses)
