"""Accuracy log: the answers of an accuracy run, their coverage, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import InferometerError
from inferometer.logs import ACCURACY_LOG, AccuracyLogError
from inferometer.submission.checking.accuracy_asked import AccuracyAsked
from inferometer.submission.checking.accuracy_line import AccuracyLine, accuracy_line
from inferometer.submission.checking.answers import AnswerBatch, read_answers
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.truth import (
    ClassJudge,
    labels_of,
    score_with_variants,
)
from inferometer.submission.tree import Tree, TreeError
from inferometer.workloads.classification.scoring import top1_line

__all__ = ["LogAccuracy", "check_accuracy_log", "read_logged"]

_MOST_KEPT = 4_000_000
_CUT = b". \r\n\t\xe2\x80\xa6"
"""What stands between the kept parts: dots, or the one character for three of them."""
_SAME = 0.000_6
"""Accuracies are printed with three decimals."""

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class LogAccuracy:
    """What the log gives.

    line, value:
        The accuracy as the script prints it, and in its unit, samples without answer counted
        as wrong; empty and ``None`` where the truth isn't at hand.
    answers:
        Sequence ids and library indices, for replaying; ``None`` if the log isn't whole.
    is_cut:
        Whether only beginning and end are there, as later rounds ask for.
    """

    line: str = ""
    value: float | None = None
    answers: tuple[Indices, Indices] | None = None
    is_cut: bool = False


def check_accuracy_log(
    tree: Tree,
    parts: tuple[str, ...],
    asked: AccuracyAsked,
    line: AccuracyLine | None,
    notebook: Notebook,
) -> LogAccuracy:
    """Read the accuracy log of a folder once, and check all that it tells."""
    return _LogReader(tree, (*parts, ACCURACY_LOG), asked, line, notebook).check()


class _LogReader:
    """One pass over an accuracy log: coverage, classes and order at once."""

    def __init__(
        self,
        tree: Tree,
        where: tuple[str, ...],
        asked: AccuracyAsked,
        line: AccuracyLine | None,
        notebook: Notebook,
    ):
        self._tree = tree
        self._where = where
        self._asked = asked
        self._line = line
        self._notebook = notebook
        self._task = asked.task or (line.task if line else "")
        self._truth = asked.truth.file_of(self._task)
        size = asked.dataset_size
        self._coverage = _Coverage(size) if size else None
        self._judge: ClassJudge | None = None
        if self._truth is not None and self._task == "classification" and size is not None:
            labels = labels_of(self._truth)
            if len(labels) == size:
                self._judge = ClassJudge(labels)

    def check(self) -> LogAccuracy:
        """Read the log and note what it shows."""
        if not self._tree.size_bytes(*self._where):
            self._cannot("there is no accuracy log", "accuracy.log-damaged")
            return LogAccuracy()
        if self._is_cut():
            seen = "the beginning and the end of a log that was cut"
            self._notebook.passes("accuracy.log-damaged", self._where, seen)
            self._cannot("the accuracy log is cut")
            return LogAccuracy(is_cut=True)
        try:
            answers = self._read()
        except (AccuracyLogError, TreeError) as error:
            seen = _told(error, self._tree, self._where)
            self._notebook.fails("accuracy.log-damaged", self._where, seen)
            self._cannot("the accuracy log is damaged")
            return LogAccuracy()
        seen = f"{len(answers[0]):,} answers"
        self._notebook.passes("accuracy.log-damaged", self._where, seen)
        self._check_coverage()
        return LogAccuracy(*self._recompute(), answers)

    def _is_cut(self) -> bool:
        """Tell whether the log is beginning and end of a longer one; check that it is small."""
        files = self._asked.round.files
        most, size = files.most_bytes.get(ACCURACY_LOG), self._tree.size_bytes(*self._where)
        if most is not None:
            seen = f"{size:,} bytes, at most {most:,}"
            self._notebook.judge("accuracy.not-truncated", self._where, size <= most, seen)
        if files.kept_bytes is None or not 2 * files.kept_bytes <= size <= (most or size):
            return False
        with self._tree.open(*self._where) as file:
            text = file.read(size)
        middle = text[files.kept_bytes : -files.kept_bytes]
        return text.startswith(b"[") and text.rstrip().endswith(b"]") and not middle.strip(_CUT)

    def _cannot(self, why: str, *more: str) -> None:
        for rule_id in (*more, "accuracy.coverage", "accuracy.differs"):
            self._notebook.cannot(rule_id, self._where, why)

    def _read(self) -> tuple[Indices, Indices]:
        ids, indices, count = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for batch in read_answers(self._tree, *self._where):
            ids.append(batch.ids)
            indices.append(batch.indices)
            count += len(batch.ids)
            if count > _MOST_KEPT:
                raise AccuracyLogError(f"more than {_MOST_KEPT:,} answers, which no data set has")
            if self._coverage is not None:
                firsts = self._coverage.take(batch)
                if self._judge is not None:
                    self._judge.take(*firsts)
        return np.concatenate(ids), np.concatenate(indices)

    def _check_coverage(self) -> None:
        coverage, where = self._coverage, self._where
        if coverage is None:
            why = "the data set of this benchmark isn't known"
            self._notebook.cannot("accuracy.coverage", where, why)
            return
        total = len(coverage.is_answered)
        parts = {"without answer": total - coverage.seen, "answers to no sample": coverage.unknown}
        wrong = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
        benchmark = self._asked.benchmark
        smaller = benchmark.dataset_size_without_empty if benchmark else None
        is_whole = not wrong or (coverage.seen == smaller and not coverage.unknown)
        seen = f"of {total:,} samples: {wrong or 'all answered'}"
        self._notebook.judge("accuracy.coverage", where, is_whole, seen)
        seen = f"{coverage.repeated:,} answers again"
        is_once = self._asked.is_padded or not coverage.repeated
        self._notebook.judge("accuracy.repeated", where, is_once, seen)

    def _recompute(self) -> tuple[str, float | None]:
        """Compute the accuracy anew and compare it; give its line and value."""
        if self._truth is None:
            why = "the truth of the data set isn't given"
            self._notebook.cannot("accuracy.differs", self._where, why)
            return "", None
        if self._task == "classification":
            return self._recompute_classes()
        try:
            stated = self._line.value if self._line else 0.0
            log = self._tree.path(*self._where)
            text, value = score_with_variants(log, self._task, self._truth, stated)
        except InferometerError as error:
            seen = f"couldn't be scored: {_told(error, self._tree, self._where)}"
            self._notebook.cannot("accuracy.differs", self._where, seen)
            return "", None
        self._compare(text, text)
        return text, value

    def _recompute_classes(self) -> tuple[str, float | None]:
        if self._judge is None or self._coverage is None:
            why = "the labels given are of another number of samples than the data set"
            self._notebook.cannot("accuracy.differs", self._where, why)
            return "", None
        dtype = self._judge.best_dtype(self._line.good if self._line else None)
        if dtype != "float32":
            self._notebook.fails("accuracy.data-type", self._where, f"read as {dtype}")
        good = self._judge.good[dtype]
        text = top1_line(good, self._coverage.seen)
        self._compare(text, f"{text}, classes read as {dtype}")
        return text, 100.0 * good / len(self._coverage.is_answered)

    def _compare(self, text: str, seen: str) -> None:
        """Compare a line computed anew with the one in accuracy.txt."""
        line, computed = self._line, accuracy_line(text, self._task)
        if line is None or computed is None:
            why = f"{seen}; accuracy.txt states none"
            self._notebook.cannot("accuracy.differs", self._where, why)
            return
        is_same = abs(computed.value - line.value) < _SAME and line.good in (None, computed.good)
        told = seen if is_same else f"{seen}; stated: {line.text}"
        self._notebook.judge("accuracy.differs", self._where, is_same, told)


class _Coverage:
    """Which samples of a data set were answered, batch by batch."""

    def __init__(self, total: int):
        self.is_answered = np.zeros(total, bool)
        self.repeated = 0
        self.unknown = 0

    def take(self, batch: AnswerBatch) -> tuple[Indices, Indices, bytes]:
        """Give indices, sizes and data of those answers that are the first to their sample."""
        total = len(self.is_answered)
        is_known = (batch.indices >= 0) & (batch.indices < total)
        self.unknown += int((~is_known).sum())
        _, firsts = np.unique(batch.indices, return_index=True)
        is_first = np.zeros(len(batch.indices), bool)
        is_first[firsts] = True
        is_first &= is_known
        is_first[is_first] = ~self.is_answered[batch.indices[is_first]]
        self.repeated += int(is_known.sum()) - int(is_first.sum())
        self.is_answered[batch.indices[is_first]] = True
        if is_first.all():
            return batch.indices, batch.sizes, batch.data
        starts = np.cumsum(batch.sizes) - batch.sizes
        kept = np.flatnonzero(is_first)
        data = b"".join(
            batch.data[at : at + size]
            for at, size in zip(starts[kept].tolist(), batch.sizes[kept].tolist(), strict=True)
        )
        return batch.indices[kept], batch.sizes[kept], data

    @property
    def seen(self) -> int:
        """How many samples have an answer."""
        return int(self.is_answered.sum())


def read_logged(
    tree: Tree, parts: tuple[str, ...], notebook: Notebook
) -> tuple[Indices, Indices] | None:
    """Read the sequence ids and indices of a performance run's accuracy log, if it is whole."""
    where = (*parts, ACCURACY_LOG)
    if not tree.size_bytes(*where):
        return None
    ids, indices, count = [], [], 0
    try:
        for batch in read_answers(tree, *where):
            ids.append(batch.ids)
            indices.append(batch.indices)
            count += len(batch.ids)
            if count > _MOST_KEPT:
                return None
    except (AccuracyLogError, TreeError) as error:
        notebook.fails("accuracy.log-damaged", where, _told(error, tree, where))
        return None
    empty = [np.empty(0, np.int64)]
    return np.concatenate(ids or empty), np.concatenate(indices or empty)


def _told(error: Exception, tree: Tree, where: tuple[str, ...]) -> str:
    """Give an error without the path that stands beside it anyway."""
    return str(error).removeprefix(str(tree.path(*where))).lstrip(": ")
