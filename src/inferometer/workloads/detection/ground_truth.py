"""Ground truth of detection: images, boxes and categories of a COCO annotation file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError

__all__ = ["GroundTruth"]


@dataclass(frozen=True)
class GroundTruth:
    """The images that are evaluated, by library index, and what is on them.

    image_ids, heights, widths:
        int64 [images], in the order of the library.
    category_ids:
        int64 [categories], ascending.
    boxes:
        float64 [boxes, 4]: x, y of the upper left corner, width, height, in pixels; with
        box_image_ids, box_category_ids, areas and crowds (bool) beside them.
    """

    image_ids: NDArray[np.int64]
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    category_ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    box_image_ids: NDArray[np.int64]
    box_category_ids: NDArray[np.int64]
    areas: NDArray[np.float64]
    crowds: NDArray[np.bool_]

    @classmethod
    def of(cls, annotations: Mapping[str, Any], *, only_annotated: bool = False) -> GroundTruth:
        """Take from the content of an ``instances_*.json`` file what evaluation needs.

        With ``only_annotated``, images without any box are left out, and library indices
        count the others. Raises `WorkloadError` naming the entry that is not as it should be.
        """
        boxes = _column(annotations, "annotations", _box)
        box_image_ids = _integers(annotations, "annotations", "image_id")
        images = _integers(annotations, "images", "id")
        kept = np.ones(len(images), bool)
        if only_annotated:
            kept = np.isin(images, box_image_ids)
        if not len(images) or len(np.unique(images)) != len(images):
            raise WorkloadError("annotations: there have to be images, each with an id of its own")
        here = np.isin(box_image_ids, images[kept])
        crowds = _column(annotations, "annotations", lambda a: bool(a.get("iscrowd", 0)))
        areas = _column(annotations, "annotations", _area)
        return cls(
            image_ids=images[kept],
            heights=_integers(annotations, "images", "height")[kept],
            widths=_integers(annotations, "images", "width")[kept],
            category_ids=np.sort(_integers(annotations, "categories", "id")),
            boxes=np.array(boxes, np.float64).reshape(-1, 4)[here],
            box_image_ids=box_image_ids[here],
            box_category_ids=_integers(annotations, "annotations", "category_id")[here],
            areas=np.array(areas, np.float64)[here],
            crowds=np.array(crowds, bool)[here],
        )


def _integers(annotations: Mapping[str, Any], part: str, key: str) -> NDArray[np.int64]:
    return np.array(_column(annotations, part, lambda entry: int(entry[key])), np.int64)


def _column(annotations: Mapping[str, Any], part: str, value_of: Callable[[Any], Any]) -> list[Any]:
    """Give a value of each entry of a part; raise `WorkloadError` naming a damaged entry."""
    if not isinstance(annotations, Mapping) or not isinstance(annotations.get(part), list):
        raise WorkloadError(
            f"annotations: there is no list {part!r}; give the content of a COCO file such as "
            "instances_val2017.json"
        )
    values: list[Any] = []
    try:
        values.extend(map(value_of, annotations[part]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        place = f"{part}[{len(values)}]"
        raise WorkloadError(f"annotations: {place} is not as COCO has it ({error!r})") from None
    return values


def _box(entry: Mapping[str, Any]) -> tuple[float, float, float, float]:
    x, y, width, height = entry["bbox"]
    return float(x), float(y), float(width), float(height)


def _area(entry: Mapping[str, Any]) -> float:
    """Give the area of the object; that of its box where the file doesn't say."""
    _, _, width, height = _box(entry)
    return float(entry.get("area", width * height))
