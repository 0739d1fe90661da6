"""Scoring: the accuracy of any ``mlperf_log_accuracy.json``, computed anew from its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Response
from inferometer.logs import ACCURACY_LOG, read_accuracy_log
from inferometer.workloads import AccuracyResult, ScoredAnswer, WorkloadError, in_unit
from inferometer.workloads.classification.folder import read_pairs
from inferometer.workloads.classification.scoring import top1_accuracy, top1_line
from inferometer.workloads.detection.scoring import COUNTS, coco_map, map_line
from inferometer.workloads.translation.bleu import SEEN_ONLY, bleu_line, corpus_bleu
from inferometer.workloads.translation.corpus import read_lines

__all__ = ["TASKS", "LogScore", "ScoringOptions", "score_log"]


@dataclass(frozen=True)
class ScoringOptions:
    """How answers are read and judged.

    dtype:
        What a class was written as: float32, int32 or int64.
    inverse_map:
        Whether classes of detections are 1 to 80 instead of category ids.
    only_annotated:
        Whether the data set leaves out the images without any box.
    target:
        The accuracy to reach, in the metric's unit.
    """

    dtype: str = "float32"
    inverse_map: bool = False
    only_annotated: bool = False
    target: float | None = None


@dataclass(frozen=True)
class LogScore:
    """What came out: the accuracy over the whole data set, and what is to be known of it.

    ``published_line`` is what the published script prints for this log: it leaves out the
    samples that were never answered.
    """

    log: Path
    accuracy: AccuracyResult
    published_line: str
    remarks: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every sample was answered, and nothing else."""
        return not self.accuracy.missing and not self.accuracy.unknown

    @property
    def is_good(self) -> bool:
        """Whether it is complete and no target is missed."""
        return self.is_complete and self.accuracy.meets_target is not False

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        accuracy = self.accuracy
        return {
            "log": str(self.log),
            "metric": accuracy.metric,
            "value": accuracy.value,
            "unit": accuracy.unit,
            "interval": {"low": accuracy.interval.low, "high": accuracy.interval.high},
            "target": accuracy.target,
            "meets_target": accuracy.meets_target,
            "good": accuracy.good,
            "total": accuracy.total,
            "missing": accuracy.missing,
            "repeated": accuracy.repeated,
            "unknown": accuracy.unknown,
            "details": dict(accuracy.details),
            "line": accuracy.line,
            "published_line": self.published_line,
            "remarks": list(self.remarks),
        }


def score_log(log: Path, task: str, truth: Path, options: ScoringOptions) -> LogScore:
    """Score an accuracy log of any dialect against the truth of a data set.

    ``log`` is the file or the folder that holds it; ``task`` one of `TASKS`, and ``truth``
    what belongs to it: ``val_map.txt``, ``instances_val2017.json`` or the reference
    sentences. Raises an error that names the file and the place if one is damaged.
    """
    path = log / ACCURACY_LOG if log.is_dir() else log
    accuracy, published = TASKS[task](_answers(path), truth, options)
    return LogScore(path, accuracy, published, tuple(_remarks(accuracy, options)))


def _answers(path: Path) -> Iterator[ScoredAnswer]:
    for entry in read_accuracy_log(path):
        response = Response(entry.seq_id, entry.data, entry.token_data or b"", entry.token_count)
        yield ScoredAnswer(entry.qsl_idx, response)


def _classification(
    answers: Iterator[ScoredAnswer], truth: Path, options: ScoringOptions
) -> tuple[AccuracyResult, str]:
    found = top1_accuracy(answers, _read_labels(truth), options.target, dtype=options.dtype)
    return found, top1_line(found.good or 0, found.total - found.missing)


def _detection(
    answers: Iterator[ScoredAnswer], truth: Path, options: ScoringOptions
) -> tuple[AccuracyResult, str]:
    found = coco_map(
        answers,
        _read_annotations(truth),
        options.target,
        inverse_map=options.inverse_map,
        only_annotated=options.only_annotated,
    )
    return found, map_line(found.details.get(SEEN_ONLY, found.value))


def _translation(
    answers: Iterator[ScoredAnswer], truth: Path, options: ScoringOptions
) -> tuple[AccuracyResult, str]:
    found = corpus_bleu(answers, read_lines(truth), options.target)
    return found, bleu_line(found.details.get(SEEN_ONLY, found.value))


_Scorer = Callable[[Iterator[ScoredAnswer], Path, ScoringOptions], tuple[AccuracyResult, str]]

TASKS: Mapping[str, _Scorer] = {
    "classification": _classification,
    "detection": _detection,
    "translation": _translation,
}
"""How each task is scored, by its name."""


def _read_labels(path: Path) -> NDArray[np.int64]:
    lines = read_pairs(path)
    for line in lines:
        if not line.label.isdecimal():
            raise WorkloadError(
                f"{path}, line {line.number}: {line.label!r} is no class; expected a file name and "
                "a number, such as ILSVRC2012_val_00000001.JPEG 65"
            )
    return np.array([int(line.label) for line in lines], np.int64)


def _read_annotations(path: Path) -> Mapping[str, Any]:
    try:
        annotations: Mapping[str, Any] = json.loads(path.read_bytes())
    except OSError as error:
        raise WorkloadError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise WorkloadError(
            f"{path}: not a JSON file ({error}); expected annotations such as "
            "instances_val2017.json"
        ) from error
    return annotations


def _remarks(accuracy: AccuracyResult, options: ScoringOptions) -> Iterator[str]:
    """Say what is strange about the answers, and what mends it."""
    for name, value in accuracy.details.items():
        if name in COUNTS:
            yield f"{value:.0f} {name}"
        if name.startswith("as "):
            dtype = name.removeprefix("as ")
            yield (
                f"read as {options.dtype} the answers are no better than guessed; as {dtype} "
                f"{in_unit(value, accuracy.unit)} of them are right: give --dtype {dtype}"
            )
    if accuracy.unknown:
        yield (
            f"{accuracy.unknown:,} answers are to samples that the data set doesn't have: it is "
            "another data set, or only a part of the one that was run"
        )
    if accuracy.missing and SEEN_ONLY in accuracy.details:
        seen = in_unit(accuracy.details[SEEN_ONLY], accuracy.unit)
        yield (
            f"{accuracy.missing:,} samples have no answer; the published script leaves them out "
            f"and says {seen}"
        )
