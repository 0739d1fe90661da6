"""Published files: the folder of a test in the layout that rounds ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from inferometer.logs import ACCURACY_LOG, ACCURACY_TEXT, DETAIL_LOG, SUMMARY_LOG, read_accuracy_log
from inferometer.runs import TestResult

__all__ = [
    "LOG_FILES",
    "answers_log",
    "copy_accuracy",
    "copy_performance",
    "cut_log",
    "write_verdict",
]

LOG_FILES = (SUMMARY_LOG, DETAIL_LOG, ACCURACY_LOG)


def answers_log(result: TestResult) -> Path:
    """Give where a test's log of answers lies."""
    assert result.folder is not None
    return result.folder / ACCURACY_LOG


def copy_performance(result: TestResult, folder: Path) -> None:
    """Copy the logs of a performance test into ``performance/run_1``."""
    _copy(result, folder / "performance" / "run_1", LOG_FILES)


def copy_accuracy(result: TestResult, folder: Path) -> None:
    """Copy the logs of an accuracy test, with its score, into ``accuracy``."""
    _copy(result, folder / "accuracy", (*LOG_FILES, ACCURACY_TEXT))


def _copy(result: TestResult, folder: Path, names: Iterable[str]) -> None:
    assert result.folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (result.folder / name).is_file():
            shutil.copyfile(result.folder / name, folder / name)


def cut_log(log: Path, keep: set[int], folder: Path) -> None:
    """Write the first answer to each of these samples into ``accuracy``, as TEST01 wants it.

    A whole log of accuracy mode is too large to be published twice.
    """
    folder = folder / "accuracy"
    folder.mkdir(parents=True, exist_ok=True)
    left = set(keep)
    with (folder / ACCURACY_LOG).open("w", encoding="utf-8") as file:
        file.write("[")
        comma = ""
        for entry in read_accuracy_log(log):
            if entry.qsl_idx in left:
                left.discard(entry.qsl_idx)
                data = entry.data.hex().upper()
                file.write(
                    f'{comma}\n{{ "seq_id" : {entry.seq_id}, "qsl_idx" : {entry.qsl_idx}, '
                    f'"data" : "{data}" }}'
                )
                comma = ","
        file.write("\n]\n")


def write_verdict(folder: Path, name: str, text: str) -> None:
    """Write a verify file, such as ``verify_performance.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
