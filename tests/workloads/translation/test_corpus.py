"""Corpus: files in their published layout, padding, and the repeated library."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.workloads import WorkloadError
from inferometer.workloads.translation import corpus
from inferometer.workloads.translation.corpus import (
    LARGE_REPEATS,
    NEWSTEST_MD5,
    SentenceLibrary,
    find_newstest,
    read_lines,
    synthetic_sentences,
)
from inferometer.workloads.translation.vocabulary import END, Vocabulary


def write_newstest(folder: Path) -> dict[str, str]:
    """Write files with the published names; give their md5."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = dict(zip(NEWSTEST_MD5, (b"a b\nc\n", b"x y\nz\n", b"a\nb\nc\n"), strict=True))
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {n: hashlib.md5(c, usedforsecurity=False).hexdigest() for n, c in contents.items()}


@pytest.mark.parametrize("below", ["", "nmt/data"])
def test_files_are_found_where_the_archive_has_them(
    tmp_path: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "NEWSTEST_MD5", write_newstest(tmp_path / below))
    assert set(find_newstest(tmp_path)) == set(NEWSTEST_MD5)


def test_other_files_are_refused_unless_asked_for(tmp_path: Path) -> None:
    write_newstest(tmp_path)
    with pytest.raises(WorkloadError, match=r"isn't the published file: its md5 is .*checksums=no"):
        find_newstest(tmp_path)
    assert len(find_newstest(tmp_path, checked=False)) == 3
    with pytest.raises(WorkloadError, match="inferometer fetch newstest2014"):
        find_newstest(tmp_path / "elsewhere")


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("a\u2028b\nc\x85d\n\ne\n".encode())
    assert read_lines(path) == ["a\u2028b", "c\x85d", "", "e"]
    assert read_lines(path, 2) == ["a\u2028b", "c\x85d"]
    for count in (0, -1):
        with pytest.raises(WorkloadError, match="has to be 1 or more"):
            read_lines(path, count)
    with pytest.raises(WorkloadError, match="can't be read"):
        read_lines(tmp_path / "none")


def test_library_gives_what_is_loaded_and_nothing_else() -> None:
    library = SentenceLibrary("toy", [[3, 4, 5], [6], [7, 8]])
    assert (library.total_sample_count, library.performance_sample_count) == (3, 3)
    library.load(np.array([2, 1, 2]))
    found = library.inputs(np.array([1, 2, 1]))
    assert found["tokens"].tolist() == [[6, END], [7, 8], [6, END]]
    assert found["lengths"].tolist() == [1, 2, 1]
    assert {array.dtype for array in found.values()} == {np.dtype(np.int64)}
    assert library.inputs(np.array([1]))["tokens"].tolist() == [[6]], "no longer than needed"
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([0]))
    library.unload(np.array([1, 2]))
    with pytest.raises(WorkloadError, match="isn't loaded"):
        library.inputs(np.array([1]))


@given(
    st.lists(st.lists(st.integers(3, 99), min_size=1, max_size=9), min_size=1, max_size=9),
    st.integers(0, 10**6),
)
def test_repeats_hold_each_sentence_once(sentences: list[list[int]], start: int) -> None:
    library = SentenceLibrary("toy", sentences, repeats=LARGE_REPEATS)
    total = 1300 * len(sentences)
    assert library.total_sample_count == library.performance_sample_count == total
    indices = np.arange(start, start + 20) % total
    library.load(indices)
    found = library.inputs(indices)
    for index, row, length in zip(indices, found["tokens"], found["lengths"], strict=True):
        assert row[:length].tolist() == sentences[index % len(sentences)]
        assert (row[length:] == END).all()


def test_text_becomes_ids(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("a b\nb q\n", "utf-8")
    library = SentenceLibrary.of_text(path, Vocabulary(["a", "b"]), count=1)
    assert library.total_sample_count == 1
    library = SentenceLibrary.of_text(path, Vocabulary(["a", "b"]))
    library.load(np.arange(2))
    assert library.inputs(np.arange(2))["tokens"].tolist() == [[3, 4], [4, 0]]
    path.write_text("a\n \nb\n", "utf-8")
    with pytest.raises(WorkloadError, match="line 2 is empty"):
        SentenceLibrary.of_text(path, Vocabulary(["a"]))


def test_synthetic_sentences_are_like_news() -> None:
    made = synthetic_sentences(3003, 1000, 5)
    lengths = np.array([len(sentence) for sentence in made])
    assert made == synthetic_sentences(3003, 1000, 5)
    assert made != synthetic_sentences(3003, 1000, 6)
    assert lengths.min() >= 1
    assert lengths.max() <= 120
    assert 24 < lengths.mean() < 28
    assert all(3 <= word < 1000 for sentence in made for word in sentence)
