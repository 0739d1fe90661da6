"""The fixtures that TensorFlow made, unpacked where a test wants them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support import ROOT

__all__ = ["expected", "image", "unpack"]

_FOLDER = ROOT / "tests/data/weights"


def unpack(name: str, folder: Path) -> Path:
    """Put a fixture into a folder; give its path."""
    path = folder / name
    path.write_bytes(gzip.decompress((_FOLDER / f"{name}.gz").read_bytes()))
    return path


def expected(prefix: str) -> dict[str, NDArray[Any]]:
    """Give the arrays whose names have this word in front, by the rest of their names."""
    with np.load(_FOLDER / "expected.npz") as arrays:
        return {
            name.removeprefix(f"{prefix} "): arrays[name]
            for name in arrays.files
            if name.startswith(f"{prefix} ")
        }


def image() -> NDArray[np.float32]:
    """Give what the networks were given, float32 [2, 3, 48, 48]."""
    with np.load(_FOLDER / "expected.npz") as arrays:
        scaled: NDArray[np.float32] = arrays["image"].astype(np.float32) / 4
        return scaled
