"""Top-1 accuracy: the published line, coverage, and the response bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Response
from inferometer.workloads import ScoredAnswer
from inferometer.workloads.classification import class_responses, decode_class, top1_accuracy


def answer(index: int, value: float) -> ScoredAnswer:
    return ScoredAnswer(index, Response(index, np.float32(value).tobytes(), b"", None))


def test_the_line_is_the_published_one() -> None:
    labels = np.arange(1000) % 10
    answers = [answer(n, float(labels[n]) if n >= 2 else 9.0) for n in range(1000)]
    found = top1_accuracy(answers, labels, 0.99)
    assert found.line == "accuracy=99.800%, good=998, total=1000"
    assert found.meets_target is True
    assert found.interval.low is not None
    assert found.interval.low < 0.998


def test_missing_repeated_and_unknown_samples_are_reported() -> None:
    labels = np.zeros(10, int)
    answers = [answer(0, 0), answer(0, 5), answer(1, 3), answer(77, 0), answer(-1, 0)]
    found = top1_accuracy(answers, labels, None)
    assert (found.good, found.total) == (1, 10)
    assert (found.missing, found.repeated, found.unknown) == (8, 1, 2)
    assert found.value == 0.1, "missing samples count as wrong"
    assert found.meets_target is None


@pytest.mark.parametrize("data", [b"", b"\0\0", np.float32("nan").tobytes(), b"\xff" * 4])
def test_unreadable_answers_are_wrong(data: bytes) -> None:
    assert decode_class(data) is None
    found = top1_accuracy([ScoredAnswer(0, Response(0, data, b"", None))], np.zeros(1, int), None)
    assert found.good == 0


@given(st.integers(0, 999))
def test_response_bytes_are_one_float32(label: int) -> None:
    scores = np.zeros((1, 1001), np.float32)
    scores[0, label + 1] = 1.0
    response = class_responses(scores, label_offset=1)
    assert response.tobytes() == np.float32(label).tobytes()
    assert decode_class(response[0].tobytes()) == label
