"""Coverage: which samples of a data set were answered, and the answer that counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inferometer.workloads.protocol import ScoredAnswer

__all__ = ["Coverage", "cover"]


@dataclass(frozen=True)
class Coverage:
    """The first answer to each sample, by library index, and what else was logged.

    ``repeated`` and ``unknown`` count further answers to a sample, and answers to no
    sample of the data set.
    """

    total: int
    answers: Mapping[int, bytes]
    repeated: int
    unknown: int

    @property
    def missing(self) -> int:
        """How many samples have no answer."""
        return self.total - len(self.answers)


def cover(answers: Iterable[ScoredAnswer], total: int) -> Coverage:
    """Keep the first answer to each of ``total`` samples, as every published script does."""
    first: dict[int, bytes] = {}
    repeated = unknown = 0
    for answer in answers:
        if not 0 <= answer.index < total:
            unknown += 1
        elif answer.index in first:
            repeated += 1
        else:
            first[answer.index] = answer.response.data
    return Coverage(total, first, repeated, unknown)
