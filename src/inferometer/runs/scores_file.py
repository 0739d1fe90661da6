"""Scores file: the score of every sample, kept so that results can be compared in pairs."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np

from inferometer.workloads import AccuracyResult

__all__ = ["SCORES", "with_scores", "write_scores"]

SCORES = "scores.npz"
"""Beside the recording of an accuracy test: what a paired test needs of its result."""

_NAMES = ("sample_scores", "replicates")


def write_scores(folder: Path, accuracy: AccuracyResult | None) -> None:
    """Write the scores of an accuracy result, if it has some that can be paired."""
    if accuracy is None:
        return
    arrays = {
        name: values for name in _NAMES if (values := getattr(accuracy, name, None)) is not None
    }
    if arrays:
        np.savez_compressed(folder / SCORES, **arrays)


def with_scores(accuracy: AccuracyResult, folder: Path) -> AccuracyResult:
    """Give a result that was read with its scores; without them where there are none.

    A damaged file only costs the paired test, and so is left aside.
    """
    try:
        with (folder / SCORES).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name].astype(np.float64) for name in _NAMES if name in arrays}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return accuracy
    if any(values.ndim != 1 for values in found.values()):
        return accuracy
    return dataclasses.replace(accuracy, **found)
