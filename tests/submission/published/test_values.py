"""Values that somebody else wrote: nothing raises, nothing dangerous gets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.submission.published.values import count_of, name_like, number_of, text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize("nothing", [None, "", " - ", "N/A", "none", "0", 0, True, [], {"a": 1}])
def test_what_says_nothing(nothing: Any) -> None:
    assert text_of(nothing) is None


def test_texts_are_one_harmless_line() -> None:
    assert text_of(" two\n  words ") == "two words"
    assert text_of("red\x1b[31m") == "red\\x1b[31m"
    assert len(text_of("x" * 10_000) or "") <= 201
    assert text_of(7) == "7"


@pytest.mark.parametrize(
    ("value", "number", "count"),
    [("2", 2.0, 2), (4, 4.0, 4), ("1.5", 1.5, None), ("nan", None, None), (True, None, None),
     (-1, None, None), ("1e999", None, None), (10**7, 1e7, None), ("many", None, None)],
)  # fmt: skip
def test_numbers(value: Any, number: float | None, count: int | None) -> None:
    assert number_of(value) == number
    assert count_of(value) == count


@given(JSON)
def test_any_json_value_is_taken(value: Any) -> None:
    text = text_of(value)
    assert text is None or (text.isprintable() and text.encode("utf-8"))
    number_of(value)
    count_of(value)


def test_names_are_found_in_another_case() -> None:
    assert name_like(["Performance", "performance"], "performance") == "performance"
    assert name_like(["accuracy", "Performance"], "performance") == "Performance"
    assert name_like(["accuracy"], "performance") is None
