"""Altered samples: without blue, darker, with other words; each as files would be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from inferometer.submission.audit.alterations import ExchangedLibrary, RenamedLibrary
from inferometer.submission.audit.altered_data import AlteredLibrary, alteration_of
from inferometer.workloads import get_workload
from inferometer.workloads.images.library import PhotoLibrary
from inferometer.workloads.images.preprocess import PREPROCESSINGS
from tests.submission.audit.honest import Photos

cv2 = pytest.importorskip("cv2")


@pytest.mark.parametrize("key", ["imagenet", "imagenet_mobilenet", "coco-300", "coco-300-pt"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_photos_without_blue_are_those_of_altered_files(
    key: str, layout: str, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(PREPROCESSINGS[key], layout=layout)
    photo = np.random.default_rng(3).integers(0, 256, (300, 400, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    photo[:, :, 0] = 0
    cv2.imwrite(str(tmp_path / "altered.png"), photo)
    paths = [tmp_path / "photo.png", tmp_path / "altered.png"]
    library = PhotoLibrary("photos", paths, recipe, "image", 2)
    library.load(np.arange(2))
    found = alteration_of(library)
    assert found is not None
    without_blue = AlteredLibrary(library, found[1])
    without_blue.load(np.arange(2))
    altered = without_blue.inputs(np.array([0]))["image"]
    assert np.array_equal(altered, library.inputs(np.array([1]))["image"])
    assert not np.array_equal(altered, library.inputs(np.array([0]))["image"])


@pytest.mark.parametrize("name", ["pocket-mobilenet", "pocket-ssd-mobilenet"])
def test_grey_photos_get_darker(name: str) -> None:
    library = get_workload(name).library()
    library.load(np.arange(2))
    found = alteration_of(library)
    assert found is not None
    altered = AlteredLibrary(library, found[1])
    altered.load(np.arange(2))
    (before,) = library.inputs(np.arange(2)).values()
    (after,) = altered.inputs(np.arange(2)).values()
    assert np.allclose(after + 1, 0.4 * (before + 1), atol=1e-6)
    assert after.dtype == before.dtype


def test_sentences_get_other_words_and_stay_as_long() -> None:
    library = get_workload("pocket-gnmt").library()
    found = alteration_of(library)
    assert found is not None
    some = np.arange(50)
    altered = AlteredLibrary(library, found[1])
    altered.load(some)
    before, after = library.inputs(some), altered.inputs(some)
    assert altered.inputs(some[:1])["tokens"].shape == library.inputs(some[:1])["tokens"].shape
    assert np.array_equal(before["lengths"], after["lengths"])
    inside = np.arange(before["tokens"].shape[1]) < before["lengths"][:, None]
    changed = (before["tokens"] != after["tokens"]) & inside
    assert changed.sum() > inside.sum() / 2
    assert np.array_equal(before["tokens"][~inside], after["tokens"][~inside])


def test_other_samples_cant_be_altered() -> None:
    assert alteration_of(Photos()) is None


def test_exchanged_samples_lie_in_place_until_it_begins() -> None:
    library = ExchangedLibrary(Photos(), seed=1)
    loaded = np.arange(10, 20)
    library.load(loaded)
    before = library.inputs(loaded)["content"]
    assert np.array_equal(before, Photos().inputs(loaded)["content"])
    library.begin()
    after = library.inputs(loaded)["content"]
    assert sorted(after) == sorted(before)
    assert not (after == before).any()
    for place, index in enumerate(loaded.tolist()):
        whose = library.stands_for[index]
        assert after[place] == Photos().contents[whose]


def test_a_new_name_changes_nothing_else() -> None:
    library = RenamedLibrary(Photos(), "other")
    assert library.name == "other"
    assert library.total_sample_count == Photos().total_sample_count
    found = library.inputs(np.arange(3))["content"]
    assert np.array_equal(found, Photos().contents[:3])
