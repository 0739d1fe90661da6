"""Tabular classification: a task of its own, with its own metric, in one file.

The data set is a CSV file as scikit-learn keeps its own: a first line with the number of
rows and columns, then numbers, the class (0, 1, …) last. Every other row is for training;
the rest is the test set, which is what this workload measures.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, Session
from inferometer.loadgen import Interval
from inferometer.workloads import (
    MODEL,
    AccuracyResult,
    Predictor,
    ScoredAnswer,
    WorkloadError,
    WorkloadInfo,
    WorkloadOptions,
)

__all__ = ["Tabular", "macro_f1", "read_rows"]

_RESAMPLES = 1000


def read_rows(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read features, float32 [rows, columns], and classes, int64 [rows]."""
    features, classes = [], []
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for number, row in enumerate(rows, start=2):
            try:
                features.append([float(value) for value in row[:-1]])
                classes.append(int(row[-1]))
            except (ValueError, IndexError) as error:
                raise WorkloadError(f"{path}, line {number}: {error}") from None
    return np.array(features, np.float32), np.array(classes)


def macro_f1(found: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Give the mean over the classes of F1; int [n] both."""
    scores = []
    for name in np.unique(labels):
        right = int(((found == name) & (labels == name)).sum())
        wrong = int(((found == name) != (labels == name)).sum())
        scores.append(2 * right / (2 * right + wrong))
    return float(np.mean(scores))


class _Rows:
    """The test rows as a sample library; all of them are always in memory."""

    name = "test rows"

    def __init__(self, features: NDArray[np.float32]):
        self._features = features
        self.total_sample_count = self.performance_sample_count = len(features)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Do nothing."""

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Do nothing."""

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give rows, float32 [n, columns]."""
        return {"rows": self._features[indices]}


class Tabular:
    """Classification of the rows of a CSV file, scored by macro F1."""

    def __init__(self, options: WorkloadOptions):
        if options.data is None or options.model is None:
            raise WorkloadError("tabular needs --data FILE.csv and --model FILE")
        features, classes = read_rows(options.data)
        self._features, self._labels = features[1::2], classes[1::2]
        self._model = options.model
        target = options.extra.get("target")
        self.info = WorkloadInfo(
            name="tabular",
            title=f"Classes of {options.data.name}",
            task="tabular classification",
            metric="macro F1",
            data_set=options.data.name,
            sample_count=len(self._labels),
            reference_accuracy=float(target) if target else None,
            quality_ratio=1.0,
            server_latency_bound_ns=1_000_000,
            round_benchmark="*",
            model_formats=("onnx", "python"),
        )

    def library(self) -> _Rows:
        """Give the test rows."""
        return _Rows(self._features)

    def models(self, formats: tuple[str, ...]) -> Mapping[str, ModelFile]:  # noqa: ARG002
        """Give the user's model."""
        return {MODEL: ModelFile.of_user(self._model)}

    def predictor(self, sessions: Mapping[str, Session]) -> Predictor:
        """Answer with one byte a row: the class with the highest score."""
        session = sessions[MODEL]

        def predict(_: NDArray[Any], inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
            scores = session.run({session.input_names[0]: inputs["rows"]})[0]
            return scores.argmax(axis=1).astype(np.uint8)[:, None]

        return predict

    def score(self, answers: Iterable[ScoredAnswer]) -> AccuracyResult:
        """Compute macro F1; rows without an answer count as wrong."""
        found = np.full(len(self._labels), -1)
        unknown = repeated = 0
        for answer in answers:
            if not 0 <= answer.index < len(found):
                unknown += 1
            elif found[answer.index] >= 0:
                repeated += 1
            else:
                found[answer.index] = int.from_bytes(answer.response.data, "little")
        value = macro_f1(found, self._labels)
        draws = np.random.RandomState(0).randint(0, len(found), (_RESAMPLES, len(found)))
        replicates = np.array([macro_f1(found[draw], self._labels[draw]) for draw in draws])
        low, high = np.quantile(replicates, [0.025, 0.975]).tolist()
        return AccuracyResult(
            metric="macro F1",
            value=value,
            interval=Interval(low, high),
            total=len(found),
            missing=int((found < 0).sum()),
            repeated=repeated,
            unknown=unknown,
            target=self.info.target_accuracy,
            line=f"macro_f1={100.0 * value:.3f}%",
            replicates=replicates,
        )
