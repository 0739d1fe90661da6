"""Scenes: the same bytes everywhere, and boxes that are tight around what is seen."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from inferometer.workloads.detection.scene_library import SceneLibrary, preprocess, taken_scenes
from inferometer.workloads.detection.scenes import (
    CALIBRATION_SCENE_COUNT,
    EVALUATION_SCENE_COUNT,
    SCENE_SIZE_PX,
    Scenes,
    calibration_scenes,
    evaluation_scenes,
)
from inferometer.workloads.protocol import WorkloadError

PIXELS_SHA256 = "c3a55f22e18a057c20d9e52360b46d864211f61e3b065a40c9ad6062bbf056cb"
ANNOTATIONS_SHA256 = "69357da64e7b9502cfb188db917927879c16b4a31867a6b5453be8fcc9c7c527"


def white_squares(count: int, seed: int) -> Scenes:
    garments = np.zeros((1, 28, 28), np.uint8)
    garments[0, 4:24, 6:22] = 255
    return Scenes(garments, np.array([3]), count, seed)


def test_the_evaluation_scenes_are_frozen() -> None:
    scenes = evaluation_scenes()
    pixels = scenes.images(np.arange(len(scenes)))
    assert pixels.shape == (EVALUATION_SCENE_COUNT, SCENE_SIZE_PX, SCENE_SIZE_PX)
    assert pixels.dtype == np.uint8
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == PIXELS_SHA256
    annotations = json.dumps(scenes.annotations(), sort_keys=True).encode()
    assert hashlib.sha256(annotations).hexdigest() == ANNOTATIONS_SHA256


def test_a_scene_depends_on_its_number_alone() -> None:
    few, many = evaluation_scenes(4), evaluation_scenes()
    backwards = [many[index].image for index in (3, 2, 1, 0)][::-1]
    assert (few.images(range(4)) == np.stack(backwards)).all()
    assert few[2].objects == many[2].objects
    with pytest.raises(IndexError):
        few[4]


def test_annotations_are_as_coco_has_them() -> None:
    content = evaluation_scenes().annotations()
    assert [image["id"] for image in content["images"]] == list(range(1, 501))
    assert [category["id"] for category in content["categories"]] == list(range(1, 11))
    numbers = [one["id"] for one in content["annotations"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 1000
    per_image = np.bincount([one["image_id"] for one in content["annotations"]], minlength=501)[1:]
    assert per_image.min() >= 1
    assert per_image.max() == 5
    for one in content["annotations"]:
        left, top, width, height = one["bbox"]
        assert left >= 0
        assert top >= 0
        assert left + width <= SCENE_SIZE_PX
        assert top + height <= SCENE_SIZE_PX
        assert 0 < one["area"] <= width * height
        assert one["iscrowd"] == 0
    found = {one["category_id"] for one in content["annotations"]}
    assert found == set(range(1, 11))


def test_boxes_are_tight_around_white_squares() -> None:
    scenes = white_squares(60, 5)
    alone = [scenes[index] for index in range(60) if len(scenes[index].objects) == 1]
    assert alone
    for scene in alone:
        (one,) = scene.objects
        left, top, width, height = one.box_px
        inside = scene.image[top : top + height, left : left + width]
        # Interpolation leaves a grey rim, and rounds the corners off.
        assert (inside[2:-2, 2:-2] == 255).all()
        assert width * height - 12 <= one.area_px <= width * height
        outside = scene.image.copy()
        outside[top : top + height, left : left + width] = 0
        assert outside.max() < 255
        assert one.label == 3


def test_what_lies_behind_is_annotated_as_far_as_it_is_seen() -> None:
    scenes = white_squares(80, 11)
    hidden = 0
    for index in range(80):
        for one in scenes[index].objects:
            _, _, width, height = one.box_px
            assert one.area_px <= width * height
            hidden += one.area_px < width * height - 12
    assert hidden > 10, "some are partly covered"


def test_calibration_uses_no_garment_of_the_evaluation() -> None:
    calibration = calibration_scenes()
    assert len(calibration) == CALIBRATION_SCENE_COUNT
    ours = {garment.tobytes() for garment in calibration._garments}
    theirs = {garment.tobytes() for garment in evaluation_scenes()._garments}
    assert not ours & theirs


def test_library_gives_what_is_loaded_and_nothing_else() -> None:
    scenes = evaluation_scenes(9)
    library = SceneLibrary(scenes, "scenes")
    assert (library.total_sample_count, library.performance_sample_count) == (9, 9)
    library.load(np.array([5, 3, 5, 8]))
    found = library.inputs(np.array([8, 5, 5]))["image"]
    assert found.shape == (3, 1, SCENE_SIZE_PX, SCENE_SIZE_PX)
    assert found.dtype == np.float32
    assert (found[0] == preprocess(scenes.images([8]))[0]).all()
    assert (found[1] == found[2]).all()
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([4]))
    library.unload(np.array([5, 3, 8]))
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([5]))


def test_preprocessing_scales_to_minus_one_to_one() -> None:
    found = preprocess(np.array([[[0, 255]]], np.uint8))
    assert found == pytest.approx(np.array([[[[-1.0, 1.0]]]]), abs=1e-6)


@pytest.mark.parametrize(("asked", "taken"), [(None, 500), (1, 1), (500, 500), (9999, 500)])
def test_counts(asked: int | None, taken: int) -> None:
    assert taken_scenes(asked) == taken


def test_no_samples_are_refused() -> None:
    with pytest.raises(WorkloadError, match="has to be 1 or more"):
        taken_scenes(0)
