"""Accuracy line: what ``accuracy.txt`` states."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inferometer.submission.checking.numbers import real_in

__all__ = ["AccuracyLine", "accuracy_line", "hash_line"]

_LINES = {
    "classification": re.compile(r"accuracy=([\d.]{1,20})%?(?:, good=(\d{1,9}), total=(\d{1,9}))?"),
    "detection": re.compile(r"mAP=([\d.]{1,20})"),
    "translation": re.compile(r"BLEU:\s*([\d.]{1,20})"),
}
_HASH = re.compile(r"hash=([0-9a-fA-F]{8,128})\s*$")


@dataclass(frozen=True)
class AccuracyLine:
    """An accuracy as the scripts print it.

    value:
        In percent, or in BLEU.
    good, total:
        Right samples and all, which only classification states.
    """

    task: str
    text: str
    value: float
    good: int | None
    total: int | None

    @property
    def contradiction(self) -> str:
        """What doesn't fit; empty if the share is that of right samples and all."""
        if self.good is None or self.total is None:
            return ""
        if not self.total > 0 or self.good > self.total:
            return f"{self.good} right of {self.total}"
        share = 100.0 * self.good / self.total
        if abs(share - self.value) > 0.000_6:
            return f"{self.good} of {self.total} are {share:.3f} %, not {self.value:g} %"
        return ""


def accuracy_line(text: str, task: str | None) -> AccuracyLine | None:
    """Find the first line of a task's script, or of any if the task isn't known."""
    for line in text.splitlines():
        for name, pattern in _LINES.items():
            found = pattern.match(line) if task in (None, name) else None
            value = real_in(found[1]) if found else None
            if found is None or value is None:
                continue
            counts = [int(group) if group else None for group in found.groups()[1:]]
            good, total = counts or (None, None)
            return AccuracyLine(name, line.strip(), value, good, total)
    return None


def hash_line(text: str) -> str:
    """Give the hash that a later round's tool adds; empty if there is none."""
    found = (_HASH.match(line) for line in text.splitlines())
    return next((match[1].lower() for match in found if match), "")
