"""Top-1 scoring: response bytes of a class, and accuracy over a whole data set."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import nearest_name, proportion_interval
from inferometer.workloads.coverage import Coverage, cover
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer, WorkloadError

__all__ = ["DTYPES", "class_responses", "decode_class", "top1_accuracy", "top1_line"]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
}
"""What a class may be written as, by the names that the published script takes."""

_NO_CLASS = -1
_CHANCES = 5
"""Accuracy up to so many times that of guessing is a hint that bytes were misread."""


def class_responses(scores: NDArray[np.floating[Any]], label_offset: int = 0) -> NDArray[Any]:
    """Give each sample's class as one little-endian float32; float32 [N, 1].

    ``scores`` is float [N, classes]; ``label_offset`` is how many classes, such as
    "background", the model has in front.

    Source: the published reference of MLPerf Inference, whose accuracy script reads
    float32 unless told otherwise.
    """
    responses: NDArray[Any] = _classes(scores.shape[1], label_offset)[scores.argmax(axis=1)]
    return responses


@functools.cache
def _classes(count: int, label_offset: int) -> NDArray[Any]:
    """Give the response of each place of the scores, float32 [count, 1].

    Looking them up touches less code than arithmetic does: right after a model ran, none of
    it is in the processor's caches.
    """
    return np.arange(-label_offset, count - label_offset, dtype="<f4").reshape(-1, 1)


def decode_class(data: bytes, dtype: str = "float32") -> int | None:
    """Read a class from response bytes; ``None`` if they don't hold one of this type."""
    found = int(_decode([data], _dtype(dtype))[0])
    return None if found == _NO_CLASS else found


def top1_line(good: int, total: int) -> str:
    """Write accuracy as the published script does."""
    return f"accuracy={100.0 * good / total if total else 0.0:.3f}%, good={good}, total={total}"


def top1_accuracy(
    answers: Iterable[ScoredAnswer],
    labels: NDArray[np.integer[Any]],
    target: float | None,
    *,
    dtype: str = "float32",
) -> AccuracyResult:
    """Compute top-1 accuracy over a whole data set.

    ``labels`` is int [samples], the class of each library index; ``dtype`` one of `DTYPES`,
    how the answers hold it. The first answer to a sample counts; a sample without answer
    counts as wrong. The published script divides by the samples that it saw: that figure
    stands in ``details["seen only"]`` where samples are missing.

    Bytes read as the wrong type give the accuracy of guessing, without any error. Where
    the result looks like that and another type gives far more, ``details`` says what under
    ``as int32``, and so on.
    """
    coverage = cover(answers, len(labels))
    is_right = _judge(coverage, labels, _dtype(dtype))
    good, seen, total = int(is_right.sum()), len(coverage.answers), len(labels)
    details = _misread(coverage, labels, dtype, good)
    if coverage.missing and seen:
        details["seen only"] = good / seen
    return AccuracyResult(
        metric="top-1",
        value=good / total if total else 0.0,
        interval=proportion_interval(good, total),
        good=good,
        total=total,
        missing=coverage.missing,
        repeated=coverage.repeated,
        unknown=coverage.unknown,
        target=target,
        line=top1_line(good, total),
        details=details,
        sample_scores=is_right.astype(np.float64),
    )


def _dtype(name: str) -> np.dtype[Any]:
    if name not in DTYPES:
        raise WorkloadError(
            f"classes can't be written as {name!r}{nearest_name(name, DTYPES)}; known: "
            f"{', '.join(DTYPES)}"
        )
    return DTYPES[name]


def _decode(data: list[bytes], dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """Read the first element of each answer, cut to an integer; -1 where there is none."""
    found = np.full(len(data), _NO_CLASS, np.int64)
    fits = np.array([len(piece) >= dtype.itemsize for piece in data], bool)
    joined = b"".join(piece[: dtype.itemsize] for piece in data if len(piece) >= dtype.itemsize)
    values = np.frombuffer(joined, dtype)
    # No data set has classes beyond 32 bits; larger numbers, infinities and NaN are none.
    is_class = (values > -1) & (values < 2**31)
    found[np.flatnonzero(fits)[is_class]] = values[is_class].astype(np.int64)
    return found


def _judge(
    coverage: Coverage, labels: NDArray[np.integer[Any]], dtype: np.dtype[Any]
) -> NDArray[np.bool_]:
    """Tell of each sample whether its answer is its label; bool [samples]."""
    indices = np.fromiter(coverage.answers, np.int64, len(coverage.answers))
    is_right = np.zeros(len(labels), bool)
    is_right[indices] = _decode(list(coverage.answers.values()), dtype) == labels[indices]
    return is_right


def _misread(
    coverage: Coverage, labels: NDArray[np.integer[Any]], dtype: str, good: int
) -> dict[str, float]:
    """Give the accuracy by types that fit far better, if this one is no better than chance."""
    seen = len(coverage.answers)
    threshold = _CHANCES / max(1, len(np.unique(labels)))
    if not seen or good / seen > threshold:
        return {}
    others = {
        f"as {name}": float(_judge(coverage, labels, other).sum()) / seen
        for name, other in DTYPES.items()
        if name != dtype
    }
    least = max(threshold, _CHANCES * good / seen)
    return {name: share for name, share in others.items() if share > least}
