"""Recipes: how a decoded photo becomes what a model takes, as data."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from inferometer.workloads.protocol import WorkloadError

__all__ = ["PILLOW_BILINEAR", "Arithmetic", "Preprocessing"]

PILLOW_BILINEAR = "pillow-bilinear"
"""Pillow's smoothing bilinear filter, and with it TorchVision's way to place the crop."""

_OPENCV_INTERPOLATIONS = ("area", "linear", "nearest", "cubic", "lanczos")
_STAYS_IN_RANGE = ("area", "linear", "nearest")
_OPERATIONS = ("subtract", "divide", "multiply")
_DTYPES = ("float32", "float16", "uint8", "int8")
_FLOATS = ("float32", "float16")

Arithmetic = tuple[str, tuple[float, ...]]
"""subtract, divide or multiply, with one number for all channels or one for each."""


@dataclass(frozen=True)
class Preprocessing:
    """What is done to a decoded photo, in this order.

    Resize, crop, put the channels in order, turn to float32, arithmetic, turn to ``dtype``
    (towards zero), put the axes in order: nothing but what the rules allow outside the timed
    part.

    height_px, width_px:
        Size that comes out.
    resize_px:
        Height that landscapes and width that portraits are resized to before the centre is
        cropped, keeping their shape; ``None`` resizes straight to the size that comes out.
    interpolation:
        ``area``, ``linear``, ``nearest``, ``cubic``, ``lanczos`` as OpenCV has them, or
        `PILLOW_BILINEAR`.
    resizes_floats:
        Pixels become float32 before they are resized rather than after, which rounds less.
    channels:
        ``RGB`` or ``BGR``; constants of the arithmetic are in this order.
    arithmetic:
        Steps in float32, one after the other.
    layout:
        ``NHWC`` or ``NCHW``.

    Raises `WorkloadError` for what can't be.
    """

    key: str
    height_px: int
    width_px: int
    resize_px: tuple[int, int] | None
    interpolation: str
    resizes_floats: bool = False
    channels: str = "RGB"
    arithmetic: tuple[Arithmetic, ...] = ()
    dtype: str = "float32"
    layout: str = "NCHW"

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.interpolation, (*_OPENCV_INTERPOLATIONS, PILLOW_BILINEAR), "interpolation"),
            (self.channels, ("RGB", "BGR"), "order of channels"),
            (self.dtype, _DTYPES, "dtype"),
            (self.layout, ("NCHW", "NHWC"), "layout"),
        ):
            if value not in known:
                raise WorkloadError(
                    f"preprocessing {self.key!r}: there is no {what} {value!r}; known: "
                    + ", ".join(known)
                )
        self._check_sizes()
        self._check_arithmetic()

    def _check_sizes(self) -> None:
        height, width = self.resize_px or (self.height_px, self.width_px)
        if min(self.height_px, self.width_px) < 1:
            raise WorkloadError(f"preprocessing {self.key!r}: a size has to be at least 1 pixel")
        # The short side is what the resize fixes; the long side is never shorter than it.
        if min(height, width) < max(self.height_px, self.width_px) and self.resize_px:
            raise WorkloadError(
                f"preprocessing {self.key!r}: a crop of {self.height_px} × {self.width_px} doesn't "
                f"fit into photos resized to {min(height, width)} pixels; resize to more"
            )
        if self.resizes_floats and (self.resize_px or self.interpolation == PILLOW_BILINEAR):
            raise WorkloadError(
                f"preprocessing {self.key!r}: only OpenCV's resize without a crop works on floats"
            )

    def _check_arithmetic(self) -> None:
        for operation, constants in self.arithmetic:
            usable = operation in _OPERATIONS and len(constants) in {1, 3}
            if not usable or not all(map(math.isfinite, constants)):
                raise WorkloadError(
                    f"preprocessing {self.key!r}: no arithmetic step: {operation} {constants}; it "
                    f"takes one of {', '.join(_OPERATIONS)} and one number, or one a channel"
                )
            if operation == "divide" and 0.0 in constants:
                raise WorkloadError(f"preprocessing {self.key!r} divides by 0")
        if self.dtype in _FLOATS:
            return
        if self.resizes_floats and self.interpolation not in _STAYS_IN_RANGE:
            raise WorkloadError(
                f"preprocessing {self.key!r}: {self.interpolation} interpolation leaves the range "
                f"of {self.dtype}; resize bytes, or give floats to the model"
            )
        values = self.table()
        limits = np.iinfo(self.dtype)
        # A fraction is cut off, so that what is less than 1 beyond the limits still fits.
        if values.min() <= limits.min - 1 or values.max() >= limits.max + 1:
            raise WorkloadError(
                f"preprocessing {self.key!r} gives {values.min():g} … {values.max():g}, which "
                f"{self.dtype} can't hold; change the arithmetic or the dtype"
            )

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """Shape of one sample, in the order of the layout."""
        size = (self.height_px, self.width_px)
        return (3, *size) if self.layout == "NCHW" else (*size, 3)

    @property
    def sample_bytes(self) -> int:
        """Size of one sample in bytes."""
        return 3 * self.height_px * self.width_px * np.dtype(self.dtype).itemsize

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digest of all that this recipe says."""
        parts = [f"{field.name}={getattr(self, field.name)!r}" for field in fields(self)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps in words, for reports and for the declaration of untimed work."""
        size = f"{self.height_px} × {self.width_px}"
        kind = "float32" if self.resizes_floats else "uint8"
        resize = f"{self.interpolation} interpolation, as {kind}"
        if self.resize_px is None:
            placing = [f"resize to {size}, {resize}"]
        else:
            height, width = self.resize_px
            short = f"height {height} or width {width}, whichever is shorter"
            placing = [f"resize to {short}, {resize}", f"crop the centre {size}"]
        sums = [f"{name} {', '.join(f'{n:g}' for n in by)}" for name, by in self.arithmetic]
        return (
            "decode to uint8 BGR",
            *placing,
            f"channels {self.channels}",
            *sums,
            f"as {self.dtype}",
            f"layout {self.layout}",
        )

    def with_layout(self, layout: str) -> Preprocessing:
        """Give the same steps with another order of axes."""
        return replace(self, layout=layout)

    def resized_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Give the height and width that a photo is resized to.

        Source: the published reference of MLPerf Inference, which cuts fractions off.
        """
        if self.resize_px is None:
            return self.height_px, self.width_px
        height, width = self.resize_px
        if height_px > width_px:
            return int(height * height_px / width_px), width
        return height, int(width * width_px / height_px)

    def crop_start_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Give the first row and column of the crop from a resized photo."""
        spare = height_px - self.height_px, width_px - self.width_px
        if self.interpolation == PILLOW_BILINEAR:
            # TorchVision rounds a half to the even neighbour.
            return round(spare[0] / 2), round(spare[1] / 2)
        return spare[0] // 2, spare[1] // 2

    def table(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Give what the arithmetic makes of each pixel value, float32 [3, 256]."""
        values = np.tile(np.arange(256, dtype=np.float32), (3, 1))
        for operation, constants in self.arithmetic:
            by = np.array(constants, np.float32).reshape(-1, 1)
            getattr(np, operation)(values, by, out=values)
        return values
