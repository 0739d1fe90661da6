"""Detector answers: outputs of any kind of model become response rows. This is timed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import Session
from inferometer.loadgen import Responses, nearest_name
from inferometer.workloads.detection.postprocess import (
    SsdMobileNetRule,
    SsdResNetRule,
    graph_responses,
    listed_responses,
    ssd_mobilenet_responses,
    ssd_resnet_responses,
)
from inferometer.workloads.protocol import Predictor, WorkloadError

__all__ = ["RULES", "detector"]

_Outputs = Sequence[NDArray[Any]]
_Rule = Callable[[NDArray[np.integer[Any]], _Outputs, float | None], list[NDArray[np.float32]]]


def _graph(
    indices: NDArray[np.integer[Any]], outputs: _Outputs, threshold: float | None
) -> list[NDArray[np.float32]]:
    number, boxes, scores, classes = outputs
    found = graph_responses(indices, number, boxes, scores, classes)
    return found if threshold is None else [rows[rows[:, 5] >= threshold] for rows in found]


def _lists(
    indices: NDArray[np.integer[Any]],
    outputs: _Outputs,
    threshold: float | None,
    *,
    y_first: bool,
) -> list[NDArray[np.float32]]:
    boxes, labels, scores = (list(output) for output in outputs)
    return listed_responses(
        indices, boxes, labels, scores, least_score=threshold or 0.0, y_first=y_first
    )


def _own_mobilenet(
    indices: NDArray[np.integer[Any]],
    outputs: _Outputs,
    threshold: float | None,
    *,
    rule: SsdMobileNetRule,
) -> list[NDArray[np.float32]]:
    if threshold is not None:
        rule = dataclasses.replace(rule, threshold=threshold)
    return ssd_mobilenet_responses(indices, outputs[0], outputs[1], rule)


def _own_resnet(
    indices: NDArray[np.integer[Any]], outputs: _Outputs, threshold: float | None
) -> list[NDArray[np.float32]]:
    rule = SsdResNetRule()
    if threshold is not None:
        rule = dataclasses.replace(rule, threshold=threshold, least_score=threshold)
    return ssd_resnet_responses(indices, outputs[0], outputs[1], rule)


_GRAPH_OUTPUTS = ("num_detections", "detection_boxes", "detection_scores", "detection_classes")
_TF_OUTPUTS = ("detection_bboxes", "detection_classes", "detection_scores")
_LIST_OUTPUTS = ("bboxes", "labels", "scores")
_OWN_OUTPUTS = ("boxes", "scores")

RULES: Mapping[str, tuple[tuple[str, ...], _Rule]] = {
    "ssd-in-graph": (_GRAPH_OUTPUTS, _graph),
    "ssd-lists": (_LIST_OUTPUTS, partial(_lists, y_first=False)),
    "ssd-tf": (_TF_OUTPUTS, partial(_lists, y_first=True)),
    "ssd-mobilenet": (_OWN_OUTPUTS, partial(_own_mobilenet, rule=SsdMobileNetRule())),
    "ssd-mobilenet-pt": (_OWN_OUTPUTS, partial(_own_mobilenet, rule=SsdMobileNetRule.pytorch())),
    "ssd-resnet34": (_OWN_OUTPUTS, _own_resnet),
}
"""What a model's outputs are called, in order, and how they become rows."""


def detector(session: Session, rule: str, threshold: float | None = None) -> Predictor:
    """Give what turns photos into responses, float32 [k, 7], by a rule of `RULES`.

    ``threshold`` is the score that a detection needs, in place of the rule's own.

    The outputs are found by their names, with or without a number behind a colon, or else
    taken in their order. Raises `WorkloadError` for a model that gives something else.
    """
    if rule not in RULES:
        raise WorkloadError(
            f"there is no post-processing {rule!r}{nearest_name(rule, RULES)}; known: "
            f"{', '.join(RULES)}"
        )
    if len(session.input_names) != 1:
        raise WorkloadError(
            f"a detector takes one input, the photos; the model takes "
            f"{', '.join(session.input_names)}"
        )
    names, respond = RULES[rule]
    (input_name,) = session.input_names
    places = _places(session.output_names, names, rule)

    def predict(indices: NDArray[np.integer[Any]], inputs: Mapping[str, NDArray[Any]]) -> Responses:
        (photos,) = inputs.values()
        outputs = session.run({input_name: photos})
        return respond(indices, [outputs[place] for place in places], threshold)

    return predict


def _places(given: tuple[str, ...], wanted: tuple[str, ...], rule: str) -> list[int]:
    plain = [name.partition(":")[0] for name in given]
    if set(wanted) <= set(plain):
        return [plain.index(name) for name in wanted]
    # A Python function's outputs have no names.
    if given == ("output",) or len(given) == len(wanted):
        return list(range(len(wanted)))
    raise WorkloadError(
        f"post-processing {rule!r} reads {', '.join(wanted)}; the model gives {', '.join(given)}"
    )
