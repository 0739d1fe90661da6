"""Classifier answers: scores or classes from any model become response bytes. This is timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.loadgen import Responses, nearest_name
from inferometer.workloads.classification.scoring import class_responses
from inferometer.workloads.protocol import Predictor, WorkloadError

__all__ = ["classifier"]


def classifier(
    session: Session, label_offset: int, output: str | None = None, classes: int | None = None
) -> Predictor:
    """Give what turns photos into classes, float32 [N, 1], by one of the model's outputs.

    The output may hold scores, float [N, classes, ...], or classes themselves, integer [N].
    ``label_offset`` is how many classes, such as "background", are in front of class 0 where
    the model gives classes; scores of a known number of ``classes`` show it themselves.
    Raises `WorkloadError` for a model with several inputs, or without the output.
    """
    if len(session.input_names) != 1:
        raise WorkloadError(
            f"a classifier takes one input, the photos; the model takes "
            f"{', '.join(session.input_names)}"
        )
    (input_name,) = session.input_names
    place = _place_of(session, output)

    def predict(
        indices: NDArray[np.integer[Any]],  # noqa: ARG001
        inputs: Mapping[str, NDArray[Any]],
    ) -> Responses:
        (photos,) = inputs.values()
        found = session.run({input_name: photos})[place]
        if found.dtype.kind in "iu":
            return (found.reshape(len(photos), -1)[:, :1] - label_offset).astype("<f4")
        scores = found.reshape(len(photos), found.shape[1])
        offset = label_offset if classes is None else max(0, scores.shape[1] - classes)
        return class_responses(scores, offset)

    return predict


def _place_of(session: Session, output: str | None) -> int:
    if output is None:
        return 0
    if output not in session.output_names:
        hint = nearest_name(output, session.output_names)
        raise WorkloadError(
            f"the model has no output {output!r}{hint}; it gives {', '.join(session.output_names)}"
        )
    return session.output_names.index(output)
