"""Checks of what is said about accuracies, and about differences of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.coverage.tally import Check, Experiment, Outcome, outcome_of, single
from inferometer.loadgen import Interval, Response, proportion_interval
from inferometer.runs import paired_difference
from inferometer.workloads import AccuracyResult, ScoredAnswer
from inferometer.workloads.detection.scoring import coco_map
from inferometer.workloads.translation.bleu import corpus_bleu

__all__ = ["accuracy_checks"]

Answers = Callable[[Generator], list[AccuracyResult]]

_DISCRETE = "counts are discrete"
_JACKKNIFE = "a jackknife's variance is too large rather than too small"
_IMAGES, _SENTENCES = 100, 100
_CATEGORIES = 4


def accuracy_checks() -> Iterator[Experiment]:
    """Give intervals of accuracies on small data sets, and tests of systems of one quality.

    The tests are paired, and a difference that is found is a false one.
    """
    for count, share in ((100, 0.7), (1000, 0.76), (1000, 0.97), (10_000, 0.7146)):
        name = f"top-1 of {share:.0%}, {count:,} samples"
        yield single("accuracy", name, 20_000, partial(_proportion, count, share), _DISCRETE)
    yield _both(f"mAP, {_IMAGES} images", 2000, _maps, _JACKKNIFE)
    yield _both(f"BLEU, {_SENTENCES} sentences", 2000, _bleus, "")
    for count, gain in ((100, 0.0), (1000, 0.03)):
        name = f"interval of top-1 differing by {gain:.0%}, {count:,} samples"
        trial = partial(_top1_interval, count, gain)
        yield single("differences", name, 8000, trial, _DISCRETE)
    for count in (100, 1000):
        trial = partial(_top1_difference, count)
        yield single("differences", f"top-1, {count:,} samples", 8000, trial, _DISCRETE)
        trial = partial(_score_difference, count)
        yield single("differences", f"scores, {count:,} samples", 8000, trial)


def _both(name: str, runs: int, answers: Answers, why_more: str) -> Experiment:
    """Check the interval of the first of two systems, and the test of their difference."""

    def trials(source: Generator, count: int) -> Iterator[tuple[int, Outcome]]:
        pairs = [answers(source) for _ in range(count)]
        # The mean over data sets of this size: mAP is the higher, the fewer images.
        truth = float(np.mean([one.value for pair in pairs for one in pair]))
        for first, second in pairs:
            yield 0, outcome_of(first.interval, truth)
            yield 1, _is_same(first, second)

    checks = (Check("accuracy", name, 0.95, why_more), Check("differences", name))
    return Experiment(checks, runs, trials)


def _proportion(count: int, share: float, source: Generator) -> Outcome:
    # Wilson's interval is right on average over shares near the one asked for.
    true = share + source.uniform(-0.01, 0.01)
    return outcome_of(proportion_interval(int(source.binomial(count, true)), count), true)


def _is_same(first: AccuracyResult, second: AccuracyResult) -> Outcome:
    found = paired_difference(first, second)
    assert found is not None
    return Outcome(found.p_value > 0.05)


def _scores(values: NDArray[np.float64]) -> AccuracyResult:
    value = float(values.mean())
    whole = Interval(None, None)
    return AccuracyResult(
        "scores", value, whole, len(values), 0, 0, 0, None, "", sample_scores=values
    )


def _top1_difference(count: int, source: Generator) -> Outcome:
    easy = source.beta(4.0, 1.5, count)
    first, second = (source.random((2, count)) < easy).astype(np.float64)
    return _is_same(_scores(first), _scores(second))


def _top1_interval(count: int, gain: float, source: Generator) -> Outcome:
    easy = 0.9 * source.beta(4.0, 1.5, count)
    first, second = (source.random(count) < chance for chance in (easy, easy + gain))
    found = paired_difference(_scores(first.astype(float)), _scores(second.astype(float)))
    assert found is not None
    return outcome_of(found.interval, gain)


def _score_difference(count: int, source: Generator) -> Outcome:
    base = source.gamma(2.0, 0.2, count)
    first, second = base + source.lognormal(-2.0, 1.0, (2, count))
    return _is_same(_scores(first), _scores(second))


def _answered(index: int, data: bytes) -> ScoredAnswer:
    return ScoredAnswer(index, Response(index, data, b"", None))


# ---- translation


def _translations(source: Generator, count: int) -> tuple[list[str], list[list[str]]]:
    """Draw references, and what two systems of the same quality make of each."""
    references, systems = [], [[], []]  # type: tuple[list[str], list[list[str]]]
    for _ in range(count):
        words = source.integers(0, 500, int(source.integers(6, 30)))
        references.append(" ".join(map(str, words)))
        quality = source.beta(6.0, 3.0)
        for system in systems:
            kept = source.random(len(words)) < quality
            system.append(" ".join(map(str, np.where(kept, words, words + 500))))
    return references, systems


def _bleu_of(system: list[str], references: list[str]) -> AccuracyResult:
    answers = (_answered(n, text.encode()) for n, text in enumerate(system))
    return corpus_bleu(answers, references, None)


def _bleus(source: Generator) -> list[AccuracyResult]:
    references, systems = _translations(source, _SENTENCES)
    return [_bleu_of(system, references) for system in systems]


# ---- detection


def _scenes(
    source: Generator, count: int
) -> tuple[dict[str, Any], list[list[NDArray[np.float32]]]]:
    """Draw annotated images, and the rows that two systems of the same quality answer."""
    annotations: list[dict[str, Any]] = []
    systems: list[list[NDArray[np.float32]]] = [[], []]
    for image in range(count):
        boxes = int(source.integers(1, 8))
        corners = source.uniform(0.0, 300.0, (boxes, 2))
        sizes = source.uniform(20.0, 200.0, (boxes, 2))
        categories = source.integers(1, _CATEGORIES + 1, boxes)
        annotations += [
            {
                "id": len(annotations) + number + 1,
                "image_id": image + 1,
                "category_id": int(categories[number]),
                "bbox": [*corners[number].tolist(), *sizes[number].tolist()],
                "area": float(sizes[number].prod()),
                "iscrowd": 0,
            }
            for number in range(boxes)
        ]
        quality = source.beta(5.0, 2.0)
        for system in systems:
            system.append(_answer(source, image, corners, sizes, categories, quality))
    images = [{"id": n + 1, "height": 500, "width": 500} for n in range(count)]
    known = [{"id": n + 1, "name": str(n + 1)} for n in range(_CATEGORIES)]
    return {"images": images, "annotations": annotations, "categories": known}, systems


def _answer(
    source: Generator,
    image: int,
    corners: NDArray[np.float64],
    sizes: NDArray[np.float64],
    categories: NDArray[np.int64],
    quality: float,
) -> NDArray[np.float32]:
    """Draw rows of sample, top, left, bottom, right, score and class, as in the logs."""
    count = len(corners)
    found = source.random(count) < quality
    right = source.random(count) < 0.9
    start = corners + source.normal(0.0, 0.08, (count, 2)) * sizes * (1.5 - quality)
    end = start + sizes * np.exp(source.normal(0.0, 0.08, (count, 2)))
    classes = np.where(right, categories, categories % _CATEGORIES + 1)
    scores = source.beta(np.where(right, 5.0, 2.0), 2.0)
    rows = np.column_stack(
        [
            np.full(count, image),
            start[:, 1] / 500.0,
            start[:, 0] / 500.0,
            end[:, 1] / 500.0,
            end[:, 0] / 500.0,
            scores,
            classes,
        ]
    )
    return rows[found].astype(np.float32)


def _map_of(system: list[NDArray[np.float32]], annotations: dict[str, Any]) -> AccuracyResult:
    answers = (_answered(n, rows.astype("<f4").tobytes()) for n, rows in enumerate(system))
    return coco_map(answers, annotations, None)


def _maps(source: Generator) -> list[AccuracyResult]:
    annotations, systems = _scenes(source, _IMAGES)
    return [_map_of(system, annotations) for system in systems]
