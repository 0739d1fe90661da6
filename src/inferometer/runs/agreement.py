"""Agreement: one model on several backends gives the same answers to the same samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import (
    Backend,
    BackendOptions,
    MissingBackendError,
    OptionsChecker,
    Session,
    UnsupportedModelError,
    get_backend,
)
from inferometer.loadgen import InferometerError, Response
from inferometer.loadgen.responses import answers_of
from inferometer.runs.paired import PairedDifference, paired_difference
from inferometer.workloads import (
    MODEL,
    AccuracyResult,
    InputLibrary,
    ScoredAnswer,
    Workload,
    WorkloadOptions,
)
from inferometer.workloads.for_backend import definitions_of, model_files, workload_for

__all__ = ["REFERENCE_BACKEND", "Agreement", "agreements"]

REFERENCE_BACKEND = "onnxruntime"
"""The backend whose answers the others are compared with, on the same weights in fp32."""

_RAW_SAMPLES = 64
_BATCH = 32


@dataclass(frozen=True)
class Agreement:
    """What one backend gives for one workload, beside the reference.

    precision:
        What it was found to compute in.
    difference:
        Largest absolute difference of the model's raw outputs, as a share of the output's
        largest number; over the first samples, or a part's example inputs.
    paired:
        The accuracy minus the reference's, over the same samples.
    problem, operators:
        Why there is nothing, and the operators that the framework lacks.
    """

    workload: str
    backend: str
    version: str = ""
    precision: str = ""
    difference: float | None = None
    accuracy: AccuracyResult | None = None
    paired: PairedDifference | None = None
    problem: str = ""
    operators: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool | None:
        """Whether the accuracies' difference may be 0; ``None`` where it isn't known."""
        if self.paired is None:
            return None
        low, high = self.paired.interval.low, self.paired.interval.high
        return (low is None or low <= 0) and (high is None or high >= 0)


@dataclass(frozen=True)
class _Answers:
    """Raw outputs by part, the scored answers, and what really ran."""

    raw: Mapping[str, list[NDArray[Any]]]
    accuracy: AccuracyResult | None
    description: Mapping[str, Any]


def agreements(
    name: str,
    backends: Sequence[str],
    options: WorkloadOptions,
    backend_options: BackendOptions,
    note: Callable[[str], None] = lambda _: None,
) -> list[Agreement]:
    """Compare backends on one workload; the reference comes first.

    Every sample is answered once, outside any scenario, so that only the answers count. A
    backend that isn't installed, or can't express the model, has a row that says so.
    """
    plain = BackendOptions(threads=backend_options.threads)
    reference = _answers(name, get_backend(REFERENCE_BACKEND), options, plain, note)
    rows = []
    for backend_name in (REFERENCE_BACKEND, *(b for b in backends if b != REFERENCE_BACKEND)):
        backend = get_backend(backend_name)
        try:
            found = reference
            if backend_name != REFERENCE_BACKEND:
                note(f"{name} on {backend_name}")
                found = _answers(name, backend, options, backend_options, note)
        except UnsupportedModelError as error:
            version, operators = backend.version(), error.operators
            rows.append(
                Agreement(name, backend_name, version, problem=str(error), operators=operators)
            )
        except MissingBackendError as error:
            rows.append(Agreement(name, backend_name, problem=str(error)))
        except InferometerError as error:
            rows.append(Agreement(name, backend_name, backend.version(), problem=str(error)))
        else:
            rows.append(_row(name, backend, reference, found))
    return rows


def _row(name: str, backend: Backend, reference: _Answers, found: _Answers) -> Agreement:
    paired = None
    if reference.accuracy is not None and found.accuracy is not None:
        paired = paired_difference(reference.accuracy, found.accuracy)
    return Agreement(
        name,
        backend.name,
        str(found.description.get("version", backend.version())),
        str(found.description.get("precision", "unknown")),
        _largest_difference(reference.raw, found.raw),
        found.accuracy,
        paired,
    )


def _answers(
    name: str,
    backend: Backend,
    options: WorkloadOptions,
    backend_options: BackendOptions,
    note: Callable[[str], None],
) -> _Answers:
    workload = workload_for(name, options, backend)
    backend.version()
    if isinstance(backend, OptionsChecker):
        backend.check(backend_options)
    files = model_files(workload, options, backend, note)
    sessions = {part: backend.load(file, backend_options) for part, file in files.items()}
    try:
        library = workload.library()
        indices = np.arange(library.total_sample_count)
        library.load(indices)
        raw = _raw_outputs(workload, sessions, library)
        accuracy = None
        if not workload.info.not_scored:
            accuracy = workload.score(_scored(workload, sessions, library, indices))
        return _Answers(raw, accuracy, dict(next(iter(sessions.values())).description))
    finally:
        for session in sessions.values():
            session.close()


def _raw_outputs(
    workload: Workload, sessions: Mapping[str, Session], library: InputLibrary
) -> dict[str, list[NDArray[Any]]]:
    """Give the model's outputs for the first samples; of a part, for its example inputs."""
    if MODEL in sessions:
        session = sessions[MODEL]
        first = np.arange(min(_RAW_SAMPLES, library.total_sample_count))
        (array,) = library.inputs(first).values()
        pieces = [
            session.run({session.input_names[0]: array[start : start + _BATCH]})
            for start in range(0, len(array), _BATCH)
        ]
        return {MODEL: [np.concatenate(parts) for parts in zip(*pieces, strict=True)]}
    definitions = definitions_of(workload)
    return {
        part: sessions[part].run(definition.examples()) for part, definition in definitions.items()
    }


def _scored(
    workload: Workload,
    sessions: Mapping[str, Session],
    library: InputLibrary,
    indices: NDArray[np.int64],
) -> Iterator[ScoredAnswer]:
    predict = workload.predictor(sessions)
    batch = min(_BATCH, workload.info.largest_batch or _BATCH)
    for start in range(0, len(indices), batch):
        some = indices[start : start + batch]
        give = answers_of(predict(some, library.inputs(some)), len(some))
        for row, index in enumerate(some.tolist()):
            yield ScoredAnswer(index, Response(index, bytes(give(row)), b"", None))


def _largest_difference(
    reference: Mapping[str, list[NDArray[Any]]], found: Mapping[str, list[NDArray[Any]]]
) -> float | None:
    """Give the largest difference of float outputs as a share of the output's largest number."""
    shares = [0.0]
    for part, outputs in reference.items():
        for one, other in zip(outputs, found.get(part, []), strict=False):
            if one.dtype.kind != "f" or one.shape != other.shape:
                continue
            scale = float(np.abs(one).max(initial=0.0)) or 1.0
            gap = np.abs(other.astype(np.float64) - one).max(initial=0.0)
            shares.append(float(gap) / scale)
    return max(shares) if len(shares) > 1 else None
