"""Replicated model: the serving of a request by copies of its model elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import SettingsError
from inferometer.loadgen.cores import usable_cores
from inferometer.runs.kept_request import request_mapping
from inferometer.runs.request import PROCESSES, RAY, RunRequest, ServingOptions
from inferometer.serving import Recipe, Replicas, Samples
from inferometer.serving.process_options import ProcessOptions
from inferometer.serving.process_replicas import ProcessReplicas
from inferometer.serving.ray_cluster import RayOptions, check_ray
from inferometer.serving.ray_replicas import RayReplicas
from inferometer.workloads import InputLibrary

__all__ = [
    "SpreadLibrary",
    "check_serving",
    "most_in_flight",
    "recipe_of",
    "samples_of",
    "start_replicas",
    "takes_own_samples",
]

_PLACE = "inferometer.runs.replica:WorkloadReplica"
_PLACE = "inferometer.runs.replica:WorkloadReplica"
_SAMPLES, _IN_FLIGHT = "samples", "in_flight"
_GIVEN, _OWN = "given", "own"


class SpreadLibrary:
    """A sample library whose samples all replicas get, each time some are loaded.

    They get the inputs themselves, or load them from their own copy of the data set.
    """

    def __init__(self, library: InputLibrary, replicas: Replicas, *, has_each_load: bool):
        self.inner = library
        self._replicas = replicas
        self._has_each_load = has_each_load
        self.name = library.name
        self.total_sample_count = library.total_sample_count
        self.performance_sample_count = library.performance_sample_count

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring samples into memory, here and at all replicas; int64 [n]."""
        self.inner.load(indices)
        if self._has_each_load:
            self._replicas.take(Samples(np.unique(indices)))
        else:
            self._replicas.take(samples_of(self.inner, indices))

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let samples go; replicas do with the next load."""
        self.inner.unload(indices)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples."""
        return self.inner.inputs(indices)


def check_serving(serving: ServingOptions) -> None:
    """Refuse what a serving doesn't take, before anything is loaded.

    Raises `SettingsError`, and `ReplicaError` if Ray is asked for and isn't installed.
    """
    if serving.kind not in (PROCESSES, RAY):
        if serving.extra:
            raise SettingsError(
                f"--serving-option {next(iter(serving.extra))} is for the servings {PROCESSES} "
                f"and {RAY}"
            )
        return
    takes_own_samples(serving)
    most_in_flight(serving)
    if serving.kind == PROCESSES:
        ProcessOptions.of(_of_kind(serving))
        return
    RayOptions.of(_of_kind(serving))
    check_ray()


def start_replicas(request: RunRequest) -> Replicas:
    """Start the replicas that a request asks for; raise `ReplicaError` if that can't be."""
    serving = request.serving
    options = _of_kind(serving)
    if serving.kind == RAY:
        return RayReplicas(recipe_of(request), serving.workers, RayOptions.of(options))
    assert serving.kind == PROCESSES
    return ProcessReplicas(
        recipe_of(request), serving.workers or usable_cores(), ProcessOptions.of(options)
    )


def _of_kind(serving: ServingOptions) -> dict[str, str]:
    """Give the options that only the kind itself knows."""
    return {
        name: word for name, word in serving.extra.items() if name not in (_SAMPLES, _IN_FLIGHT)
    }


def takes_own_samples(serving: ServingOptions) -> bool:
    """Tell whether each replica loads samples itself; raise `SettingsError` for other words."""
    word = serving.extra.get(_SAMPLES, _GIVEN)
    if word not in (_GIVEN, _OWN):
        raise SettingsError(f"the serving's {_SAMPLES} is {word!r}; it is {_GIVEN} or {_OWN}")
    return word == _OWN


def most_in_flight(serving: ServingOptions) -> int:
    """Say how many batches a replica may have at a time; raise `SettingsError` for no number."""
    word = serving.extra.get(_IN_FLIGHT, "2")
    if not word.isdigit() or word == "0":
        raise SettingsError(f"the serving's {_IN_FLIGHT} is {word!r}; it is a number from 1 up")
    return int(word)


def recipe_of(request: RunRequest) -> Recipe:
    """Give how replicas of a request's model are made."""
    plain = dataclasses.replace(request, serving=ServingOptions(), tuned={})
    return Recipe(_PLACE, request_mapping(plain))


def samples_of(library: InputLibrary, indices: NDArray[np.int64]) -> Samples:
    """Give loaded samples with their inputs, where all are of one shape.

    Where they are not, as sentences are, a batch is filled up to its longest: replicas then
    load the samples themselves.
    """
    distinct = np.unique(indices)
    if not len(distinct):
        return Samples(distinct)
    first = library.inputs(distinct[:1])
    if any(len(array) != 1 for array in first.values()):
        return Samples(distinct)
    rows = {
        name: np.empty((len(distinct), *array.shape[1:]), array.dtype)
        for name, array in first.items()
    }
    for place in range(len(distinct)):
        for name, array in library.inputs(distinct[place : place + 1]).items():
            row = rows[name][place]
            if array.shape[1:] != row.shape or array.dtype != row.dtype:
                return Samples(distinct)
            row[...] = array[0]
    return Samples(distinct, rows)
