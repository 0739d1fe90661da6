"""Preprocessing: the documented ways from a decoded photo to what a model takes, made fast."""

from __future__ import annotations

import functools
import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import nearest_name
from inferometer.workloads.images.decode import opencv
from inferometer.workloads.images.recipe import PILLOW_BILINEAR, Arithmetic, Preprocessing
from inferometer.workloads.protocol import WorkloadError

__all__ = [
    "CODE_VERSION",
    "PREPROCESSINGS",
    "Preprocessing",
    "library_versions",
    "preprocess",
    "preprocessing",
]

CODE_VERSION = 1
"""Goes up whenever this module gives other bytes, so that kept samples are made anew."""

_VGG_MEANS: Arithmetic = ("subtract", (123.68, 116.78, 103.94))
_UNIT: Arithmetic = ("divide", (255.0,))
_STATISTICS: tuple[Arithmetic, ...] = (
    _UNIT,
    ("subtract", (0.485, 0.456, 0.406)),
    ("divide", (0.229, 0.224, 0.225)),
)


def _imagenet(key: str, interpolation: str, *steps: Arithmetic, **more: Any) -> Preprocessing:
    """Resize the short side to 256 = int(100 · 224 / 87.5), crop the centre 224."""
    return Preprocessing(key, 224, 224, (256, 256), interpolation, arithmetic=steps, **more)


def _coco(key: str, size_px: int, *steps: Arithmetic, **more: Any) -> Preprocessing:
    return Preprocessing(
        key, size_px, size_px, None, "linear", resizes_floats=True, arithmetic=steps, **more
    )


PREPROCESSINGS = {
    recipe.key: recipe
    for recipe in (
        _imagenet("imagenet", "area", _VGG_MEANS),
        _imagenet(
            "imagenet_mobilenet", "linear", _UNIT, ("subtract", (0.5,)), ("multiply", (2.0,))
        ),
        _imagenet("torchvision", PILLOW_BILINEAR, *_STATISTICS),
        _imagenet("tflite_tpu", "area", ("subtract", (103.939, 116.779, 123.68)), channels="BGR"),
        _coco("coco-300", 300, dtype="uint8"),
        _coco("coco-300-pt", 300, ("subtract", (127.5,)), ("divide", (127.5,))),
        _coco("coco-1200", 1200, *_STATISTICS),
        _coco("coco-1200-onnx", 1200, *_STATISTICS),
        _coco("coco-1200-pt", 1200, *_STATISTICS),
        _coco("coco-1200-tf", 1200, *_STATISTICS),
        _coco("resnet34_tf", 1200, _VGG_MEANS),
    )
}
"""The documented variants by key, channels first; `Preprocessing.with_layout` turns them.

Source: the data sets and profiles of the published reference of MLPerf Inference.
"""


def preprocessing(key: str, layout: str = "NCHW") -> Preprocessing:
    """Give a documented variant; raise `WorkloadError` for an unknown key."""
    if key not in PREPROCESSINGS:
        raise WorkloadError(
            f"there is no preprocessing {key!r}{nearest_name(key, PREPROCESSINGS)}; known: "
            + ", ".join(sorted(PREPROCESSINGS))
        )
    return PREPROCESSINGS[key].with_layout(layout)


def library_versions(recipe: Preprocessing) -> str:
    """Name the versions that a recipe's bytes depend on."""
    used = [f"code {CODE_VERSION}", f"opencv {opencv().__version__}"]
    if recipe.interpolation == PILLOW_BILINEAR:
        used.append(f"pillow {_pillow().__version__}")
    return ", ".join(used)


def preprocess(image: NDArray[np.uint8], recipe: Preprocessing, out: NDArray[Any]) -> None:
    """Preprocess one decoded photo into a given array.

    ``image`` is BGR, uint8 [height, width, 3], as `read_image` gives it; ``out`` has the
    recipe's ``sample_shape`` and dtype and is contiguous. The bytes are those of the
    recipe's steps done one after the other. Any number of threads may call this at once.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise WorkloadError(
            f"a decoded photo is uint8 [height, width, 3], not {image.dtype} {list(image.shape)}"
        )
    if recipe.resizes_floats:
        _fill_from_floats(_resized_floats(image, recipe), recipe, out)
    else:
        _fill_from_table(_resized(image, recipe), recipe, out)


def _resized(image: NDArray[np.uint8], recipe: Preprocessing) -> NDArray[np.uint8]:
    """Resize and crop, still BGR: each channel goes its own way, so order can wait."""
    height_px, width_px = recipe.resized_px(*image.shape[:2])
    top, left = recipe.crop_start_px(height_px, width_px)
    bottom, right = top + recipe.height_px, left + recipe.width_px
    if recipe.interpolation == PILLOW_BILINEAR:
        pillow = _pillow()
        photo = pillow.fromarray(image).resize((width_px, height_px), pillow.Resampling.BILINEAR)
        resized = np.asarray(photo)
    elif recipe.interpolation == "area" and min(image.shape[:2]) > min(height_px, width_px):
        resized = _resized_by_area(image, (height_px, width_px), (bottom, right))
    else:
        method = _opencv_method(recipe.interpolation)
        resized = opencv().resize(image, (width_px, height_px), interpolation=method)
    cropped: NDArray[np.uint8] = resized[top:bottom, left:right]
    return cropped


def _resized_by_area(
    image: NDArray[np.uint8], size_px: tuple[int, int], end_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Shrink a photo to a size, but only as far as the rows and columns that are needed.

    Each pixel that comes out is the mean of an area that starts at its index times the
    scale: with the same scale, what lies right of the crop or below it changes nothing.
    """
    (height_px, width_px), (source_height_px, source_width_px) = size_px, image.shape[:2]
    # One pixel more than the last area takes, so that rounding can't cut that area.
    rows = math.ceil(end_px[0] * source_height_px / height_px) + 1
    columns = math.ceil(end_px[1] * source_width_px / width_px) + 1
    cv2 = opencv()
    resized: NDArray[np.uint8] = cv2.resize(
        image[:rows, :columns],
        None,
        fx=width_px / source_width_px,
        fy=height_px / source_height_px,
        interpolation=cv2.INTER_AREA,
    )
    return resized


