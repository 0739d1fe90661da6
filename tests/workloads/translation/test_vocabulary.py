"""Vocabulary: special ids, unknown words, and sub-words joined to text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.workloads import WorkloadError
from inferometer.workloads.translation.vocabulary import (
    END,
    PUBLISHED_SIZE,
    START,
    UNKNOWN,
    Vocabulary,
    join_pieces,
)

WORDS = st.text(st.characters(categories=("Ll", "Lu")), min_size=1, max_size=8)


@pytest.mark.parametrize("head", ["", "<unk>\n<s>\n</s>\n"])
def test_special_words_come_first_once(tmp_path: Path, head: str) -> None:
    path = tmp_path / "vocab"
    path.write_text(f"{head}Haus\nhaus@@\n", "utf-8")
    vocabulary = Vocabulary.read(path)
    assert vocabulary.words == ("<unk>", "<s>", "</s>", "Haus", "haus@@")
    assert len(vocabulary) == 5
    assert vocabulary.encode("Haus haus@@ HAUS </s>") == [3, 4, UNKNOWN, END]
    assert (UNKNOWN, START, END) == (0, 1, 2)


def test_characters_that_split_lines_elsewhere_are_words(tmp_path: Path) -> None:
    path = tmp_path / "vocab"
    path.write_bytes("a\n\u2028b\nc\x0bd\n".encode())
    assert len(Vocabulary.read(path)) == 6


def test_made_up_words() -> None:
    vocabulary = Vocabulary.made_up(PUBLISHED_SIZE)
    assert len(vocabulary) == PUBLISHED_SIZE
    assert vocabulary.decode([3, 32_315]) == "w3 w32315"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\n\nb\n", "line 2 is empty"),
        (b"a\nb\na\n", "line 3 is 'a' of line 1 again"),
        (b"\xff\n", "can't be read as UTF-8"),
        (None, "there is no such vocabulary"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "vocab"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkloadError, match=message):
        Vocabulary.read(path)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("ein@@ und@@ zwanzig Häuser", "einundzwanzig Häuser"),
        ("a b", "a b"),
        ("", ""),
        ("a b@@", "a"),
        ("@@ a", "a"),
        ("a@b c@@d", "a@b c@@d"),
    ],
)
def test_pieces_are_joined(pieces: str, text: str) -> None:
    assert join_pieces(pieces) == text


def test_text_ends_at_the_first_end() -> None:
    vocabulary = Vocabulary(["a@@", "b", "c"])
    assert vocabulary.decode([3, 4, END, 5, END]) == "ab"
    assert vocabulary.decode([END, 5]) == ""
    assert vocabulary.decode([5, 4]) == "c b"


@given(st.lists(WORDS, unique=True, max_size=10))
def test_words_come_back(words: list[str]) -> None:
    vocabulary = Vocabulary(words)
    line = " ".join(words)
    assert vocabulary.decode(vocabulary.encode(line)) == line
