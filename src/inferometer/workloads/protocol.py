"""The seam to a task: samples in, bytes out, a score at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile
from inferometer.loadgen import InferometerError, Interval, Response, SampleLibrary

__all__ = [
    "AccuracyResult",
    "InputLibrary",
    "ScoredAnswer",
    "Workload",
    "WorkloadError",
    "WorkloadInfo",
]


class WorkloadError(InferometerError):
    """A workload is unknown, or its data or model are missing or damaged."""


@dataclass(frozen=True)
class WorkloadInfo:
    """What a workload is, without loading anything.

    reference_accuracy, quality_ratio:
        Accuracy of the fp32 reference, and the share of it that a result has to reach.
    server_latency_bound_ns, samples_per_query:
        Settings that belong to the task: the Server bound and the MultiStream size.
    round_benchmark:
        Name of the published benchmark whose settings ``--round`` takes.
    """

    name: str
    title: str
    task: str
    metric: str
    data_set: str
    sample_count: int
    reference_accuracy: float
    quality_ratio: float
    server_latency_bound_ns: int
    round_benchmark: str
    model_formats: tuple[str, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target_accuracy(self) -> float:
        """The accuracy that a result has to reach."""
        return self.reference_accuracy * self.quality_ratio


@dataclass(frozen=True)
class ScoredAnswer:
    """A logged answer with the library index of its sample."""

    index: int
    response: Response


@dataclass(frozen=True)
class AccuracyResult:
    """A score with how far it can be trusted, and how well the data set was covered.

    ``value`` counts samples that were never answered as wrong. ``line`` is what the
    published accuracy script prints. ``missing``, ``repeated`` and ``unknown`` count
    samples without an answer, further answers to a sample, and answers to no sample.
    """

    metric: str
    value: float
    interval: Interval
    good: int
    total: int
    missing: int
    repeated: int
    unknown: int
    target: float | None
    line: str

    @property
    def meets_target(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is none."""
        return None if self.target is None else self.value >= self.target


class InputLibrary(SampleLibrary, Protocol):
    """A sample library that also gives what the model takes."""

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples, by name, batch axis first."""
        ...


class Workload(Protocol):
    """A task: data, preprocessing, model, post-processing and score.

    Preprocessing happens in the library's ``load``, outside the timed part, and is
    limited to what the rules allow there: resizing, cropping, layout, normalising and
    numeric conversion. Post-processing is part of the timed part.
    """

    @property
    def info(self) -> WorkloadInfo:
        """What the workload is."""
        ...

    def library(self) -> InputLibrary:
        """Give a new sample library; raise `WorkloadError` if data are missing."""
        ...

    def model(self, formats: tuple[str, ...]) -> ModelFile:
        """Give the model in the first of these formats that there is."""
        ...

    def postprocess(self, outputs: list[NDArray[Any]]) -> NDArray[Any]:
        """Turn a batch of model outputs into responses, first axis over the samples."""
        ...

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Score the answers of an accuracy run over the whole data set."""
        ...