def _fill_from_table(pixels: NDArray[np.uint8], recipe: Preprocessing, out: NDArray[Any]) -> None:
    """Look each pixel up: one pass does arithmetic, conversion and layout."""
    cv2 = opencv()
    tables = _tables(recipe)
    # A lookup moves values unread, so half floats may travel as integers of their size.
    target = out.view(np.uint16) if recipe.dtype == "float16" else out
    if recipe.layout == "NCHW":
        planes = cv2.split(pixels)
        for plane, table, rows in zip(_in_order(planes, recipe), tables, target, strict=True):
            _look_up(plane, table, rows)
        return
    if recipe.channels == "RGB":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    _look_up(pixels, np.ascontiguousarray(tables.T)[None], target)


def _look_up(pixels: NDArray[Any], table: NDArray[Any], out: NDArray[Any]) -> None:
    filled = opencv().LUT(pixels, table, dst=out)
    if filled is not out:
        out[...] = filled


def _in_order(planes: Any, recipe: Preprocessing) -> Any:
    return planes[::-1] if recipe.channels == "RGB" else planes


@functools.lru_cache(maxsize=32)
def _tables(recipe: Preprocessing) -> NDArray[Any]:
    """Give what becomes of each pixel value, [3, 256], in the recipe's order of channels."""
    tables = recipe.table().astype(recipe.dtype)
    return tables.view(np.uint16) if recipe.dtype == "float16" else tables


def _resized_floats(image: NDArray[np.uint8], recipe: Preprocessing) -> NDArray[np.float32]:
    """Turn to floats, then resize, into memory that the thread keeps for its next photo."""
    cv2 = opencv()
    if recipe.channels == "RGB":
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    shape = (recipe.height_px, recipe.width_px, 3)
    scratch = getattr(_memory, "floats", None)
    if scratch is None or scratch.shape != shape:
        scratch = _memory.floats = np.empty(shape, np.float32)
    resized: NDArray[np.float32] = cv2.resize(
        image.astype(np.float32),
        (recipe.width_px, recipe.height_px),
        dst=scratch,
        interpolation=_opencv_method(recipe.interpolation),
    )
    return resized


_memory = threading.local()

_STRIP_BYTES = 1 << 18
"""Rows that are worked on together fit into a core's own cache."""


def _fill_from_floats(
    pixels: NDArray[np.float32], recipe: Preprocessing, out: NDArray[Any]
) -> None:
    """Do the arithmetic strip by strip, then convert; pixels may be overwritten."""
    rows = max(1, _STRIP_BYTES // (12 * recipe.width_px))
    for top in range(0, recipe.height_px, rows):
        strip = pixels[top : top + rows]
        if recipe.layout == "NHWC":
            _arithmetic(strip.reshape(len(strip), -1), _row_constants(recipe))
            np.copyto(out[top : top + rows], strip, casting="unsafe")
            continue
        planes = out[:, top : top + rows]
        if out.dtype != np.float32:
            planes = np.empty(planes.shape, np.float32)
        opencv().mixChannels([strip], list(planes), (0, 0, 1, 1, 2, 2))
        for channel, plane in enumerate(planes):
            _arithmetic(plane, _channel_constants(recipe, channel))
        if out.dtype != np.float32:
            np.copyto(out[:, top : top + rows], planes, casting="unsafe")


def _arithmetic(values: NDArray[np.float32], steps: tuple[tuple[str, Any], ...]) -> None:
    for operation, by in steps:
        getattr(np, operation)(values, by, out=values)


@functools.lru_cache(maxsize=32)
def _row_constants(recipe: Preprocessing) -> tuple[tuple[str, Any], ...]:
    """Repeat the channels' constants along a row: a loop over 3 channels would crawl."""
    return tuple(
        (name, np.tile(np.resize(np.array(by, np.float32), 3), recipe.width_px))
        for name, by in recipe.arithmetic
    )


def _channel_constants(recipe: Preprocessing, channel: int) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, np.float32(by[channel if len(by) == 3 else 0])) for name, by in recipe.arithmetic
    )


def _opencv_method(interpolation: str) -> int:
    name = {"lanczos": "INTER_LANCZOS4"}.get(interpolation, f"INTER_{interpolation.upper()}")
    method: int = getattr(opencv(), name)
    return method


def _pillow() -> Any:
    try:
        from PIL import Image  # noqa: PLC0415
    except ImportError as error:
        raise WorkloadError(
            f"TorchVision's preprocessing needs Pillow ({error}); pip install pillow"
        ) from error
    return Image
