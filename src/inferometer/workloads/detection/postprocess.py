"""Post-processing: what detection models give becomes response rows. This is timed.

A response is float32 [k, 7], one row a detection: library index, ymin, xmin, ymax, xmax
in shares of the picture, score, class; without detections it has no rows and no bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.detection.boxes import suppress

__all__ = [
    "COCO_CATEGORY_IDS",
    "ROW_WIDTH",
    "SsdMobileNetRule",
    "SsdResNetRule",
    "category_ids",
    "graph_responses",
    "listed_responses",
    "ssd_mobilenet_responses",
    "ssd_resnet_responses",
]

ROW_WIDTH = 7

_ABSENT_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
COCO_CATEGORY_IDS = tuple(number for number in range(1, 91) if number not in _ABSENT_IDS)
"""The 80 category ids of COCO in use, ascending."""

_Y_FIRST = (1, 0, 3, 2)


@dataclass(frozen=True)
class SsdMobileNetRule:
    """How SSD-MobileNet's boxes become detections, by default as in the TensorFlow graph.

    Per class, scores above ``threshold`` go through suppression, which drops boxes that
    overlap a better one by more than ``overlap``. With ``most`` no more than so many a
    class, and in all, are kept, best first, and boxes are cut at the picture's edge;
    without it all are kept, class after class, as they are. ``epsilon`` is that of
    `overlaps`.
    """

    threshold: float = 0.3
    overlap: float = 0.6
    most: int | None = 100
    epsilon: float = 0.0

    @classmethod
    def pytorch(cls) -> SsdMobileNetRule:
        """Give the rule of the published PyTorch model."""
        return cls(most=None, epsilon=1e-5)


@dataclass(frozen=True)
class SsdResNetRule:
    """How SSD-ResNet34's boxes become detections, by default as in the PyTorch model.

    Per class, the best ``most`` of the scores above ``threshold`` go through suppression,
    which drops boxes that overlap a better one by ``overlap`` or more; the best ``most``
    of all classes are given in ascending order of score. Of those, scores of at least
    ``least_score`` are answered. ``unclamped`` is that of `overlaps`: bug-compatible.
    """

    threshold: float = 0.05
    overlap: float = 0.5
    most: int = 200
    least_score: float = 0.05
    unclamped: bool = False


def category_ids(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Turn labels 1 … 80 into COCO category ids 1 … 90.

    Published SSD-ResNet34 answers are labels; the scorer turns them, and nobody else.
    Raises IndexError for a label out of range.
    """
    table = np.array(COCO_CATEGORY_IDS, np.int64)
    places = np.asarray(labels).astype(np.int64) - 1
    if places.size and int(places.min()) < 0:
        raise IndexError(f"label {int(places.min()) + 1} is none of 1 … {len(table)}")
    return table[places]


def graph_responses(
    indices: NDArray[np.integer[Any]],
    num_detections: NDArray[Any],
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any],
) -> list[NDArray[np.float32]]:
    """Give responses from a graph that post-processes, as SSD-MobileNet for TensorFlow and ONNX.

    ``num_detections`` is [n]; ``boxes`` [n, most, 4] are (ymin, xmin, ymax, xmax);
    ``scores`` and ``classes`` are [n, most]. All that is counted is kept.
    """
    responses = []
    for sample, index in enumerate(indices.tolist()):
        kept = slice(int(num_detections[sample]))
        responses.append(
            _rows(index, boxes[sample][kept], scores[sample][kept], classes[sample][kept])
        )
    return responses


def listed_responses(
    indices: NDArray[np.integer[Any]],
    boxes: Sequence[NDArray[Any]],
    labels: Sequence[NDArray[Any]],
    scores: Sequence[NDArray[Any]],
    *,
    least_score: float,
    y_first: bool = False,
) -> list[NDArray[np.float32]]:
    """Give responses from a list a sample of boxes [k, 4], labels [k] and scores [k].

    A list is read up to its first score below ``least_score``: 0.3 for SSD-MobileNet in
    PyTorch, 0.05 for SSD-ResNet34 in PyTorch and TensorFlow, 0.5 for it in ONNX. Boxes are
    (xmin, ymin, xmax, ymax), with ``y_first`` (ymin, xmin, ymax, xmax) as in TensorFlow.
    """
    responses = []
    for sample, index in enumerate(indices.tolist()):
        below = np.flatnonzero(np.asarray(scores[sample]) < least_score)
        kept = slice(int(below[0])) if below.size else slice(None)
        corners = np.asarray(boxes[sample])[kept].reshape(-1, 4)
        if not y_first:
            corners = corners[:, _Y_FIRST]
        responses.append(_rows(index, corners, scores[sample][kept], labels[sample][kept]))
    return responses


