"""Image classification: response bytes and top-1 accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import proportion_interval
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer

__all__ = ["class_responses", "decode_class", "top1_accuracy"]


def class_responses(scores: NDArray[np.floating[Any]], label_offset: int = 0) -> NDArray[Any]:
    """Give each sample's class as one little-endian float32; float32 [N, 1].

    ``scores`` is float [N, classes]; ``label_offset`` is how many classes, such as
    "background", the model has in front.

    Source: the published reference of MLPerf Inference, whose accuracy script reads
    float32 unless told otherwise.
    """
    classes: NDArray[Any] = scores.argmax(axis=1) - label_offset
    responses: NDArray[Any] = classes.astype("<f4").reshape(-1, 1)
    return responses


def decode_class(data: bytes) -> int | None:
    """Read a class from response bytes; ``None`` if they hold no float32."""
    if len(data) < 4:
        return None
    value = float(np.frombuffer(data, "<f4", 1)[0])
    return int(value) if np.isfinite(value) else None


def top1_accuracy(
    answers: Iterable[ScoredAnswer], labels: NDArray[np.integer[Any]], target: float | None
) -> AccuracyResult:
    """Compute top-1 accuracy over a whole data set.

    ``labels`` is int [samples], the class of each library index. The first answer to a
    sample counts; a sample without answer counts as wrong, which the published script,
    dividing by the samples that it saw, lets pass.
    """
    seen = np.zeros(len(labels), bool)
    good = repeated = unknown = 0
    for answer in answers:
        if not 0 <= answer.index < len(labels):
            unknown += 1
        elif seen[answer.index]:
            repeated += 1
        else:
            seen[answer.index] = True
            good += decode_class(answer.response.data) == int(labels[answer.index])
    total = len(labels)
    value = good / total if total else 0.0
    return AccuracyResult(
        metric="top-1",
        value=value,
        interval=proportion_interval(good, total),
        good=good,
        total=total,
        missing=int(total - seen.sum()),
        repeated=repeated,
        unknown=unknown,
        target=target,
        line=f"accuracy={100.0 * value:.3f}%, good={good}, total={total}",
    )
