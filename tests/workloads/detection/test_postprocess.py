"""Response rows: every published variant of post-processing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inferometer.workloads.detection.postprocess import (
    COCO_CATEGORY_IDS,
    SsdMobileNetRule,
    SsdResNetRule,
    category_ids,
    graph_responses,
    listed_responses,
    ssd_mobilenet_responses,
    ssd_resnet_responses,
)

ONE = np.array([7])
A, A_NEAR, B = (0.1, 0.2, 0.3, 0.5), (0.1, 0.21, 0.3, 0.5), (0.6, 0.6, 0.9, 0.8)


def outputs(
    boxes: list[tuple[float, ...]], scores: list[list[float]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.array([boxes], np.float32), np.array([scores], np.float32)


def rows_of(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 7)


def test_categories_in_use_are_the_published_ones() -> None:
    assert len(COCO_CATEGORY_IDS) == 80
    labels = [1, 11, 12, 24, 25, 26, 27, 40, 41, 60, 61, 62, 63, 73, 74, 80]
    ids = [1, 11, 13, 25, 27, 28, 31, 44, 46, 65, 67, 70, 72, 82, 84, 90]
    assert category_ids(np.array(labels, np.float32)).tolist() == ids
    assert category_ids(np.array([])).tolist() == []


@pytest.mark.parametrize("label", [0, -1, 81])
def test_labels_of_no_category_are_refused(label: int) -> None:
    with pytest.raises(IndexError):
        category_ids(np.array([label]))


def test_graph_outputs_are_kept_as_far_as_they_are_counted() -> None:
    boxes = np.array([[A, B, (0, 0, 0, 0)]] * 2, np.float32)
    scores = np.array([[0.9, 0.01, 0.0]] * 2, np.float32)
    classes = np.array([[90.0, 1.0, 1.0]] * 2, np.float32)
    found = graph_responses(np.array([4, 5]), np.array([2.0, 0.0]), boxes, scores, classes)
    assert found[0].tolist() == rows_of((4, *A, 0.9, 90), (4, *B, 0.01, 1)).tolist()
    assert found[1].shape == (0, 7)
    assert found[1].tobytes() == b""


@pytest.mark.parametrize(("least", "kept"), [(0.3, 1), (0.05, 3), (0.5, 1), (0.95, 0)])
def test_lists_end_at_the_first_low_score(least: float, kept: int) -> None:
    boxes = np.array([A, B, A], np.float32)
    found = listed_responses(
        ONE, [boxes], [np.array([3, 2, 1])], [np.array([0.9, 0.2, 0.8])], least_score=least
    )
    assert len(found[0]) == kept
    if kept:
        xmin, ymin, xmax, ymax = A
        assert found[0][0].tolist() == rows_of((7, ymin, xmin, ymax, xmax, 0.9, 3))[0].tolist()


def test_lists_of_tensorflow_have_y_first() -> None:
    found = listed_responses(
        ONE, [np.array([A])], [np.array([80])], [np.array([0.06])], least_score=0.05, y_first=True
    )
    assert found[0].tolist() == rows_of((7, *A, 0.06, 80)).tolist()


def test_empty_lists_are_empty_responses() -> None:
    nothing: NDArray[Any] = np.array([])
    found = listed_responses(ONE, [nothing], [nothing], [nothing], least_score=0.05)
    assert found[0].shape == (0, 7)


def test_mobilenet_by_the_rule_of_tensorflow() -> None:
    out = (-0.1, 0.2, 0.3, 1.2)
    boxes, scores = outputs([A, A_NEAR, B, out], [[0.4, 0.5], [0.8, 0], [0.3, 0.31], [0, 0.9]])
    (found,) = ssd_mobilenet_responses(ONE, boxes, scores)
    expected = rows_of(
        (7, 0.0, 0.2, 0.3, 1.0, 0.9, 2),
        (7, *A_NEAR, 0.8, 1),
        (7, *A, 0.5, 2),
        (7, *B, 0.31, 2),
    )
    assert found.tolist() == expected.tolist(), "best first, cut at the edge, 0.3 itself is out"


def test_mobilenet_by_the_rule_of_pytorch() -> None:
    out = (-0.1, 0.2, 0.3, 1.2)
    boxes, scores = outputs([A, A_NEAR, B, out], [[0.4, 0.5], [0.8, 0], [0.3, 0.31], [0, 0.9]])
    (found,) = ssd_mobilenet_responses(ONE, boxes, scores, SsdMobileNetRule.pytorch())
    expected = rows_of(
        (7, *A_NEAR, 0.8, 1),
        (7, *out, 0.9, 2),
        (7, *A, 0.5, 2),
        (7, *B, 0.31, 2),
    )
    assert found.tolist() == expected.tolist(), "class after class, not cut"


def test_mobilenet_is_capped_by_tensorflow_only() -> None:
    side = np.arange(150) * 10.0
    boxes = np.stack([side, side, side + 1, side + 1], axis=1)[None].astype(np.float32)
    scores = np.linspace(0.9, 0.4, 300, dtype=np.float32).reshape(1, 150, 2)
    (capped,) = ssd_mobilenet_responses(ONE, boxes, scores)
    assert len(capped) == 100
    assert (np.diff(capped[:, 5]) <= 0).all()
    (free,) = ssd_mobilenet_responses(ONE, boxes, scores, SsdMobileNetRule.pytorch())
    assert len(free) == 300


def test_resnet_gives_ascending_scores_and_y_first() -> None:
    boxes, scores = outputs([A, A_NEAR, B], [[0.1, 0.4, 0.5], [0.1, 0.8, 0.1], [0.9, 0.05, 0.06]])
    (found,) = ssd_resnet_responses(ONE, boxes, scores)

    def y_first(box: tuple[float, ...]) -> tuple[float, ...]:
        return box[1], box[0], box[3], box[2]

    expected = rows_of(
        (7, *y_first(B), 0.06, 2), (7, *y_first(A), 0.5, 2), (7, *y_first(A_NEAR), 0.8, 1)
    )
    assert found.tolist() == expected.tolist()
    (onnx,) = ssd_resnet_responses(ONE, boxes, scores, SsdResNetRule(least_score=0.5))
    assert onnx.tolist() == expected[1:].tolist()


def test_resnet_takes_the_best_200_before_and_after_suppression() -> None:
    side = np.arange(500) * 10.0
    boxes = np.stack([side, side, side + 1, side + 1], axis=1)[None].astype(np.float32)
    scores = np.zeros((1, 500, 3), np.float32)
    scores[0, :, 1] = np.linspace(0.2, 0.7, 500)
    scores[0, :, 2] = 0.1
    (found,) = ssd_resnet_responses(ONE, boxes, scores)
    assert len(found) == 200
    assert set(found[:, 6].tolist()) == {1.0}
    assert found[-1, 5] == np.float32(0.7)
    # The two hundred best of a class lie on top of each other: nothing below them moves up.
    boxes[0, 300:] = boxes[0, 300]
    scores[0, :, 2] = 0
    (found,) = ssd_resnet_responses(ONE, boxes, scores)
    assert len(found) == 1


def test_resnet_can_repeat_the_published_mistake() -> None:
    here, far = (0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 0.7, 0.7)
    boxes, scores = outputs([here, far], [[0.0, 0.9], [0.0, 0.8]])
    assert len(ssd_resnet_responses(ONE, boxes, scores)[0]) == 2
    # The gaps 0.3 x 0.3 over 0.04 + 0.04 - 0.09 are negative; nearer ones pass 0.5.
    near = (0.4, 0.4, 0.6, 0.6)
    boxes, scores = outputs([here, near], [[0.0, 0.9], [0.0, 0.8]])
    rule = SsdResNetRule(unclamped=True)
    assert len(ssd_resnet_responses(ONE, boxes, scores)[0]) == 2
    assert len(ssd_resnet_responses(ONE, boxes, scores, rule)[0]) == 1


@pytest.mark.parametrize("respond", [ssd_mobilenet_responses, ssd_resnet_responses])
def test_samples_without_detections_have_empty_responses(respond: Any) -> None:
    boxes, scores = np.zeros((2, 5, 4), np.float32), np.zeros((2, 5, 3), np.float32)
    found = respond(np.array([1, 2]), boxes, scores)
    assert [rows.tobytes() for rows in found] == [b"", b""]
    assert all(rows.shape == (0, 7) for rows in found)


def test_samples_of_a_batch_are_answered_alone() -> None:
    random = np.random.default_rng(3)
    corners = random.random((4, 30, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + np.float32(0.3)], axis=2)
    scores = random.random((4, 30, 4)).astype(np.float32)
    for respond in (ssd_mobilenet_responses, ssd_resnet_responses):
        together = respond(np.arange(4), boxes, scores)
        for index in range(4):
            part = slice(index, index + 1)
            (alone,) = respond(np.array([index]), boxes[part], scores[part])
            assert alone.tobytes() == together[index].tobytes()
