"""Accuracy line: what ``accuracy.txt`` of a result says, read as the published checkers read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from inferometer.loadgen import Finding
from inferometer.logs import ACCURACY_TEXT
from inferometer.rounds import Benchmark
from inferometer.submission.places import ResultPlace
from inferometer.submission.published.findings import odd
from inferometer.submission.published.values import name_like, number_of
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["AccuracyFacts", "read_accuracy"]

_FOLDER = "accuracy"
_LONGEST_LINE = 1000
_TOP_1 = "top-1"
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_LINES = (
    (_TOP_1, "%", re.compile(rf"^accuracy={_NUMBER}%?(?:, good=[0-9]+, total=([0-9]+))?")),
    ("mAP", "%", re.compile(rf"^mAP={_NUMBER}%?")),
    ("BLEU", "", re.compile(rf"^BLEU:\s*{_NUMBER}")),
    (_TOP_1, "%", re.compile(rf'"accuracy": {_NUMBER}')),
    ("F1", "%", re.compile(rf'"f1": {_NUMBER}')),
    ("ROUGE-1", "", re.compile(rf"'rouge1': '?{_NUMBER}")),
    ("exact match", "%", re.compile(rf"'exact_match': '?{_NUMBER}")),
    ("DICE", "", re.compile(rf"Accuracy: mean = {_NUMBER}")),
    ("100 - WER", "%", re.compile(rf"Word Error Rate:[^,]{{0,40}}, accuracy={_NUMBER}%")),
    ("CLIP", "", re.compile(rf"'CLIP_SCORE': '?{_NUMBER}")),
    ("AUC", "%", re.compile(rf"^AUC={_NUMBER}%?")),
)
"""What accuracy scripts print: the metric, its unit, and the line. The first line counts."""


@dataclass(frozen=True)
class AccuracyFacts:
    """An accuracy as it was told; ``value`` is ``None`` if there is none."""

    value: float | None
    metric: str | None
    unit: str | None
    target: float | None
    findings: tuple[Finding, ...]

    @property
    def meets_target(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is no value or no target."""
        if self.value is None or self.target is None:
            return None
        return self.value >= self.target


def read_accuracy(tree: Tree, place: ResultPlace, benchmark: Benchmark | None) -> AccuracyFacts:
    """Read the accuracy of a result, and compare it with the round's target."""
    target = benchmark.target_value if benchmark else None
    folder = name_like(tree.folders(*place.parts), _FOLDER)
    name = name_like(tree.files(*place.parts, folder), ACCURACY_TEXT) if folder else None
    if folder is None or name is None:
        seen = f"{place}/{_FOLDER}/{ACCURACY_TEXT}"
        return AccuracyFacts(None, None, None, target, (odd("published.accuracy-missing", seen),))
    where = (*place.parts, folder, name)
    try:
        text = tree.text(*where)
    except TreeError as error:
        found = odd("published.accuracy-unreadable", str(error))
        return AccuracyFacts(None, None, None, target, (found,))
    is_closed = place.division == "closed"
    return _facts(text, shown("/".join(where)), benchmark, is_closed=is_closed)


def _facts(text: str, where: str, benchmark: Benchmark | None, *, is_closed: bool) -> AccuracyFacts:
    metric, unit, value, total = _read_line(text)
    target = benchmark.target_value if benchmark else None
    if value is None:
        found = odd("published.accuracy-unreadable", where)
        return AccuracyFacts(None, None, None, target, (found,))
    if benchmark and not _is_of(benchmark, metric):
        # Another measure than the round's has nothing to do with the round's target.
        target = None
    facts = AccuracyFacts(value, metric, unit, target, ())
    findings = []
    if benchmark and total is not None and total != benchmark.dataset_size:
        seen = f"{total:,} of {benchmark.dataset_size:,} samples"
        findings.append(odd("published.accuracy-partial", seen))
    if is_closed and facts.meets_target is False:
        seen = f"{value:g}{unit}, target {target:g}{unit}"
        findings.append(odd("published.accuracy-below-target", seen))
    return replace(facts, findings=tuple(findings))


def _is_of(benchmark: Benchmark, metric: str | None) -> bool:
    """Tell whether a metric is what the round measures the benchmark by."""
    if metric == _TOP_1:
        return benchmark.task == "classification" and benchmark.metric == "accuracy"
    return benchmark.metric == metric


def _read_line(text: str) -> tuple[str | None, str | None, float | None, int | None]:
    """Give metric, unit, value, and the number of samples where the line tells it."""
    for line in text.splitlines():
        for metric, unit, pattern in _LINES:
            match = pattern.search(line[:_LONGEST_LINE])
            value = number_of(match[1]) if match else None
            if match and value is not None:
                total = match[2] if pattern.groups > 1 else None
                return metric, unit, value, int(total) if total else None
    return None, None, None, None
