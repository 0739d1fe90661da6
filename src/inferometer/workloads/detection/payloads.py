"""Detection payloads: the rows that an answer holds, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.coverage import Coverage
from inferometer.workloads.detection.ground_truth import GroundTruth

__all__ = ["COLUMNS", "Detections", "read_detections"]

COLUMNS = ("library index", "ymin", "xmin", "ymax", "xmax", "score", "class")
"""What a row holds, each a little-endian float32; boxes as fractions of the image."""

_ROW = len(COLUMNS)
_ROW_BYTES = 4 * _ROW


@dataclass(frozen=True)
class Detections:
    """All detections as COCO counts them, and how many answers or rows were not right.

    rows:
        float64 [detections, 7]: image id, x, y, width, height in pixels, score, category.
    malformed:
        Answers that are no whole rows (none of their rows count), and rows with numbers
        that are not finite.
    misplaced:
        Rows that name another sample than the one that they answer. They count for the
        sample that was asked, as in the published script.
    uncategorised:
        Rows whose class is no category. They can't match anything.
    """

    rows: NDArray[np.float64]
    malformed: int
    misplaced: int
    uncategorised: int


def read_detections(coverage: Coverage, truth: GroundTruth, *, inverse_map: bool) -> Detections:
    """Read every answer's rows, scaled to pixels.

    With ``inverse_map`` classes are 1, 2, … in the ascending order of category ids;
    otherwise they are category ids. Boxes are scaled in float32, as the published script
    scales them: that keeps every digit the same.

    Source: MLPerf Inference v0.5, accuracy-coco.
    """
    whole = {i: data for i, data in coverage.answers.items() if len(data) % _ROW_BYTES == 0}
    rows = np.frombuffer(b"".join(whole.values()), "<f4").reshape(-1, _ROW)
    counts = [len(data) // _ROW_BYTES for data in whole.values()]
    indices = np.repeat(np.fromiter(whole, np.int64, len(whole)), counts)
    finite = np.isfinite(rows).all(axis=1)
    rows, indices = rows[finite], indices[finite]
    categories = _categories(rows[:, 6], truth, inverse_map=inverse_map)
    known = np.isin(categories, truth.category_ids)
    return Detections(
        rows=_in_pixels(rows, indices, categories, truth)[known],
        malformed=len(coverage.answers) - len(whole) + int(np.count_nonzero(~finite)),
        misplaced=int(np.count_nonzero(np.trunc(rows[:, 0]) != indices)),
        uncategorised=int(np.count_nonzero(~known)),
    )


def _categories(
    classes: NDArray[np.float32], truth: GroundTruth, *, inverse_map: bool
) -> NDArray[np.int64]:
    """Give the category id of each class; -1 for those beyond any number of categories."""
    is_class = (classes >= 0) & (classes < 2**31)
    numbers = np.where(is_class, classes, -1).astype(np.int64)
    if not inverse_map:
        return numbers
    in_range = (numbers >= 1) & (numbers <= len(truth.category_ids))
    found = np.full(len(numbers), -1, np.int64)
    found[in_range] = truth.category_ids[numbers[in_range] - 1]
    return found


def _in_pixels(
    rows: NDArray[np.float32],
    indices: NDArray[np.int64],
    categories: NDArray[np.int64],
    truth: GroundTruth,
) -> NDArray[np.float64]:
    heights = truth.heights[indices].astype(np.float32)
    widths = truth.widths[indices].astype(np.float32)
    ymin, ymax = rows[:, 1] * heights, rows[:, 3] * heights
    xmin, xmax = rows[:, 2] * widths, rows[:, 4] * widths
    found = np.empty((len(rows), _ROW), np.float64)
    found[:, 0] = truth.image_ids[indices]
    found[:, 1], found[:, 2] = xmin, ymin
    found[:, 3], found[:, 4] = xmax - xmin, ymax - ymin
    found[:, 5], found[:, 6] = rows[:, 5], categories
    return found
