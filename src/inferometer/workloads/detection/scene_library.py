"""Scene library: composed scenes as samples, preprocessed as the pocket detectors take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.detection.scenes import EVALUATION_SCENE_COUNT, SCENE_SIZE_PX, Scenes
from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.rows import take_rows

__all__ = ["INPUT", "SceneLibrary", "preprocess", "taken_scenes"]

INPUT = "image"
PERFORMANCE_SAMPLE_COUNT = 256


def taken_scenes(count: int | None) -> int:
    """Tell how many evaluation scenes are taken where ``count`` are asked for; all for ``None``."""
    if count is None:
        return EVALUATION_SCENE_COUNT
    if count < 1:
        raise WorkloadError(f"the number of samples is {count}; it has to be 1 or more")
    return min(count, EVALUATION_SCENE_COUNT)


def preprocess(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from 0 … 255 to -1 … 1; uint8 [n, h, w] to float32 [n, 1, h, w]."""
    scaled: NDArray[np.float32] = images[:, None].astype(np.float32) * np.float32(2 / 255)
    scaled -= 1
    return scaled


class SceneLibrary:
    """Scenes as a sample library.

    ``load`` draws the scenes and scales them, float32 [n, 1, 96, 96] or, in the layout
    ``NHWC``, [n, 96, 96, 1], into one array whose rows `inputs` then gathers.
    """

    def __init__(self, scenes: Scenes, name: str, layout: str = "") -> None:
        self.name = name
        size = (SCENE_SIZE_PX, SCENE_SIZE_PX)
        # One channel lies the same way in memory wherever its axis is.
        self._shape = (*size, 1) if layout == "NHWC" else (1, *size)
        self.total_sample_count = len(scenes)
        self.performance_sample_count = min(PERFORMANCE_SAMPLE_COUNT, len(scenes))
        self._scenes = scenes
        self._rows = np.full(len(scenes), -1, np.int64)
        self._loaded = np.empty((0, *self._shape), np.float32)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Draw and preprocess samples; int64 [n], repetitions allowed."""
        distinct = np.unique(indices)
        self._loaded = preprocess(self._scenes.images(distinct)).reshape(-1, *self._shape)
        self._rows[:] = -1
        self._rows[distinct] = np.arange(len(distinct))

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the samples go."""
        self._rows[indices] = -1
        self._loaded = np.empty((0, *self._shape), np.float32)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give the model's input, float32 [n, …], for loaded samples."""
        return {INPUT: take_rows(self._loaded, self._rows, indices)}