def ssd_mobilenet_responses(
    indices: NDArray[np.integer[Any]],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    rule: SsdMobileNetRule | None = None,
) -> list[NDArray[np.float32]]:
    """Give responses from our SSD-MobileNet's outputs; classes count from 1.

    ``boxes`` is float32 [n, anchors, 4] as (ymin, xmin, ymax, xmax), ``scores`` float32
    [n, anchors, classes] without background.
    """
    rule = SsdMobileNetRule() if rule is None else rule

    def keep(candidates: NDArray[np.float32]) -> NDArray[np.intp]:
        return suppress(candidates, rule.overlap, most=rule.most, epsilon=rule.epsilon)

    responses = []
    for index, found, values in zip(indices.tolist(), boxes, scores, strict=True):
        candidates = _candidates(values, rule.threshold, first_class=1)
        places, classes, best = candidates.suppressed(found, None, keep)
        kept = found[places]
        if rule.most is not None:
            order = np.argsort(-best, kind="stable")[: rule.most]
            kept, best, classes = np.clip(kept[order], 0.0, 1.0), best[order], classes[order]
        responses.append(_rows(index, kept, best, classes))
    return responses


def ssd_resnet_responses(
    indices: NDArray[np.integer[Any]],
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    rule: SsdResNetRule | None = None,
) -> list[NDArray[np.float32]]:
    """Give responses from our SSD-ResNet34's outputs; classes are labels that count from 1.

    ``boxes`` is float32 [n, boxes, 4] as (xmin, ymin, xmax, ymax), ``scores`` float32
    [n, boxes, 1 + classes] with the background first. A sample without any detection has
    an empty response.
    """
    rule = SsdResNetRule() if rule is None else rule

    def keep(candidates: NDArray[np.float32]) -> NDArray[np.intp]:
        return suppress(candidates, rule.overlap, keep_equal=False, unclamped=rule.unclamped)

    responses = []
    for index, found, values in zip(indices.tolist(), boxes, scores, strict=True):
        candidates = _candidates(values, rule.threshold, first_class=0)
        places, classes, best = candidates.suppressed(found, rule.most, keep)
        order = np.argsort(best, kind="stable")[-rule.most :]
        order = order[best[order] >= rule.least_score]
        kept = found[places[order]][:, _Y_FIRST]
        responses.append(_rows(index, kept, best[order], classes[order]))
    return responses


@dataclass(frozen=True)
class _Candidates:
    """Boxes with their class, 1 or more, and score: class after class, best first."""

    places: NDArray[np.intp]
    classes: NDArray[np.intp]
    scores: NDArray[np.float32]

    def suppressed(
        self,
        boxes: NDArray[np.float32],
        most: int | None,
        keep: Callable[[NDArray[np.float32]], NDArray[np.intp]],
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """Give what ``keep`` leaves of the best ``most`` of each class."""
        bounds = (np.flatnonzero(np.diff(self.classes)) + 1).tolist()
        chosen = []
        for start, end in zip([0, *bounds], [*bounds, len(self.classes)], strict=True):
            run = np.arange(start, end)[:most]
            chosen.append(run[keep(boxes[self.places[run]])])
        kept = np.concatenate(chosen)
        return self.places[kept], self.classes[kept], self.scores[kept]


def _candidates(scores: NDArray[np.float32], threshold: float, first_class: int) -> _Candidates:
    """Give the scores [boxes, classes] above a threshold; class 0 is background.

    ``first_class`` is the class of the first column.
    """
    # The mask is searched flat, which takes a fifth of the time of a search by rows.
    flat = np.flatnonzero(scores > np.float32(threshold))
    places, classes = np.divmod(flat, scores.shape[1])
    classes += first_class
    best = scores.reshape(-1)[flat]
    order = np.lexsort((-best, classes))
    order = order[np.count_nonzero(classes == 0) :]
    return _Candidates(places[order], classes[order], best[order])


def _rows(
    index: int, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any]
) -> NDArray[np.float32]:
    rows = np.empty((len(scores), ROW_WIDTH), np.float32)
    rows[:, 0] = index
    rows[:, 1:5] = boxes
    rows[:, 5] = scores
    rows[:, 6] = classes
    return rows
