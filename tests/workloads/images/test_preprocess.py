"""Preprocessing: the same bytes as the plain steps, for every variant, layout and size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.workloads.images.preprocess import (
    PREPROCESSINGS,
    library_versions,
    preprocess,
    preprocessing,
)
from inferometer.workloads.images.recipe import PILLOW_BILINEAR, Preprocessing
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.images.photos import SIZES, photo, plain_steps

cv2 = pytest.importorskip("cv2")


def made(recipe: Preprocessing, image: np.ndarray) -> np.ndarray:
    out = np.full(recipe.sample_shape, 77, recipe.dtype)
    preprocess(image, recipe, out)
    return out


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("key", sorted(PREPROCESSINGS))
def test_bytes_are_those_of_the_plain_steps(key: str, layout: str) -> None:
    if key == "torchvision":
        pytest.importorskip("PIL")
    recipe = preprocessing(key, layout)
    sizes = SIZES if recipe.height_px < 1000 else (SIZES[2], SIZES[6])
    for height, width in sizes:
        image = photo(height, width)
        wanted = plain_steps(key, layout, image)
        found = made(recipe, image)
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        assert found.tobytes() == wanted.tobytes(), (key, height, width)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    key=st.sampled_from(["imagenet", "imagenet_mobilenet", "coco-300", "coco-300-pt"]),
    layout=st.sampled_from(["NCHW", "NHWC"]),
)
def test_any_size_of_photo(height: int, width: int, key: str, layout: str) -> None:
    # What is longer than this takes gigabytes once its short side is 256.
    if max(height, width) > 20 * min(height, width):
        return
    image = photo(height, width)
    wanted = plain_steps(key, layout, image)
    assert made(preprocessing(key, layout), image).tobytes() == wanted.tobytes()


@settings(max_examples=150, deadline=None)
@given(data=st.data(), resize_px=st.integers(2, 90), layout=st.sampled_from(["NCHW", "NHWC"]))
def test_a_crop_of_what_area_shrinks_is_a_crop_of_the_whole(
    data: st.DataObject, resize_px: int, layout: str
) -> None:
    height, width = (data.draw(st.integers(resize_px, 4 * resize_px)) for _ in range(2))
    side = data.draw(st.integers(1, resize_px))
    recipe = Preprocessing(
        "k", side, side, (resize_px, resize_px), "area", channels="BGR", dtype="uint8"
    )
    image = photo(height, width)
    rows, columns = recipe.resized_px(height, width)
    whole = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    top, left = recipe.crop_start_px(rows, columns)
    wanted = whole[top : top + side, left : left + side]
    found = made(recipe.with_layout(layout), image)
    assert (found if layout == "NHWC" else found.transpose(1, 2, 0)).tobytes() == wanted.tobytes()


def test_shapes_and_types_of_the_documented_variants() -> None:
    found = {
        key: (recipe.sample_shape, recipe.dtype, recipe.sample_bytes)
        for key, recipe in PREPROCESSINGS.items()
    }
    image, large = ((3, 224, 224), "float32", 602_112), ((3, 1200, 1200), "float32", 17_280_000)
    assert found == {
        "imagenet": image,
        "imagenet_mobilenet": image,
        "torchvision": image,
        "tflite_tpu": image,
        "coco-300": ((3, 300, 300), "uint8", 270_000),
        "coco-300-pt": ((3, 300, 300), "float32", 1_080_000),
        "coco-1200": large,
        "coco-1200-onnx": large,
        "coco-1200-pt": large,
        "coco-1200-tf": large,
        "resnet34_tf": large,
    }
    assert preprocessing("imagenet", "NHWC").sample_shape == (224, 224, 3)


def test_torchvision_places_the_crop_at_the_even_pixel() -> None:
    recipe = PREPROCESSINGS["torchvision"]
    assert recipe.crop_start_px(256, 227) == (16, 2)
    assert recipe.crop_start_px(256, 225) == (16, 0)
    assert PREPROCESSINGS["imagenet"].crop_start_px(256, 227) == (16, 1)


def test_steps_in_words() -> None:
    assert PREPROCESSINGS["imagenet_mobilenet"].steps == (
        "decode to uint8 BGR",
        "resize to height 256 or width 256, whichever is shorter, linear interpolation, as uint8",
        "crop the centre 224 × 224",
        "channels RGB",
        "divide 255",
        "subtract 0.5",
        "multiply 2",
        "as float32",
        "layout NCHW",
    )
    assert PREPROCESSINGS["coco-300"].steps[1] == (
        "resize to 300 × 300, linear interpolation, as float32"
    )


def test_every_field_is_in_the_fingerprint() -> None:
    base = Preprocessing("k", 8, 8, None, "linear")
    others = [
        Preprocessing("other", 8, 8, None, "linear"),
        Preprocessing("k", 9, 8, None, "linear"),
        Preprocessing("k", 8, 9, None, "linear"),
        Preprocessing("k", 8, 8, (8, 8), "linear"),
        Preprocessing("k", 8, 8, None, "area"),
        Preprocessing("k", 8, 8, None, "linear", resizes_floats=True),
        Preprocessing("k", 8, 8, None, "linear", channels="BGR"),
        Preprocessing("k", 8, 8, None, "linear", arithmetic=(("divide", (2.0,)),)),
        Preprocessing("k", 8, 8, None, "linear", dtype="uint8"),
        Preprocessing("k", 8, 8, None, "linear", layout="NHWC"),
    ]
    assert len({recipe.fingerprint for recipe in [base, *others]}) == len(others) + 1
    assert base.fingerprint == Preprocessing("k", 8, 8, None, "linear").fingerprint


def test_versions_that_bytes_depend_on() -> None:
    assert library_versions(PREPROCESSINGS["imagenet"]) == f"code 1, opencv {cv2.__version__}"
    pytest.importorskip("PIL")
    assert "pillow" in library_versions(PREPROCESSINGS["torchvision"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interpolation": "best"}, "no interpolation 'best'; known: area, linear"),
        ({"channels": "GBR"}, "no order of channels 'GBR'; known: RGB, BGR"),
        ({"dtype": "float64"}, "no dtype 'float64'"),
        ({"layout": "CHW"}, "no layout 'CHW'"),
        ({"height_px": 0}, "at least 1 pixel"),
        ({"resize_px": (6, 6)}, "a crop of 8 × 8 doesn't fit into photos resized to 6"),
        ({"resizes_floats": True, "resize_px": (9, 9)}, "only OpenCV's resize without a crop"),
        ({"resizes_floats": True, "interpolation": PILLOW_BILINEAR}, "only OpenCV's resize"),
        ({"arithmetic": (("add", (1.0,)),)}, "no arithmetic step: add"),
        ({"arithmetic": (("divide", (1.0, 2.0)),)}, "one number, or one a channel"),
        ({"arithmetic": (("multiply", (float("nan"),)),)}, "no arithmetic step"),
        ({"arithmetic": (("divide", (1.0, 0.0, 2.0)),)}, "divides by 0"),
        ({"dtype": "int8"}, "gives 0 … 255, which int8 can't hold"),
        ({"dtype": "uint8", "arithmetic": (("subtract", (9.0,)),)}, "uint8 can't hold"),
        (
            {"dtype": "uint8", "resizes_floats": True, "interpolation": "cubic"},
            "cubic interpolation leaves the range of uint8",
        ),
    ],
)
def test_impossible_recipes_are_refused(change: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "height_px": 8,
        "width_px": 8,
        "resize_px": None,
        "interpolation": "linear",
    }
    with pytest.raises(WorkloadError, match=message):
        Preprocessing("k", **{**fields, **change})


def test_unknown_keys_and_undecoded_photos_are_refused() -> None:
    with pytest.raises(WorkloadError, match="did you mean 'imagenet_mobilenet'"):
        preprocessing("imagenet-mobilenet")
    recipe = PREPROCESSINGS["imagenet"]
    out = np.empty(recipe.sample_shape, recipe.dtype)
    images: list[Any] = [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)]
    for image in images:
        with pytest.raises(WorkloadError, match=r"uint8 \[height, width, 3\]"):
            preprocess(image, recipe, out)
