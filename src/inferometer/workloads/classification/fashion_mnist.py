"""Fashion-MNIST: the 10,000 labelled test images that come with the package."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.rows import take_rows

__all__ = [
    "CLASS_NAMES",
    "SAMPLE_COUNT",
    "FashionMnistLibrary",
    "preprocess",
    "read_images",
    "read_labels",
    "taken_samples",
]

CLASS_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SAMPLE_COUNT = 10_000
PERFORMANCE_SAMPLE_COUNT = 1024
_IMAGES = (
    "t10k-images-idx3-ubyte.gz",
    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
)
_LABELS = (
    "t10k-labels-idx1-ubyte.gz",
    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
)
_UNSIGNED_BYTE = 0x08


def read_images() -> NDArray[np.uint8]:
    """Read the test images, uint8 [10000, 28, 28]."""
    return _read_idx(*_IMAGES)


def read_labels() -> NDArray[np.uint8]:
    """Read the test labels, uint8 [10000], 0 to 9 in the order of `CLASS_NAMES`."""
    return _read_idx(*_LABELS)


def _read_idx(name: str, sha256: str) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, after checking that it is the published one."""
    path: Traversable = resources.files("inferometer.workloads").joinpath("data", name)
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise WorkloadError(
            f"{path} is missing; install the package again, with its data files"
        ) from error
    found = hashlib.sha256(packed).hexdigest()
    if found != sha256:
        raise WorkloadError(
            f"{path} is damaged: its sha256 is {found}, and {sha256} was expected; install the "
            "package again"
        )
    content = gzip.decompress(packed)
    zero, kind, dimensions = struct.unpack_from(">HBB", content)
    if zero != 0 or kind != _UNSIGNED_BYTE:
        raise WorkloadError(f"{path} is not an IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def taken_samples(count: int | None) -> int:
    """Tell how many images are taken where ``count`` are asked for; all for ``None``."""
    if count is None:
        return SAMPLE_COUNT
    if count < 1:
        raise WorkloadError(f"the number of samples is {count}; it has to be 1 or more")
    return min(count, SAMPLE_COUNT)


class FashionMnistLibrary:
    """The test images as a sample library, preprocessed as the pocket models take them.

    ``count`` takes only the first so many. ``load`` scales pixels to -1 … 1, float32
    [n, 1, 28, 28] or, in the layout ``NHWC``, [n, 28, 28, 1], into one array whose rows
    `inputs` then gathers.
    """

    name = "Fashion-MNIST test images"

    def __init__(self, count: int | None = None, layout: str = "") -> None:
        self.total_sample_count = taken_samples(count)
        self.performance_sample_count = min(PERFORMANCE_SAMPLE_COUNT, self.total_sample_count)
        self._images = read_images()[: self.total_sample_count]
        self._rows = np.full(self.total_sample_count, -1, np.int64)
        # One channel lies the same way in memory wherever its axis is.
        self._shape = (28, 28, 1) if layout == "NHWC" else (1, 28, 28)
        self._loaded = np.empty((0, *self._shape), np.float32)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Preprocess samples into memory; int64 [n], repetitions allowed."""
        distinct = np.unique(indices)
        self._loaded = preprocess(self._images[distinct]).reshape(-1, *self._shape)
        self._rows[:] = -1
        self._rows[distinct] = np.arange(len(distinct))

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the samples go."""
        self._rows[indices] = -1
        self._loaded = np.empty((0, *self._shape), np.float32)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's input, float32 [n, …], for loaded samples."""
        return {"input": take_rows(self._loaded, self._rows, indices)}


def preprocess(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from 0 … 255 to -1 … 1; uint8 [n, 28, 28] to float32 [n, 1, 28, 28]."""
    scaled: NDArray[np.float32] = (images.astype(np.float32) / 255.0 - 0.5) * 2.0
    return scaled[:, None]
