"""BLEU: how much of the references' word sequences the translations have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.workloads.coverage import Coverage, cover
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer
from inferometer.workloads.resampling import spread_replicates

__all__ = ["MALFORMED", "SEEN_ONLY", "bleu_line", "corpus_bleu"]

SEEN_ONLY = "seen only"
"""Name in ``details`` of the published figure, which leaves out missing sentences."""

MALFORMED = "malformed answers"
"""Name in ``details`` of how many answers are not UTF-8; there if it isn't 0."""

_ORDERS = 4
_RESAMPLES = 1000
_SEED = 0
_ENDS = (0.025, 0.975)
_MOST = 100.0

# Columns of a sentence's counts: matches of each order, possible ones, and two lengths.
_MATCHES = slice(0, _ORDERS)
_POSSIBLE = slice(_ORDERS, 2 * _ORDERS)
_LENGTH, _REFERENCE_LENGTH = 2 * _ORDERS, 2 * _ORDERS + 1
_COLUMNS = 2 * _ORDERS + 2

Counts = NDArray[np.int64]


def bleu_line(value: float) -> str:
    """Write BLEU, 0 to 100, as the published script does."""
    return f"BLEU: {value:.1f}"


def corpus_bleu(
    answers: Iterable[ScoredAnswer], references: Sequence[str], target: float | None
) -> AccuracyResult:
    """Compute BLEU-4 over a whole data set, 0 to 100.

    ``references`` are the lines of the reference file, by library index; sub-words are
    joined. Answers are UTF-8 text whose words are separated by single spaces. Matches and
    lengths are summed over the sentences, nothing is smoothed, and an empty answer counts
    as one empty word, all as published. The first answer to a sentence counts. A sentence
    without answer counts as one without words; the published script leaves it out, and
    what it would print then stands in ``details``.

    The interval and ``replicates`` are of 1,000 bootstrap resamples of sentences, drawn
    with a fixed seed.

    Source: MLPerf Inference v0.5, process_accuracy of GNMT; Papineni et al., ACL 2002.
    """
    coverage = cover(answers, len(references))
    counts = _count_all(coverage, references)
    value = float(_bleu(counts.sum(axis=0)))
    replicates = _resampled(value, counts)
    details = {}
    if coverage.missing and coverage.answers:
        details[SEEN_ONLY] = float(_bleu(counts[sorted(coverage.answers)].sum(axis=0)))
    malformed = sum(_text(data) is None for data in coverage.answers.values())
    if malformed:
        details[MALFORMED] = float(malformed)
    return AccuracyResult(
        metric="BLEU",
        value=value,
        interval=_interval(replicates),
        total=coverage.total,
        missing=coverage.missing,
        repeated=coverage.repeated,
        unknown=coverage.unknown,
        target=target,
        line=bleu_line(value),
        unit="",
        details=details,
        replicates=replicates,
    )


def _count_all(coverage: Coverage, references: Sequence[str]) -> Counts:
    """Count matches and lengths of each sentence, int64 [sentences, columns]."""
    counts = np.zeros((len(references), _COLUMNS), np.int64)
    for index, line in enumerate(references):
        reference = line.strip().replace("@@ ", "").split(" ")
        data = coverage.answers.get(index)
        words = [] if data is None else (_text(data) or "").split(" ")
        counts[index] = _count(words, reference)
    return counts


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _count(words: list[str], reference: list[str]) -> list[int]:
    matches, possible = [], []
    for order in range(1, _ORDERS + 1):
        shared = _sequences(words, order) & _sequences(reference, order)
        matches.append(shared.total())
        possible.append(max(0, len(words) - order + 1))
    return [*matches, *possible, len(words), len(reference)]


def _sequences(words: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _bleu(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give BLEU of summed counts, int64 [..., columns] to float64 [...]."""
    summed = counts.astype(np.float64)
    matches, possible = summed[..., _MATCHES], summed[..., _POSSIBLE]
    length, reference_length = summed[..., _LENGTH], summed[..., _REFERENCE_LENGTH]
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(possible > 0, matches / possible, 0.0)
        mean = np.exp(np.log(precisions).mean(axis=-1))
        brevity = np.exp(np.minimum(0.0, 1.0 - reference_length / length))
    # Without any words the brevity penalty is 0 or has no value; so has the mean.
    found: NDArray[np.float64] = np.where((matches > 0).all(axis=-1), 100.0 * mean * brevity, 0.0)
    return found


def _resampled(value: float, counts: Counts) -> NDArray[np.float64] | None:
    """Give BLEU of each resample of the sentences, around its value, float64 [resamples]."""
    sentences = len(counts)
    if sentences < 2:
        return None
    source = np.random.default_rng(_SEED)
    drawn = (source.integers(0, sentences, sentences) for _ in range(_RESAMPLES))
    times = (np.bincount(places, minlength=sentences) for places in drawn)
    drawn_bleu = _bleu(np.stack([one @ counts for one in times]))
    return spread_replicates(value, drawn_bleu, sentences)


def _interval(replicates: NDArray[np.float64] | None) -> Interval:
    if replicates is None:
        return Interval(None, None)
    low, high = np.quantile(replicates, _ENDS).tolist()
    return Interval(max(0.0, low), min(_MOST, high))
