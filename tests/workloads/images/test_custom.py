"""Custom preprocessing: the same bytes as its formula, from arguments and from options."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.workloads.images.custom import custom_preprocessing, preprocessing_from_options
from inferometer.workloads.images.preprocess import preprocess
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.protocol import WorkloadError
from tests.workloads.images.photos import photo

cv2 = pytest.importorskip("cv2")


def made(recipe: Preprocessing, image: np.ndarray) -> np.ndarray:
    out = np.empty(recipe.sample_shape, recipe.dtype)
    preprocess(image, recipe, out)
    return out


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
@pytest.mark.parametrize("resizes_floats", [False, True])
def test_bytes_are_those_of_the_formula(
    layout: str, channels: str, dtype: str, resizes_floats: bool
) -> None:
    mean = (10.0, 20.0, 30.0) if dtype != "uint8" else (0.0, 0.0, 0.0)
    std = (3.0, 4.0, 5.0)
    recipe = custom_preprocessing(
        (41, 59),
        divisor=1.5,
        mean=mean,
        std=std,
        channels=channels,
        dtype=dtype,
        layout=layout,
        resizes_floats=resizes_floats,
    )
    image = photo(123, 77)
    source = image.astype(np.float32) if resizes_floats else image
    wanted = cv2.resize(source, (59, 41), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    if channels == "RGB":
        wanted = wanted[..., ::-1]
    wanted = (wanted / np.float32(1.5) - np.array(mean, np.float32)) / np.array(std, np.float32)
    wanted = wanted.astype(dtype)
    if layout == "NCHW":
        wanted = wanted.transpose(2, 0, 1)
    assert made(recipe, image).tobytes() == np.ascontiguousarray(wanted).tobytes()


@pytest.mark.parametrize("interpolation", ["area", "linear", "nearest", "cubic", "lanczos"])
def test_crop_after_each_interpolation(interpolation: str) -> None:
    recipe = custom_preprocessing(
        33, resize_px=40, interpolation=interpolation, dtype="uint8", channels="BGR", layout="NHWC"
    )
    method = cv2.INTER_LANCZOS4 if interpolation == "lanczos" else None
    method = method or getattr(cv2, f"INTER_{interpolation.upper()}", None)
    wanted = cv2.resize(photo(99, 55), (40, 72), interpolation=method)[19:52, 3:36]
    assert made(recipe, photo(99, 55)).tobytes() == wanted.tobytes()


def test_pillow_resizes_for_custom_recipes_too() -> None:
    image = pytest.importorskip("PIL.Image")
    recipe = custom_preprocessing((30, 20), interpolation="pillow-bilinear", dtype="uint8")
    pixels = photo(99, 55)
    wanted = image.fromarray(np.ascontiguousarray(pixels[..., ::-1])).resize((20, 30), 2)
    assert made(recipe, pixels).tobytes() == np.asarray(wanted).transpose(2, 0, 1).tobytes()


def test_options_say_what_arguments_say() -> None:
    options = {
        "size": "224x200",
        "resize": "256",
        "divisor": "255",
        "mean": "0.485,0.456,0.406",
        "std": "0.5",
        "interpolation": "Area",
        "channels": "bgr",
        "dtype": "float16",
        "layout": "nhwc",
    }
    recipe = custom_preprocessing(
        (224, 200),
        resize_px=256,
        divisor=255,
        mean=(0.485, 0.456, 0.406),
        std=(0.5,),
        interpolation="area",
        channels="BGR",
        dtype="float16",
        layout="NHWC",
    )
    assert preprocessing_from_options(options) == recipe
    assert preprocessing_from_options({"size": "64"}) == custom_preprocessing(64)
    assert custom_preprocessing(64).arithmetic == ()


def test_keys_follow_from_the_steps() -> None:
    one, other = custom_preprocessing(64), custom_preprocessing(64, divisor=255)
    assert one.key.startswith("custom-")
    assert one.key != other.key
    assert custom_preprocessing(64, layout="NHWC").key == one.key


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "small"}, "option size='small' can't be read; write it as in 224"),
        ({"size": "1x2x3"}, "can't be read"),
        ({"size": "64", "mean": "a"}, "option mean='a'"),
        ({"mean": "1"}, "needs a size, such as size=224"),
        ({"sise": "64"}, "did you mean 'size'"),
        ({"size": "64", "std": "0"}, "divides by 0"),
        ({"size": "64", "layout": "HWC"}, "no layout 'HWC'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, str], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        preprocessing_from_options(options)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(WorkloadError, match="custom preprocessing"):
        custom_preprocessing(64, depth=3)
