"""Two logs of answers: first elements, whole answers, samples that are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inferometer.submission.audit.logged_answers import AnswerCheck, compare_logs
from inferometer.submission.audit.published_files import cut_log
from tests.cli.test_accuracy import write_log


def log(folder: Path, answers: list[tuple[int, bytes]]) -> Path:
    folder.mkdir()
    return write_log(folder, answers)


def as_float(*classes: int) -> list[tuple[int, bytes]]:
    return [(index, np.float32(one).tobytes()) for index, one in enumerate(classes)]


def compare(
    tmp_path: Path,
    one: list[tuple[int, bytes]],
    other: list[tuple[int, bytes]],
    dtype: str = "byte",
) -> AnswerCheck:
    return compare_logs(log(tmp_path / "one", one), log(tmp_path / "other", other), dtype)


def test_the_first_byte_of_float_classes_says_nothing(tmp_path: Path) -> None:
    check = compare(tmp_path, as_float(1, 2, 3), as_float(4, 5, 6))
    assert (check.first_differing, check.differing) == (0, 3)
    assert check.passes
    assert not check.passes_whole


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_the_first_element_in_the_right_type_does(tmp_path: Path, dtype: str) -> None:
    check = compare(tmp_path, as_float(1, 2, 3), as_float(1, 5, 3), dtype)
    assert (check.first_differing, check.differing) == (1, 1)
    assert not check.passes
    assert check.text(passes=check.passes).splitlines()[-1] == "TEST FAIL"


def test_detections_are_more_than_their_first_number(tmp_path: Path) -> None:
    boxes = [(0, np.array([0, 0.1, 0.1, 0.5, 0.5, 0.9, 1], "<f4").tobytes())]
    others = [(0, np.array([0, 0.6, 0.6, 0.9, 0.9, 0.9, 7], "<f4").tobytes())]
    check = compare(tmp_path, boxes, others, "float32")
    assert check.passes
    assert check.differing == 1


def test_an_empty_log_passes_only_the_oldest_tool(tmp_path: Path) -> None:
    check = compare(tmp_path, as_float(1), [])
    assert check.passes_v05
    assert not check.passes
    assert not check.passes_whole


def test_samples_that_one_log_lacks(tmp_path: Path) -> None:
    check = compare(tmp_path, as_float(1, 2), [(1, b"\0\0\0\x40"), (5, b"x"), (6, b"")])
    assert (check.matched, check.missing, check.test_count) == (1, 2, 3)


def test_an_answer_without_bytes_is_another(tmp_path: Path) -> None:
    assert compare(tmp_path, as_float(1), [(0, b"")]).first_differing == 1


def test_repetitions_in_the_reference(tmp_path: Path) -> None:
    check = compare(tmp_path, [(0, b"a"), (0, b"a"), (0, b"b")], [(0, b"b")])
    assert (check.repeated, check.repeated_differing, check.differing) == (2, 1, 0)


def test_a_cut_log_holds_what_was_asked_for(tmp_path: Path) -> None:
    whole = log(tmp_path / "whole", as_float(7, 8, 9))
    cut_log(whole, {2, 0}, tmp_path / "cut")
    check = compare_logs(whole, tmp_path / "cut" / "accuracy" / "mlperf_log_accuracy.json")
    assert (check.matched, check.differing, check.test_count) == (2, 0, 2)
