"""Accuracy: what the v6.1 round's checker asks of the accuracy folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from inferometer.submission.checking.published_v6_1.case import Case, judged
from inferometer.submission.checking.published_v6_1.files import Log, text_of
from inferometer.submission.tree import Tree

__all__ = ["PATTERNS", "accuracy_reasons", "stated_accuracy"]

PATTERNS = {
    "classification": re.compile(r'(?:\{")?accuracy[": ]*=?\s*([\d.]+)'),
    "detection": re.compile(r".*(?:mAP=|'Total':)\s*([\d.]+)"),
}
"""How a line that states an accuracy begins, by task."""

_HASH = re.compile(r"hash=\w+$")
_TEXT, _ANSWERS = "accuracy.txt", "mlperf_log_accuracy.json"


def accuracy_reasons(log: Log, case: Case) -> Iterator[str]:
    """Say what is bad about the accuracy of a result; raise `StopsError` where the checker ends."""
    folder = (*case.place.parts, "accuracy")
    if case.tree.has_file(*folder, _TEXT):
        lines = _lines(case.tree, *folder, _TEXT)
        yield from judged("the accuracy", _accuracy, lines, case)
    else:
        yield f"there is no {_TEXT}"
    if not case.tree.has_file(*folder, _ANSWERS):
        yield f"there is no {_ANSWERS}"
    elif case.tree.size_bytes(*folder, _ANSWERS) > case.round.files.most_bytes[_ANSWERS]:
        yield f"{_ANSWERS} isn't truncated"
    if log.has_errors is not False:
        yield "the accuracy run has errors"
    yield from judged("the data set's size", _data_set, log, case)


def stated_accuracy(text: str, task: str) -> float:
    """Give the accuracy that the last line of those that state one does; 0 if none does."""
    found = 0.0
    for line in text.split("\n"):
        match = PATTERNS[task].match(line)
        if match:
            found = float(match[1])
    return found


def _lines(tree: Tree, *parts: str) -> list[str]:
    return text_of(tree, *parts).split("\n")


def _accuracy(lines: list[str], case: Case) -> Iterator[str]:
    """Read lines until there is a hash and an accuracy that is enough; one too low spoils it."""
    pattern, target = PATTERNS[case.benchmark.task], case.benchmark.target_value
    has_enough = has_hash = False
    low: list[float] = []
    for line in lines:
        match = pattern.match(line)
        if match and float(match[1]) >= target:
            has_enough = True
        elif match:
            low.append(float(match[1]))
        has_hash = has_hash or bool(_HASH.match(line))
        if has_enough and has_hash:
            break
    if case.is_open:
        return
    if low:
        yield f"accuracy {low[0]:g} is below {target:g}"
    elif not has_enough:
        yield f"{_TEXT} states no accuracy"
    if not has_hash:
        yield f"{_TEXT} has no hash"


def _data_set(log: Log, case: Case) -> Iterator[str]:
    if case.is_demo:
        return
    count: Any = log["qsl_reported_total_count"]
    if "effective_accuracy_sample_count" in log.values:
        count = log["effective_accuracy_sample_count"]
    size = case.benchmark.dataset_size
    if count != size:
        yield f"the accuracy run has {count} samples, and the data set {size}"
