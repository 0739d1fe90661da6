"""Seen score: the accuracy over only the samples that were answered, as it is published."""

from __future__ import annotations

from inferometer.workloads import AccuracyResult
from inferometer.workloads.classification.scoring import top1_line
from inferometer.workloads.detection.scoring import map_line
from inferometer.workloads.translation.bleu import SEEN_ONLY, bleu_line

__all__ = ["seen_score"]


def seen_score(result: AccuracyResult) -> tuple[float, str]:
    """Give the score over the answered samples, and the line that a published script prints.

    A log of a performance run holds few of the samples; the others aren't wrong answers there.
    """
    seen = result.total - result.missing
    if result.good is not None:
        return result.good / max(1, seen), top1_line(result.good, seen)
    value = result.details.get(SEEN_ONLY, result.value)
    return value, bleu_line(value) if result.metric == "BLEU" else map_line(value)
