"""Truth: what answers are compared with, where the user has it at hand."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.runs.scoring import ScoringOptions, score_log
from inferometer.workloads import WorkloadError
from inferometer.workloads.classification.folder import read_pairs
from inferometer.workloads.classification.scoring import DTYPES

__all__ = ["ClassJudge", "Truth", "labels_of"]

_NO_CLASS = -1


@dataclass(frozen=True)
class Truth:
    """Files with the truth of data sets; ``None`` for one that isn't at hand.

    labels:
        ``val_map.txt``, a file name and a class a line.
    annotations:
        ``instances_val2017.json``.
    references:
        The reference sentences of newstest2014.
    """

    labels: Path | None = None
    annotations: Path | None = None
    references: Path | None = None

    def file_of(self, task: str) -> Path | None:
        """Give the file that belongs to a task; ``None`` if it isn't at hand."""
        files = {
            "classification": self.labels,
            "detection": self.annotations,
            "translation": self.references,
        }
        return files.get(task)


@functools.lru_cache(maxsize=2)
def labels_of(path: Path) -> NDArray[np.int64]:
    """Read the class of each sample; raise `WorkloadError` that names the line if one is none."""
    lines = read_pairs(path)
    for line in lines:
        if not (line.label.isascii() and line.label.isdecimal() and len(line.label) < 10):
            raise WorkloadError(
                f"{path}, line {line.number}: no class; expected a file name and a number, such "
                "as ILSVRC2012_val_00000001.JPEG 65"
            )
    return np.array([int(line.label) for line in lines], np.int64)


class ClassJudge:
    """Counts right classes batch by batch, read as each data type that scripts know.

    The first answer to a sample counts, as everywhere. ``good`` are the right samples by data
    type; the samples of the data set are those that there are labels for.
    """

    def __init__(self, labels: NDArray[np.int64]):
        self._labels = labels
        self.good = dict.fromkeys(DTYPES, 0)

    def take(self, indices: NDArray[np.int64], sizes: NDArray[np.int64], data: bytes) -> None:
        """Judge answers that are each the first to their sample; indices lie in the data set."""
        starts = np.cumsum(sizes) - sizes
        for name, dtype in DTYPES.items():
            classes = _decode(starts, sizes, data, dtype.itemsize, name)
            self.good[name] += int((classes == self._labels[indices]).sum())

    def best_dtype(self, stated_good: int | None) -> str:
        """Give the data type that makes the stated count, else the one that is most often right."""
        for name, good in self.good.items():
            if good == stated_good:
                return name
        return max(self.good, key=self.good.__getitem__)


def _decode(
    starts: NDArray[np.int64], sizes: NDArray[np.int64], data: bytes, width: int, name: str
) -> NDArray[np.int64]:
    """Read the first element of each answer as an integer; -1 where there is none."""
    found = np.full(len(starts), _NO_CLASS, np.int64)
    fits = sizes >= width
    raw = np.frombuffer(data, np.uint8)
    if not fits.any():
        return found
    elements = raw[starts[fits][:, np.newaxis] + np.arange(width)]
    values = np.ascontiguousarray(elements).view(DTYPES[name]).reshape(-1)
    with np.errstate(invalid="ignore"):
        is_class = (values > -1) & (values < 2**31)
    found[np.flatnonzero(fits)[is_class]] = values[is_class].astype(np.int64)
    return found


def score_with_variants(log: Path, task: str, truth: Path, stated: float) -> tuple[str, float]:
    """Score detections or translations; give the line, and the value in its unit.

    Classes of detections may be written in two ways; the one that makes the stated accuracy
    counts, else the better one.
    """
    variants = [ScoringOptions()]
    if task == "detection":
        variants.append(ScoringOptions(inverse_map=True))
    scores = [score_log(log, task, truth, options) for options in variants]
    found = [(score.published_line, score.accuracy) for score in scores]
    values = [
        (line, 100.0 * accuracy.value if accuracy.unit == "%" else accuracy.value)
        for line, accuracy in found
    ]
    near = [one for one in values if abs(one[1] - stated) < 0.05]
    return near[0] if near else max(values, key=lambda one: one[1])
