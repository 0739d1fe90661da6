"""The seam to a task: samples in, bytes out, a score at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.loadgen import InferometerError, Interval, Response, Responses, SampleLibrary

__all__ = [
    "MODEL",
    "RANDOM_SEED",
    "AccuracyResult",
    "CalibrationSet",
    "InputLibrary",
    "Predictor",
    "ScoredAnswer",
    "Workload",
    "WorkloadError",
    "WorkloadInfo",
    "WorkloadOptions",
    "in_unit",
]

MODEL = "model"
"""Name of the only part of a model that is one file."""

RANDOM_SEED = 20191106
"""Seed of random weights and synthetic samples, unless another is asked for."""


class WorkloadError(InferometerError):
    """A workload is unknown, or its data or model are missing or damaged."""


@dataclass(frozen=True)
class WorkloadOptions:
    """What a user chooses about a workload.

    data:
        Folder of the data set, in its published layout; ``synthetic`` samples if it has
        that name. ``None`` takes the place where `inferometer fetch` puts it.
    model:
        Model file, or folder with the files of a model's parts, in place of the
        catalogue's.
    weights:
        ``published``, or ``random`` for the true architecture with seeded random weights.
    number_format:
        ``fp32``, or ``int8`` for the post-training quantised model.
    layout:
        How photos lie for a model that is made for a backend: ``NCHW`` or ``NHWC``; empty for
        the model's own way.
    count:
        Take only so many samples of the data set; the accuracy then is a preview.
    extra:
        Options that only this workload knows, by name.
    """

    data: Path | None = None
    model: Path | None = None
    weights: str = "published"
    number_format: str = "fp32"
    seed: int = RANDOM_SEED
    layout: str = ""
    count: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkloadInfo:
    """What a workload is, without loading anything.

    reference_accuracy, quality_ratio:
        Accuracy of the fp32 reference in the unit of the metric (a fraction where ``unit``
        is ``%``), and the share of it that a result has to reach. ``None`` where there is
        no reference.
    unit:
        ``%`` for metrics that are fractions, shown as percent; empty for plain numbers.
    server_latency_bound_ns, server_percentile:
        The Server bound that belongs to the task, and the share that has to keep it.
    round_benchmark:
        Name of the published benchmark whose settings ``--round`` takes.
    quantization:
        How the model is quantised: ``static`` with calibration samples, or ``dynamic``.
    largest_batch:
        Most samples that the model takes at once; ``None`` for any number.
    not_scored:
        Why accuracy can't be measured, such as random weights; empty if it can.
    """

    name: str
    title: str
    task: str
    metric: str
    data_set: str
    sample_count: int
    reference_accuracy: float | None
    quality_ratio: float
    server_latency_bound_ns: int
    round_benchmark: str
    model_formats: tuple[str, ...]
    unit: str = "%"
    server_percentile: float = 0.99
    quantization: str = "static"
    largest_batch: int | None = None
    not_scored: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target_accuracy(self) -> float | None:
        """The accuracy that a result has to reach; ``None`` where there is no reference."""
        if self.reference_accuracy is None:
            return None
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
    published accuracy script prints last. ``missing``, ``repeated`` and ``unknown`` count
    samples without an answer, further answers to a sample, and answers to no sample.
    ``good`` is the number of right samples, for metrics that count such. ``details`` are
    further figures of the same evaluation, by name, in the same unit.

    Two results on the same samples are compared in pairs, by one of: ``sample_scores``,
    float64 [samples], of which the metric is the mean; ``replicates``, float64 [n], the
    metric over resampled samples, the same for every result on the data set (bootstrap).
    """

    metric: str
    value: float
    interval: Interval
    total: int
    missing: int
    repeated: int
    unknown: int
    target: float | None
    line: str
    good: int | None = None
    unit: str = "%"
    details: Mapping[str, float] = field(default_factory=dict)
    sample_scores: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    replicates: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @property
    def meets_target(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is none."""
        return None if self.target is None else self.value >= self.target


def in_unit(value: float | None, unit: str) -> str:
    """Write a value of an accuracy metric: fractions as percent, BLEU and the like plainly."""
    if value is None:
        return "–"
    return f"{value:.2%}" if unit == "%" else f"{value:.2f}{unit}"


class InputLibrary(SampleLibrary, Protocol):
    """A sample library that also gives what the model takes."""

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's inputs for loaded samples, by name, batch axis first."""
        ...


@dataclass(frozen=True)
class CalibrationSet:
    """Samples that a quantiser may look at.

    ``ids`` name them, in the order of the library's indices; ``source`` says which list they
    are. A workload that has one gives it by a method ``calibration()``.
    """

    source: str
    ids: tuple[str, ...]
    library: InputLibrary

    def first(self, count: int) -> CalibrationSet:
        """Give the set of only the first samples."""
        return replace(self, ids=self.ids[:count])

    def to_mapping(self) -> dict[str, Any]:
        """Give what a recipe says of it: source, ids, and their hash (one id a line)."""
        text = "".join(f"{name}\n" for name in self.ids)
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        return {
            "source": self.source,
            "count": len(self.ids),
            "ids_sha256": digest,
            "ids": list(self.ids),
        }


class Predictor(Protocol):
    """Answers a batch: runs the model, then post-processing. This is what is timed.

    May be called from several threads at once.
    """

    def __call__(
        self, indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]
    ) -> Responses:
        """Give a response for each sample: int [n] library indices, and their inputs."""
        ...


class Workload(Protocol):
    """A task: data, preprocessing, model, post-processing and score.

    Preprocessing happens in the library's ``load``, outside the timed part, and is
    limited to what the rules allow there: resizing, cropping, layout, normalising and
    numeric conversion. Post-processing is part of the timed part.

    A workload is made with one argument, its `WorkloadOptions`; making it loads nothing.
    One whose model can be made for any framework also has a method ``definitions()``, which
    gives a `ModelDefinition` for each part, or none for a user's own file.
    """

    @property
    def info(self) -> WorkloadInfo:
        """What the workload is."""
        ...

    def library(self) -> InputLibrary:
        """Give a new sample library; raise `WorkloadError` if data are missing."""
        ...

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:
        """Give the files of the model by part, in the first of these formats that there is.

        Most models are one file, the part `MODEL`. Raises `WorkloadError` if it is missing.
        """
        ...

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Give what answers batches, over the loaded parts of the model."""
        ...

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Score the answers of an accuracy run over the whole data set."""
        ...
