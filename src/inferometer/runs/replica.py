"""Workload replica: a workload with its model as it lives in another process or machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.runs.kept_request import request_from
from inferometer.runs.loaded import LoadedWorkload
from inferometer.serving import ReplicaAnswer, Samples
from inferometer.workloads import InputLibrary
from inferometer.workloads.rows import take_rows

__all__ = ["WorkloadReplica"]


class WorkloadReplica:
    """Answers samples with a model of its own, from inputs it was given or loads itself."""

    def __init__(self, argument: Mapping[str, Any]):
        request = request_from(argument, Path("replica"), resumes=False)
        self._loaded = LoadedWorkload(request)
        self._own: InputLibrary = self._loaded.library
        self._own_indices: NDArray[np.int64] | None = None

    def take(self, samples: Samples) -> None:
        """Have these samples at hand, and no others."""
        if self._own_indices is not None:
            self._own.unload(self._own_indices)
            self._own_indices = None
        if samples.inputs is not None:
            self._loaded.library = _GivenSamples(self._own, samples.indices, samples.inputs)
            return
        self._own.load(samples.indices)
        self._own_indices = samples.indices
        self._loaded.library = self._own

    def answer(self, indices: NDArray[np.integer[Any]]) -> ReplicaAnswer:
        """Answer samples that are at hand; int [n]."""
        begun = time.perf_counter_ns()
        responses, preprocess_ns, infer_ns = self._loaded.timed(indices)
        return ReplicaAnswer(responses, preprocess_ns, infer_ns, time.perf_counter_ns() - begun)


class _GivenSamples:
    """A library of samples that were loaded elsewhere."""

    def __init__(
        self, own: InputLibrary, indices: NDArray[np.int64], inputs: Mapping[str, NDArray[Any]]
    ):
        self.name = own.name
        self.total_sample_count = own.total_sample_count
        self.performance_sample_count = own.performance_sample_count
        self._inputs = inputs
        self._rows = np.full(int(indices.max(initial=-1)) + 1, -1, np.int64)
        self._rows[indices] = np.arange(len(indices))

    def load(self, indices: NDArray[np.int64]) -> None:
        """Do nothing: they are loaded."""

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Do nothing."""

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs, by name, batch axis first."""
        return {name: take_rows(rows, self._rows, indices) for name, rows in self._inputs.items()}
