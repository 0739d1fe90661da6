"""Scenes: pictures of several garments with exact boxes, composed from Fashion-MNIST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.classification.fashion_mnist import (
    CLASS_NAMES,
    read_images,
    read_labels,
)

__all__ = [
    "CALIBRATION_SCENE_COUNT",
    "CALIBRATION_SEED",
    "EVALUATION_SCENE_COUNT",
    "EVALUATION_SEED",
    "SCENE_SIZE_PX",
    "Scene",
    "SceneObject",
    "Scenes",
    "calibration_scenes",
    "evaluation_scenes",
]

SCENE_SIZE_PX = 96
EVALUATION_SCENE_COUNT = 500
CALIBRATION_SCENE_COUNT = 100
EVALUATION_SEED = 20170901
CALIBRATION_SEED = 20170902

_EVALUATION_GARMENTS = slice(0, 8_000)
_CALIBRATION_GARMENTS = slice(8_000, 10_000)
_MOST_GARMENTS = 5
_TRIES = 8
_SHORTEST_PX, _LONGEST_PX = 26, 60
_SILHOUETTE_FLOOR = 24
_LEAST_INSIDE_PERCENT = 85
_LEAST_VISIBLE_PERCENT = 55
_NOTHING = -1
_SCALE_BITS = 8


@dataclass(frozen=True)
class SceneObject:
    """A garment in a scene: its label 0 … 9, and the box and area of what is seen of it.

    ``box_px`` is (left, top, width, height) in whole pixels.
    """

    label: int
    box_px: tuple[int, int, int, int]
    area_px: int


@dataclass(frozen=True)
class Scene:
    """A grey picture, uint8 [96, 96], and the garments in it from back to front."""

    image: NDArray[np.uint8]
    objects: tuple[SceneObject, ...]


class Scenes:
    """A numbered set of scenes, each drawn when it is first asked for.

    ``garments`` is uint8 [n, 28, 28], ``labels`` int [n]. A scene follows from the seed and
    its number alone. Only frozen random streams and whole numbers are used, so that its
    bytes are the same with every version and on every platform.
    """

    def __init__(
        self,
        garments: NDArray[np.uint8],
        labels: NDArray[np.integer[Any]],
        count: int,
        seed: int,
    ) -> None:
        self._garments = garments
        self._labels = labels
        self._seed = seed
        self._drawn: list[Scene | None] = [None] * count

    def __len__(self) -> int:
        return len(self._drawn)

    def __getitem__(self, index: int) -> Scene:
        scene = self._drawn[index]
        if scene is None:
            random = np.random.RandomState([self._seed, index])
            scene = _draw(random, self._garments, self._labels)
            self._drawn[index] = scene
        return scene

    def images(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """Give pictures, uint8 [n, 96, 96]."""
        images = np.empty((len(indices), SCENE_SIZE_PX, SCENE_SIZE_PX), np.uint8)
        for row, index in enumerate(indices):
            images[row] = self[int(index)].image
        return images

    def annotations(self) -> dict[str, Any]:
        """Give what is in every scene, in the form of a COCO instances file.

        Image ids count from 1 in the order of the scenes; category ids are labels plus 1.
        """
        images = [
            {
                "id": index + 1,
                "file_name": f"scene-{index:05d}",
                "width": SCENE_SIZE_PX,
                "height": SCENE_SIZE_PX,
            }
            for index in range(len(self))
        ]
        found = [(index + 1, one) for index in range(len(self)) for one in self[index].objects]
        annotations = [
            {
                "id": number,
                "image_id": image_id,
                "category_id": one.label + 1,
                "bbox": [float(side) for side in one.box_px],
                "area": float(one.area_px),
                "iscrowd": 0,
            }
            for number, (image_id, one) in enumerate(found, 1)
        ]
        categories = [{"id": label, "name": name} for label, name in enumerate(CLASS_NAMES, 1)]
        return {"images": images, "annotations": annotations, "categories": categories}


def evaluation_scenes(count: int = EVALUATION_SCENE_COUNT) -> Scenes:
    """Give the scenes that accuracy is measured on, made from the first 8,000 test images."""
    return _scenes_of(_EVALUATION_GARMENTS, count, EVALUATION_SEED)


def calibration_scenes(count: int = CALIBRATION_SCENE_COUNT) -> Scenes:
    """Give scenes for quantisation, made from the last 2,000 test images, used nowhere else."""
    return _scenes_of(_CALIBRATION_GARMENTS, count, CALIBRATION_SEED)


def _scenes_of(part: slice, count: int, seed: int) -> Scenes:
    return Scenes(read_images()[part], read_labels()[part], count, seed)


def _draw(
    random: np.random.RandomState,
    garments: NDArray[np.uint8],
    labels: NDArray[np.integer[Any]],
) -> Scene:
    """Lay one to five garments on a background, later ones in front of earlier ones."""
    image = _background(random)
    owner = np.full(image.shape, _NOTHING, np.int8)
    sizes: list[int] = []
    chosen: list[int] = []
    wanted = _integer(random, 1, _MOST_GARMENTS + 1)
    for _ in range(_TRIES):
        if len(chosen) == wanted:
            break
        number = _integer(random, 0, len(garments))
        pixels, top, left = _placed(random, garments[number])
        rows = slice(max(top, 0), top + pixels.shape[0])
        columns = slice(max(left, 0), left + pixels.shape[1])
        silhouette = pixels >= _SILHOUETTE_FLOOR
        size = int(np.count_nonzero(silhouette))
        seen = silhouette[rows.start - top :, columns.start - left :]
        seen = seen[: SCENE_SIZE_PX - rows.start, : SCENE_SIZE_PX - columns.start]
        behind = owner[rows, columns]
        if not _fits(seen, behind, owner, sizes, size):
            continue
        shown = pixels[rows.start - top :, columns.start - left :][: seen.shape[0], : seen.shape[1]]
        np.copyto(image[rows, columns], shown, where=seen)
        behind[seen] = len(chosen)
        sizes.append(size)
        chosen.append(int(labels[number]))
    return Scene(
        np.clip(image, 0, 255).astype(np.uint8),
        tuple(_seen_object(owner == place, label) for place, label in enumerate(chosen)),
    )


def _fits(
    seen: NDArray[np.bool_],
    behind: NDArray[np.int8],
    owner: NDArray[np.int8],
    sizes: Sequence[int],
    size: int,
) -> bool:
    """Say whether enough stays visible of a new garment and of each one behind it."""
    if not size or np.count_nonzero(seen) * 100 < size * _LEAST_INSIDE_PERCENT:
        return False
    visible = np.bincount(owner[owner >= 0], minlength=len(sizes))
    covered = np.bincount(behind[seen & (behind >= 0)], minlength=len(sizes))
    return all(
        (int(visible[place]) - int(covered[place])) * 100 >= full * _LEAST_VISIBLE_PERCENT
        for place, full in enumerate(sizes)
    )


def _seen_object(mask: NDArray[np.bool_], label: int) -> SceneObject:
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    box = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
    return SceneObject(label, box, int(np.count_nonzero(mask)))


def _placed(
    random: np.random.RandomState, garment: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], int, int]:
    """Give a garment in another size, mirrored half of the time, and where it lies."""
    side = _integer(random, _SHORTEST_PX, _LONGEST_PX + 1)
    height = side * _integer(random, 88, 113) // 100
    width = side * _integer(random, 88, 113) // 100
    pixels = _resized(garment, height, width)
    if _integer(random, 0, 2):
        pixels = pixels[:, ::-1]
    # A tenth of a garment may hang over the edge.
    top = _integer(random, -(height // 10), SCENE_SIZE_PX - height + height // 10 + 1)
    left = _integer(random, -(width // 10), SCENE_SIZE_PX - width + width // 10 + 1)
    return pixels, top, left


def _background(random: np.random.RandomState) -> NDArray[np.int32]:
    """Give a background, int32 [96, 96]: a slope, a few flat patches, and noise."""
    along = np.arange(SCENE_SIZE_PX, dtype=np.int32)
    level = _integer(random, 10, 90)
    down, across = _integer(random, -40, 41), _integer(random, -40, 41)
    image = level + down * along[:, None] // SCENE_SIZE_PX + across * along // SCENE_SIZE_PX
    for _ in range(_integer(random, 2, 9)):
        top, left = _integer(random, -10, 90), _integer(random, -10, 90)
        height, width = _integer(random, 3, 45), _integer(random, 3, 45)
        shade = _integer(random, -40, 60)
        image[max(top, 0) : top + height, max(left, 0) : left + width] += shade
    strength = _integer(random, 2, 12)
    noise = random.randint(-strength, strength + 1, image.shape, dtype=np.int32)
    shaded: NDArray[np.int32] = np.clip(image + noise, 0, 255).astype(np.int32)
    return shaded


def _resized(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.int32]:
    """Resize with linear interpolation in whole numbers."""
    down = _interpolation(image.shape[0], height)
    across = _interpolation(image.shape[1], width)
    half = 1 << (2 * _SCALE_BITS - 1)
    resized: NDArray[np.int32] = (down @ image @ across.T + half) >> (2 * _SCALE_BITS)
    return resized


@cache
def _interpolation(source: int, target: int) -> NDArray[np.int32]:
    """Give weights, int32 [target, source], in units of 1/256, each row adding up to 256."""
    unit = 1 << _SCALE_BITS
    # Pixel centres, in units of 1/256 of a source pixel.
    places = ((2 * np.arange(target) + 1) * source * unit // target - unit) // 2
    places = np.clip(places, 0, (source - 1) * unit)
    first = places // unit
    second = np.minimum(first + 1, source - 1)
    weights = np.zeros((target, source), np.int32)
    np.add.at(weights, (np.arange(target), first), unit - places % unit)
    np.add.at(weights, (np.arange(target), second), places % unit)
    return weights


def _integer(random: np.random.RandomState, low: int, high: int) -> int:
    # A fixed width, as the default one differs between platforms and with it the stream.
    return int(random.randint(low, high, dtype=np.int32))
