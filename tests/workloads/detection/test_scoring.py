"""mAP: the twelve figures of pycocotools, coverage, damaged payloads, the interval."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.workloads.detection.scoring import FIGURES, coco_map
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.detection.scenes import (
    CATEGORY_IDS,
    Scenes,
    answer,
    judged_by_pycocotools,
    make_scenes,
)

pytest.importorskip("hotcoco")


def figures_of(found: Any) -> list[float]:
    return [found.details[name] for name in FIGURES.values()]


def agree(scenes: Scenes, **options: Any) -> None:
    pytest.importorskip("pycocotools")
    found = coco_map(scenes.answers(), scenes.annotations, None, **options)
    expected = judged_by_pycocotools(scenes.annotations, scenes.rows)
    assert figures_of(found) == pytest.approx(expected.tolist(), abs=1e-12)
    assert found.line == f"mAP={100.0 * max(0.0, expected[0]):.3f}%"
    assert found.missing == 0
    assert "seen only" not in found.details


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"crowds": 0.0},
        {"crowds": 1.0},
        {"score_steps": 4},
        {"score_steps": 1, "noise": 40},
        {"boxes": 0.5},
        {"boxes": 30.0, "noise": 130},
        {"categories": [7]},
    ],
    ids=str,
)
def test_twelve_figures_agree_with_pycocotools(options: dict[str, Any]) -> None:
    agree(make_scenes(seed=20, images=60, **options))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 12),
    boxes=st.sampled_from([0.3, 2.0, 8.0]),
    crowds=st.sampled_from([0.0, 0.2, 0.8]),
    score_steps=st.sampled_from([0, 2, 10]),
    noise=st.sampled_from([1, 5, 30]),
)
def test_any_scene_agrees_with_pycocotools(
    seed: int, images: int, boxes: float, crowds: float, score_steps: int, noise: int
) -> None:
    scenes = make_scenes(
        seed, images, boxes=boxes, crowds=crowds, score_steps=score_steps, noise=noise
    )
    if any(len(rows) for rows in scenes.rows.values()):  # pycocotools fails without any
        agree(scenes)


def test_boxes_outside_the_image_and_turned_inside_out() -> None:
    scenes = make_scenes(3, 20)
    scenes.rows[0][:, 1:5] *= 3.0
    scenes.rows[1][:, [1, 3]] = scenes.rows[1][:, [3, 1]]
    scenes.rows[2][:, 1:5] = 0.25
    agree(scenes)


def test_images_without_answer_count_as_without_detections() -> None:
    pytest.importorskip("pycocotools")
    scenes = make_scenes(5, 50)
    seen = {index: scenes.rows[index] for index in range(0, 50, 2)}
    found = coco_map((answer(index, rows) for index, rows in seen.items()), scenes.annotations, 0.2)
    assert (found.total, found.missing) == (50, 25)
    whole = judged_by_pycocotools(scenes.annotations, seen)
    assert figures_of(found) == pytest.approx(whole.tolist(), abs=1e-12)
    as_published = judged_by_pycocotools(scenes.annotations, seen, only_seen=True)
    assert found.details["seen only"] == pytest.approx(as_published[0], abs=1e-12)
    assert found.value < found.details["seen only"]
    assert found.meets_target is (found.value >= 0.2)


def test_the_inverse_map_counts_categories_in_their_order() -> None:
    scenes = make_scenes(6, 30)
    expected = coco_map(scenes.answers(), scenes.annotations, None)
    for rows in scenes.rows.values():
        rows[:, 6] = [CATEGORY_IDS.index(int(category)) + 1 for category in rows[:, 6]]
    found = coco_map(scenes.answers(), scenes.annotations, None, inverse_map=True)
    assert figures_of(found) == figures_of(expected)
    scenes.rows[0][:2, 6] = [0, len(CATEGORY_IDS) + 1]
    found = coco_map(scenes.answers(), scenes.annotations, None, inverse_map=True)
    assert found.details["rows of no category"] == 2


def test_images_without_boxes_may_be_left_out() -> None:
    """As the data set of the published 1200 PyTorch model: 4,952 images, in their order."""
    pytest.importorskip("pycocotools")
    scenes = make_scenes(8, 60, boxes=1.0)
    with_boxes = {entry["image_id"] for entry in scenes.annotations["annotations"]}
    kept = [n for n, image in enumerate(scenes.annotations["images"]) if image["id"] in with_boxes]
    assert 20 < len(kept) < 60
    answers = [answer(place, scenes.rows[index]) for place, index in enumerate(kept)]
    found = coco_map(answers, scenes.annotations, None, only_annotated=True)
    assert (found.total, found.missing) == (len(kept), 0)
    rows = {index: scenes.rows[index] for index in kept}
    expected = judged_by_pycocotools(scenes.annotations, rows, only_seen=True)
    assert figures_of(found) == pytest.approx(expected.tolist(), abs=1e-12)


def test_no_detections_at_all() -> None:
    scenes = make_scenes(9, 45)
    empty = [answer(index, b"") for index in scenes.rows]
    for answers in (empty, []):
        found = coco_map(answers, scenes.annotations, 0.2)
        assert (found.value, found.line, found.meets_target) == (0.0, "mAP=0.000%", False)
        assert (found.interval.low, found.interval.high) == (0.0, 0.0)


def test_a_data_set_without_boxes() -> None:
    scenes = make_scenes(10, 5, boxes=0.0)
    found = coco_map(scenes.answers(), scenes.annotations, None)
    assert found.value == 0.0
    assert set(figures_of(found)) == {-1.0}


def test_damaged_payloads_are_counted() -> None:
    scenes = make_scenes(11, 10)
    expected = coco_map(
        [answer(index, rows) for index, rows in scenes.rows.items() if index not in (0, 1)],
        scenes.annotations,
        None,
    )
    not_finite = scenes.rows[1].copy()[:3]
    not_finite[:, [1, 3, 5]] = [np.nan, np.inf, -np.inf]
    misplaced = scenes.rows[2].copy()
    misplaced[:, 0] = 7
    strange = np.vstack([scenes.rows[3], [3, 0, 0, 1, 1, 0.9, 77], [3, 0, 0, 1, 1, 0.9, 3e9]])
    answers = [
        answer(0, scenes.rows[0].tobytes()[:-1]),
        answer(1, not_finite),
        answer(2, misplaced),
        answer(3, strange),
        *(answer(index, scenes.rows[index]) for index in range(4, 10)),
        answer(4, b""),
        answer(-1, b""),
        answer(10, b""),
    ]
    found = coco_map(answers, scenes.annotations, None)
    assert (found.missing, found.repeated, found.unknown) == (0, 1, 2)
    assert found.details["malformed answers"] == 4
    assert found.details["rows of another sample"] == len(misplaced)
    assert found.details["rows of no category"] == 2
    assert figures_of(found) == figures_of(expected), "a misplaced row counts for what was asked"


def test_the_interval_holds_the_value_and_shrinks_with_the_data_set() -> None:
    widths = []
    for images in (100, 1600):
        scenes = make_scenes(12, images)
        found = coco_map(scenes.answers(), scenes.annotations, None)
        assert found.interval.low is not None
        assert found.interval.high is not None
        assert 0.0 < found.interval.low < found.value < found.interval.high < 1.0
        widths.append(found.interval.high - found.interval.low)
        assert found.interval == coco_map(scenes.answers(), scenes.annotations, None).interval
        assert found.replicates is not None
        assert found.replicates.mean() == pytest.approx(found.value, abs=0.1 * widths[-1])
        half = 2.093 * found.replicates.std()
        assert 2 * half == pytest.approx(widths[-1], rel=0.1)
    assert widths[1] < widths[0] / 2
    few = coco_map(make_scenes(12, 39).answers(), make_scenes(12, 39).annotations, None)
    assert (few.interval.low, few.interval.high) == (None, None)


def test_replicates_of_two_results_are_paired() -> None:
    """A little worse on every image is told apart, though the intervals overlap."""
    scenes = make_scenes(14, 400)
    better = coco_map(scenes.answers(), scenes.annotations, None)
    for rows in scenes.rows.values():
        rows[:, 1] += 0.01 * (rows[:, 3] - rows[:, 1])
    worse = coco_map(scenes.answers(), scenes.annotations, None)
    assert better.replicates is not None
    assert worse.replicates is not None
    assert worse.interval.high is not None
    assert better.interval.low is not None
    assert better.interval.low < worse.interval.high
    assert (better.replicates - worse.replicates).std() < better.replicates.std() / 3


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: a.pop("images"), "there is no list 'images'"),
        (lambda a: a.update(annotations={}), "there is no list 'annotations'"),
        (lambda a: a["annotations"][3].pop("bbox"), r"annotations\[3\] is not as COCO has it"),
        (lambda a: a["annotations"][2]["bbox"].pop(), r"annotations\[2\] is not as COCO has it"),
        (lambda a: a["images"][1].update(width="wide"), r"images\[1\] is not as COCO has it"),
        (lambda a: a["images"].clear(), "there have to be images"),
        (lambda a: a["images"].append(a["images"][0]), "an id of its own"),
    ],
)
def test_damaged_annotations_are_named(damage: Any, message: str) -> None:
    annotations = copy.deepcopy(make_scenes(13, 10).annotations)
    damage(annotations)
    with pytest.raises(WorkloadError, match=message):
        coco_map([], annotations, None)


def test_the_missing_evaluator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    with pytest.raises(WorkloadError, match=r"pip install 'inferometer\[detection\]'"):
        coco_map([], make_scenes(1, 2).annotations, None)
