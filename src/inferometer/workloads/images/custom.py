"""Custom preprocessing: a recipe for a model of one's own, from arguments or from options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from inferometer.loadgen import nearest_name
from inferometer.workloads.images.recipe import Arithmetic, Preprocessing
from inferometer.workloads.protocol import WorkloadError

__all__ = ["OPTION_NAMES", "custom_preprocessing", "preprocessing_from_options"]


def custom_preprocessing(
    size_px: int | tuple[int, int],
    *,
    resize_px: int | None = None,
    divisor: float = 1.0,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
    **more: Any,
) -> Preprocessing:
    """Give a recipe for a model of one's own: (pixel / divisor - mean) / std.

    ``size_px`` is what the model takes, one number, or height and width. With ``resize_px``
    the short side is resized to that and the centre is cropped; without, the photo is
    resized to the size. ``more`` are further fields of `Preprocessing`: interpolation
    (``linear`` unless said otherwise), channels, dtype, layout, resizes_floats. The key
    follows from all of them. Raises `WorkloadError` for what can't be.
    """
    height_px, width_px = (size_px, size_px) if isinstance(size_px, int) else size_px
    arithmetic: list[Arithmetic] = []
    if divisor != 1.0:
        arithmetic.append(("divide", (float(divisor),)))
    if any(mean):
        arithmetic.append(("subtract", tuple(map(float, mean))))
    if set(std) != {1.0}:
        arithmetic.append(("divide", tuple(map(float, std))))
    try:
        recipe = Preprocessing(
            "custom",
            height_px,
            width_px,
            None if resize_px is None else (resize_px, resize_px),
            arithmetic=tuple(arithmetic),
            **{"interpolation": "linear", **more},
        )
    except TypeError as error:
        raise WorkloadError(f"custom preprocessing: {error}") from error
    # The layout stays out of the key, as it does where keys are given names.
    return replace(recipe, key=f"custom-{recipe.with_layout('NCHW').fingerprint[:12]}")


def _size(text: str) -> tuple[int, int]:
    numbers = [int(part) for part in text.lower().split("x")]
    if len(numbers) > 2:
        raise ValueError(text)
    return numbers[0], numbers[-1]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


_OPTIONS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "size": ("size_px", _size, "224, or height and width: 480x640"),
    "resize": ("resize_px", int, "256"),
    "divisor": ("divisor", float, "255"),
    "mean": ("mean", _numbers, "0.5, or one a channel: 0.485,0.456,0.406"),
    "std": ("std", _numbers, "0.5, or one a channel: 0.229,0.224,0.225"),
    "interpolation": ("interpolation", str.lower, "linear, area, cubic, pillow-bilinear"),
    "channels": ("channels", str.upper, "RGB or BGR"),
    "dtype": ("dtype", str.lower, "float32"),
    "layout": ("layout", str.upper, "NCHW or NHWC"),
}

OPTION_NAMES = tuple(_OPTIONS)
"""Names that `preprocessing_from_options` reads."""


def preprocessing_from_options(options: Mapping[str, str]) -> Preprocessing:
    """Make a custom recipe from words, such as ``{"size": "224", "mean": "0.5"}``.

    ``size`` has to be there. Raises `WorkloadError` naming the option that can't be read.
    """
    chosen: dict[str, Any] = {}
    for name, text in options.items():
        if name not in _OPTIONS:
            raise WorkloadError(
                f"there is no preprocessing option {name!r}{nearest_name(name, _OPTIONS)}; known: "
                + ", ".join(_OPTIONS)
            )
        argument, read, example = _OPTIONS[name]
        try:
            chosen[argument] = read(text)
        except ValueError as error:
            raise WorkloadError(
                f"preprocessing option {name}={text!r} can't be read; write it as in {example}"
            ) from error
    if "size_px" not in chosen:
        raise WorkloadError("preprocessing of one's own needs a size, such as size=224")
    return custom_preprocessing(chosen.pop("size_px"), **chosen)
