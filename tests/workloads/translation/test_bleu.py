"""BLEU: the published definition, coverage, and agreement with sacreBLEU."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.loadgen import Response
from inferometer.workloads import AccuracyResult, ScoredAnswer
from inferometer.workloads.translation.bleu import MALFORMED, SEEN_ONLY, bleu_line, corpus_bleu

SENTENCES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12).map(" ".join)


def answer(index: int, text: str | bytes) -> ScoredAnswer:
    data = text.encode() if isinstance(text, str) else text
    return ScoredAnswer(index, Response(index, data, b"", None))


def score(answers: list[str], references: list[str]) -> AccuracyResult:
    return corpus_bleu([answer(n, text) for n, text in enumerate(answers)], references, None)


def geometric(*precisions: float) -> float:
    return 100 * math.prod(precisions) ** (1 / len(precisions))


@pytest.mark.parametrize(
    ("answers", "references", "expected"),
    [
        (["a b c d e"], ["a b c d e"], 100.0),
        (["a b c d"], ["a b c d e"], 100 * math.exp(1 - 5 / 4)),
        (["a b c d e f"], ["a b c d e"], geometric(5 / 6, 4 / 5, 3 / 4, 2 / 3)),
        # Repeated words match only as often as the reference has them.
        (["a a a a a"], ["a a a a b"], geometric(4 / 5, 3 / 4, 2 / 3, 1 / 2)),
        # Nothing is smoothed: without a match of four words there is no score.
        (["a b c x e"], ["a b c d e"], 0.0),
        (["a b c"], ["a b c"], 0.0),
        # Counts are summed over sentences before they are divided.
        (["a b c d e", "x"], ["a b c d e", "y"], geometric(5 / 6, 1, 1, 1)),
        # An empty answer is one empty word.
        (["a b c d e", ""], ["a b c d e", "y"], geometric(5 / 6, 1, 1, 1)),
        (["", ""], ["a b c d e", "y"], 0.0),
        # Case and punctuation count, and nothing is tokenised.
        (["A b c d e"], ["a b c d e"], geometric(4 / 5, 3 / 4, 2 / 3, 1 / 2)),
        # Two spaces enclose an empty word.
        (["a b  c d e"], ["a b  c d e"], 100.0),
        # References are lines of sub-words, answers are not.
        (["abc d e f"], [" a@@ b@@ c d e f\n"], 100.0),
    ],
)
def test_published_definition(answers: list[str], references: list[str], expected: float) -> None:
    found = score(answers, references)
    assert found.value == pytest.approx(expected)
    assert found.line == f"BLEU: {expected:.1f}"
    assert (found.metric, found.unit, found.missing) == ("BLEU", "", 0)


@pytest.mark.parametrize(("value", "line"), [(23.661, "23.7"), (23.649, "23.6"), (0.0, "0.0")])
def test_line_has_one_decimal(value: float, line: str) -> None:
    assert bleu_line(value) == f"BLEU: {line}"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=8))
def test_agrees_with_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    answers, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    theirs = sacrebleu.corpus_bleu(
        answers, [references], smooth_method="none", tokenize="none", force=True
    )
    assert score(answers, references).value == pytest.approx(theirs.score, abs=1e-9)


def test_first_answer_counts_and_coverage_is_reported() -> None:
    references = ["a b c d e"] * 4
    answers = [answer(0, "a b c d e"), answer(0, "x"), answer(2, "a b c d e"), answer(9, "a")]
    found = corpus_bleu(answers, references, 60.0)
    assert (found.total, found.missing, found.repeated, found.unknown) == (4, 2, 1, 1)
    assert found.value == pytest.approx(100 * math.exp(1 - 20 / 10)), "missing ones count"
    assert found.details == {SEEN_ONLY: pytest.approx(100.0)}, "as the published script prints"
    assert found.meets_target is False


def test_bytes_that_are_no_text_match_nothing() -> None:
    found = corpus_bleu([answer(0, "a b c d e"), answer(1, b"\xff")], ["a b c d e", "\ufffd"], None)
    assert found.details == {MALFORMED: 1.0}
    assert found.value == pytest.approx(geometric(5 / 6, 1, 1, 1))


@pytest.mark.parametrize("references", [[], ["a b c d e"]])
def test_nothing_answered(references: list[str]) -> None:
    found = corpus_bleu([], references, None)
    assert (found.value, found.interval.low, found.replicates) == (0.0, None, None)
    assert found.missing == len(references)


def test_interval_is_of_resamples_and_repeatable() -> None:
    references = [f"a b c d e {n}" for n in range(50)]
    answers = [line if n % 3 else "a b c d x" for n, line in enumerate(references)]
    first, second = score(answers, references), score(answers, references)
    assert first.replicates is not None
    assert second.replicates is not None
    np.testing.assert_array_equal(first.replicates, second.replicates)
    low, high = first.interval.low, first.interval.high
    assert low is not None
    assert high is not None
    assert low < first.value < high
    assert np.mean((first.replicates >= low) & (first.replicates <= high)) >= 0.949
    perfect = score(references, references)
    assert perfect.replicates is not None
    assert perfect.replicates == pytest.approx(100.0)
