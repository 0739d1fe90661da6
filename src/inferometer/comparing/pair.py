"""Pair: two options in one scenario, their ratio, and how their accuracies compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inferometer.comparing.ratio import Ratio
from inferometer.comparing.sentences import accuracy_words, pair_sentence
from inferometer.runs.paired import PairedDifference
from inferometer.runs.result import plain
from inferometer.workloads import AccuracyResult

__all__ = ["AccuracyPair", "PairResult"]


@dataclass(frozen=True)
class AccuracyPair:
    """How the accuracy of the first differs from that of the second.

    difference:
        Of the first minus the second, on the same samples; ``None`` if they can't be paired.
    significance:
        The p-value below which a difference is claimed: 5 %, shared out among all pairs.
    """

    first: AccuracyResult
    second: AccuracyResult
    difference: PairedDifference | None
    significance: float

    @property
    def shows_difference(self) -> bool:
        """Whether one of them is shown to be more accurate."""
        return self.difference is not None and self.difference.p_value < self.significance


@dataclass(frozen=True)
class PairResult:
    """Two options in one scenario: the faster one first, where one is shown to be faster."""

    first: str
    second: str
    ratio: Ratio | None
    accuracy: AccuracyPair | None

    @property
    def shows_difference(self) -> bool:
        """Whether one is shown to be faster."""
        return self.ratio is not None and self.ratio.shows_difference

    @property
    def sentence(self) -> str:
        """What is to be said of them."""
        words = accuracy_words(self.accuracy)
        return pair_sentence(self.first, self.second, self.ratio, words)

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        values: dict[str, Any] = {
            "first": self.first,
            "second": self.second,
            "shows_difference": self.shows_difference,
            "sentence": self.sentence,
            "ratio": None,
            "accuracy": None,
        }
        if self.ratio is not None:
            values["ratio"] = {**plain(self.ratio), "basis": self.ratio.basis.value}
        if self.accuracy is not None:
            difference = self.accuracy.difference
            values["accuracy"] = {
                "first": self.accuracy.first.value,
                "second": self.accuracy.second.value,
                "difference": None if difference is None else plain(difference),
                "significance": self.accuracy.significance,
                "shows_difference": self.accuracy.shows_difference,
            }
        return values
