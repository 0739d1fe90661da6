"""Accuracy: what a result states of its accuracy, beside what its answers come to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inferometer.logs import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG
from inferometer.submission.checking.accuracy_asked import JUDGED_TASKS, AccuracyAsked
from inferometer.submission.checking.accuracy_line import AccuracyLine, accuracy_line, hash_line
from inferometer.submission.checking.accuracy_log import check_accuracy_log
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in
from inferometer.submission.checking.run_logs import RunLogs
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["AccuracyFound", "check_accuracy"]

_LARGEST_TEXT_BYTES = 1 << 20
_CHUNK_BYTES = 4 << 20

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class AccuracyFound:
    """What came out.

    stated, recomputed:
        The line in ``accuracy.txt``, and the one computed anew; empty if there is none.
    answers:
        Sequence ids and library indices of the log, for replaying; ``None`` if it isn't whole.
    """

    stated: str
    recomputed: str
    answers: tuple[Indices, Indices] | None


def check_accuracy(
    tree: Tree, run: RunLogs, asked: AccuracyAsked, notebook: Notebook
) -> AccuracyFound:
    """Check ``accuracy.txt`` and the accuracy log beside the logs of an accuracy run."""
    parts = run.parts
    where = (*parts, ACCURACY_TEXT)
    _check_sample_count(run, asked, notebook)
    if asked.benchmark is not None and asked.task not in JUDGED_TASKS:
        # A result whose accuracy nobody looked at isn't one to call good.
        notebook.fails("check.gave-up", where, f"the accuracy of {asked.task} can't be judged yet")
        return AccuracyFound("", "", None)
    text = _text(tree, parts, notebook)
    line = accuracy_line(text, asked.task or None)
    if tree.has_file(*where):
        stated = shown(line.text) if line else "no line of the benchmark's script"
        notebook.judge("accuracy.no-line", where, line is not None, stated)
    if line is not None:
        _check_line(line, asked, where, notebook)
    found = check_accuracy_log(tree, parts, asked, line, notebook)
    _check_hash(tree, parts, hash_line(text), asked, is_cut=found.is_cut, notebook=notebook)
    _check_target(line, found.value, asked, where, notebook)
    return AccuracyFound(shown(line.text) if line else "", found.line, found.answers)


def _check_sample_count(run: RunLogs, asked: AccuracyAsked, notebook: Notebook) -> None:
    """Check how many samples LoadGen was set to, where the round asks for that."""
    rule_id, where = "accuracy.sample-count", (*run.parts, DETAIL_LOG)
    if asked.sample_count is None:
        notebook.cannot(rule_id, where, "no size known, or a demonstration")
        return
    if run.detail is None:
        notebook.cannot(rule_id, where, "no detail log")
        return
    stated = run.setting("accuracy_sample_count")
    count = count_in(stated) if stated is not None else run.total_sample_count
    seen = f"{count or 'no'} samples, {asked.sample_count:,} in the data set"
    notebook.judge(rule_id, where, count == asked.sample_count, seen)


def _text(tree: Tree, parts: tuple[str, ...], notebook: Notebook) -> str:
    where = (*parts, ACCURACY_TEXT)
    if not tree.size_bytes(*where):
        return ""
    try:
        return tree.text(*where, most_bytes=_LARGEST_TEXT_BYTES)
    except TreeError as error:
        notebook.fails("accuracy.no-line", where, str(error))
        return ""


def _check_line(
    line: AccuracyLine, asked: AccuracyAsked, where: tuple[str, ...], notebook: Notebook
) -> None:
    seen = line.contradiction
    notebook.judge("accuracy.line-contradiction", where, not seen, seen or shown(line.text))
    if line.total is not None and asked.dataset_size is not None:
        seen = f"{line.total:,} of {asked.dataset_size:,} samples"
        is_whole = line.total == asked.dataset_size
        notebook.judge("accuracy.part-of-data-set", where, is_whole, seen)


def _check_hash(
    tree: Tree,
    parts: tuple[str, ...],
    stated: str,
    asked: AccuracyAsked,
    *,
    is_cut: bool,
    notebook: Notebook,
) -> None:
    """Compare the hash with the log, if that is whole; later rounds ask for the hash."""
    if asked.round.files.kept_bytes is not None:
        seen = stated or "no line hash="
        notebook.judge("accuracy.hash-missing", (*parts, ACCURACY_TEXT), bool(stated), seen)
    where = (*parts, ACCURACY_LOG)
    if not stated or not tree.has_file(*where):
        return
    if is_cut:
        notebook.cannot("accuracy.hash", where, "the log is cut, and the hash that of the whole")
        return
    digest = hashlib.sha256()
    try:
        with tree.open(*where) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except TreeError as error:
        notebook.cannot("accuracy.hash", where, str(error))
        return
    found = digest.hexdigest()
    notebook.judge("accuracy.hash", where, found == stated, f"{found}; stated: {stated}")


def _check_target(
    line: AccuracyLine | None,
    value: float | None,
    asked: AccuracyAsked,
    where: tuple[str, ...],
    notebook: Notebook,
) -> None:
    """Judge the recomputed accuracy if there is one, else the stated one."""
    rule_id, benchmark = "accuracy.below-target", asked.benchmark
    if benchmark is None or (line is None and value is None):
        notebook.cannot(rule_id, where, "no accuracy, or no target known")
        return
    # BLEU is stated with one decimal, and judged as it is stated.
    is_stated = value is None or asked.task == "translation"
    judged = line.value if line is not None and is_stated else value
    if judged is None:
        judged = value or 0.0
    word = "stated" if is_stated else "recomputed"
    seen = f"{benchmark.metric} {judged:.5g} {word}, at least {benchmark.target_value:g}"
    if asked.is_closed:
        notebook.judge(rule_id, where, judged >= benchmark.target_value, seen)
    else:
        notebook.declares(rule_id, where, f"open division: {seen}")
