"""Made-up scenes with detections of them, and pycocotools as the judge."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Response
from inferometer.workloads.protocol import ScoredAnswer

CATEGORY_IDS = [1, 2, 3, 13, 44, 90]


@dataclass(frozen=True)
class Scenes:
    """Annotations as COCO writes them, and rows of 7 for each image by library index."""

    annotations: dict[str, Any]
    rows: dict[int, NDArray[np.float32]]

    def answers(self) -> list[ScoredAnswer]:
        return [answer(index, rows) for index, rows in self.rows.items()]


def answer(index: int, rows: NDArray[np.float32] | bytes) -> ScoredAnswer:
    data = rows if isinstance(rows, bytes) else rows.astype("<f4").tobytes()
    return ScoredAnswer(index, Response(index, data, b"", None))


def make_scenes(
    seed: int,
    images: int,
    *,
    boxes: float = 5.0,
    noise: int = 6,
    crowds: float = 0.1,
    score_steps: int = 0,
    categories: Sequence[int] = CATEGORY_IDS,
) -> Scenes:
    """Scatter boxes, find most of them about where they are, and see some that aren't there.

    With ``score_steps`` scores are multiples of 1 / steps, which makes many ties.
    """
    rng = np.random.default_rng(seed)
    ids = rng.permutation(10 * images)[:images] + 1
    entries: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    rows: dict[int, NDArray[np.float32]] = {}
    for index in range(images):
        height, width = rng.integers(40, 640, 2).tolist()
        entries.append(
            {"id": int(ids[index]), "height": height, "width": width, "file_name": f"{index}.jpg"}
        )
        seen = []
        for _ in range(rng.poisson(boxes)):
            low, size = rng.random(2) * 0.7, rng.random(2) ** 2 * 0.3 + 0.01
            category = int(rng.choice(categories))
            known.append(
                {
                    "id": len(known) + 1,
                    "image_id": int(ids[index]),
                    "category_id": category,
                    "bbox": [low[1] * width, low[0] * height, size[1] * width, size[0] * height],
                    "area": float(size.prod() * width * height * rng.uniform(0.4, 1.0)),
                    "iscrowd": int(rng.random() < crowds),
                }
            )
            for _ in range(rng.choice(3, p=[0.2, 0.6, 0.2])):
                moved = np.concatenate([low, low + size]) + rng.normal(0, 0.1, 4) * np.tile(size, 2)
                seen.append([*moved, rng.random(), category])
        for _ in range(rng.integers(0, noise + 1)):
            corners = np.sort(rng.random((2, 2)), axis=0).reshape(-1)
            seen.append([*corners, rng.random() * 0.7, float(rng.choice(categories))])
        found = np.array([[index, *row] for row in seen], np.float32).reshape(-1, 7)
        if score_steps:
            found[:, 5] = np.round(found[:, 5] * score_steps) / score_steps
        rows[index] = found
    listed = [{"id": c, "name": f"category {c}"} for c in sorted(categories)]
    return Scenes({"images": entries, "annotations": known, "categories": listed}, rows)


def judged_by_pycocotools(
    annotations: dict[str, Any],
    rows: Mapping[int, NDArray[np.float32]],
    *,
    only_seen: bool = False,
) -> NDArray[np.float64]:
    """Give the twelve figures of pycocotools, fed as the published script feeds it."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    detections = []
    for index, found in rows.items():
        image = annotations["images"][index]
        for _, ymin, xmin, ymax, xmax, score, category in found:
            ymin, ymax = ymin * image["height"], ymax * image["height"]  # noqa: PLW2901
            xmin, xmax = xmin * image["width"], xmax * image["width"]  # noqa: PLW2901
            detections.append(
                {
                    "image_id": image["id"],
                    "category_id": int(category),
                    "bbox": [float(xmin), float(ymin), float(xmax - xmin), float(ymax - ymin)],
                    "score": float(score),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = annotations
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(detections), "bbox")
        if only_seen:
            evaluation.params.imgIds = [annotations["images"][i]["id"] for i in rows]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    figures: NDArray[np.float64] = np.asarray(evaluation.stats, np.float64)
    return figures
