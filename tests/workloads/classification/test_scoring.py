"""Top-1 accuracy: the published line, coverage, types of classes, and the response bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Response
from inferometer.workloads.classification.scoring import (
    DTYPES,
    class_responses,
    decode_class,
    top1_accuracy,
)
from inferometer.workloads.protocol import ScoredAnswer, WorkloadError


def answer(index: int, value: float, dtype: str = "float32") -> ScoredAnswer:
    data = np.array(value).astype(DTYPES[dtype]).tobytes()
    return ScoredAnswer(index, Response(index, data, b"", None))


def raw_answer(index: int, data: bytes) -> ScoredAnswer:
    return ScoredAnswer(index, Response(index, data, b"", None))


def test_the_line_is_the_published_one() -> None:
    labels = np.arange(1000) % 10
    answers = [answer(n, float(labels[n]) if n >= 2 else 9.0) for n in range(1000)]
    found = top1_accuracy(answers, labels, 0.99)
    assert found.line == "accuracy=99.800%, good=998, total=1000"
    assert found.meets_target is True
    assert found.interval.low is not None
    assert found.interval.low < 0.998
    assert found.details == {}


def test_missing_repeated_and_unknown_samples_are_reported() -> None:
    labels = np.zeros(10, int)
    answers = [answer(0, 0), answer(0, 5), answer(1, 3), answer(77, 0), answer(-1, 0)]
    found = top1_accuracy(answers, labels, None)
    assert (found.good, found.total) == (1, 10)
    assert (found.missing, found.repeated, found.unknown) == (8, 1, 2)
    assert found.value == 0.1, "missing samples count as wrong"
    assert found.details["seen only"] == 0.5, "as the published script divides"
    assert found.meets_target is None


def test_no_answers_at_all() -> None:
    found = top1_accuracy([], np.zeros(4, int), 0.5)
    assert (found.value, found.missing, found.meets_target) == (0.0, 4, False)
    assert found.details == {}
    assert top1_accuracy([], np.zeros(0, int), None).line == "accuracy=0.000%, good=0, total=0"


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("float32", b""),
        ("float32", b"\0\0"),
        ("float32", np.float32("nan").tobytes()),
        ("float32", np.float32("inf").tobytes()),
        ("float32", np.float32(-3).tobytes()),
        ("float32", b"\xff" * 4),
        ("int32", b"\0\0\0"),
        ("int64", np.int32(5).tobytes()),
        ("int64", np.int64(2**40).tobytes()),
    ],
)
def test_unreadable_answers_are_wrong(dtype: str, data: bytes) -> None:
    assert decode_class(data, dtype) is None
    found = top1_accuracy([raw_answer(0, data)], np.zeros(1, int), None, dtype=dtype)
    assert found.good == 0


@given(st.sampled_from(sorted(DTYPES)), st.integers(0, 2**24), st.binary(max_size=8))
def test_classes_of_every_type_are_read(dtype: str, label: int, rest: bytes) -> None:
    data = np.array([label]).astype(DTYPES[dtype]).tobytes()
    assert decode_class(data + rest, dtype) == label


@given(st.floats(0, 1000, width=32))
def test_fractions_are_cut_off(value: float) -> None:
    assert decode_class(np.float32(value).tobytes()) == int(value)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(WorkloadError, match=r"'int46'; did you mean 'int64'\?; known: float32"):
        top1_accuracy([], np.zeros(1, int), None, dtype="int46")


@pytest.mark.parametrize("written", sorted(DTYPES))
@pytest.mark.parametrize("read", sorted(DTYPES))
def test_a_wrong_type_is_noticed(written: str, read: str) -> None:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 1000, 5000)
    answers = [answer(n, int(labels[n]), written) for n in range(5000)]
    found = top1_accuracy(answers, labels, None, dtype=read)
    # The first half of a small int64 is the same int32.
    if read == written or (read, written) == ("int32", "int64"):
        assert found.value == 1.0
        assert found.details == {}
    else:
        assert found.value < 0.01
        assert found.details[f"as {written}"] == 1.0


def test_a_poor_model_is_no_wrong_type() -> None:
    labels = np.random.default_rng(7).integers(0, 1000, 5000)
    answers = [answer(n, int((labels[n] + 1) % 1000)) for n in range(5000)]
    assert top1_accuracy(answers, labels, None).details == {}


@given(
    st.lists(st.tuples(st.integers(-2, 12), st.integers(0, 3)), max_size=40),
    st.lists(st.integers(0, 3), min_size=1, max_size=10),
)
def test_counts_agree_with_a_plain_walk(logged: list[tuple[int, int]], classes: list[int]) -> None:
    first: dict[int, int] = {}
    for index, value in logged:
        first.setdefault(index, value)
    right = sum(value == classes[i] for i, value in first.items() if 0 <= i < len(classes))
    labels: Any = np.array(classes)
    found = top1_accuracy((answer(i, v) for i, v in logged), labels, None)
    assert found.good == right
    assert found.value == right / len(classes)
    assert found.sample_scores is not None
    assert found.sample_scores.mean() == pytest.approx(found.value)
    assert found.missing == sum(i not in first for i in range(len(classes)))
    assert found.unknown == sum(not 0 <= i < len(classes) for i, _ in logged)
    assert found.missing + found.repeated + found.unknown + found.total == (
        len(logged) + 2 * found.missing
    )


@given(st.integers(0, 999))
def test_response_bytes_are_one_float32(label: int) -> None:
    scores = np.zeros((1, 1001), np.float32)
    scores[0, label + 1] = 1.0
    response = class_responses(scores, label_offset=1)
    assert response.tobytes() == np.float32(label).tobytes()
    assert decode_class(response[0].tobytes()) == label
