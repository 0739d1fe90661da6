"""Corpus: source sentences as a sample library, and their reference translations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.translation.vocabulary import END, Vocabulary

__all__ = [
    "LARGE_REPEATS",
    "NEWSTEST_MD5",
    "SentenceLibrary",
    "find_newstest",
    "read_lines",
    "synthetic_sentences",
]

LARGE_REPEATS = 1300
"""How often the published file for performance runs (``.en.large``) repeats the sentences."""

NEWSTEST_MD5: Mapping[str, str] = {
    "newstest2014.tok.bpe.32000.en": "cb014e2509f86cd81d5a87c240c07464",
    "newstest2014.tok.bpe.32000.de": "d616740f6026dc493e66efdf9ac1cb04",
    "vocab.bpe.32000.en": "bbf724dc2e0ad4b35926d8557e34f465",
}
"""The files of newstest2014 that are read: sources, references, vocabulary; and their md5."""

_UNPACKED = Path("nmt") / "data"
_MEAN_TOKENS = 26.0
_SHAPE = 4.0
_LONGEST_TOKENS = 120


def find_newstest(folder: Path, *, checked: bool = True) -> dict[str, Path]:
    """Find the files of newstest2014 in a folder, or where the archive unpacks them there.

    Gives paths by the names in `NEWSTEST_MD5`. Raises `WorkloadError` where one is missing,
    or, if ``checked``, isn't the published one.
    """
    base = folder / _UNPACKED if (folder / _UNPACKED).is_dir() else folder
    paths = {name: base / name for name in NEWSTEST_MD5}
    for name, path in paths.items():
        if not path.is_file():
            raise WorkloadError(
                f"{path}: there is no such file; get newstest2014 with: "
                "inferometer fetch newstest2014, or take synthetic sentences with --data synthetic"
            )
        if checked:
            found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            if found != NEWSTEST_MD5[name]:
                raise WorkloadError(
                    f"{path} isn't the published file: its md5 is {found}, and "
                    f"{NEWSTEST_MD5[name]} was expected; fetch it again, or, if it was changed on "
                    "purpose, give the option checksums=no"
                )
    return paths


def read_lines(path: Path, count: int | None = None) -> list[str]:
    """Read the lines of a text file, or the first so many; `WorkloadError` if that fails."""
    if count is not None and count < 1:
        raise WorkloadError(f"the number of samples is {count}; it has to be 1 or more")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path}: can't be read as UTF-8 text ({error})") from error
    # Only a line feed ends a line; sentences hold other characters that may split lines.
    return text.removesuffix("\n").split("\n")[:count]


def synthetic_sentences(count: int, vocabulary: int, seed: int) -> list[list[int]]:
    """Make sentences of random ids whose lengths are spread as those of newstest2014 are.

    Lengths follow a gamma distribution with a mean of 26 sub-words, up to 120.
    """
    source = np.random.default_rng(seed)
    drawn = np.rint(source.gamma(_SHAPE, _MEAN_TOKENS / _SHAPE, count))
    lengths = np.clip(drawn, 1, _LONGEST_TOKENS).astype(np.int64)
    return [source.integers(END + 1, vocabulary, length).tolist() for length in lengths]


class SentenceLibrary:
    """Source sentences as a sample library.

    ``repeats`` makes the library so many times as long, without holding it: index i is
    sentence i modulo their number. ``load`` puts ids into one padded array, from whose rows
    `inputs` takes batches.
    """

    def __init__(
        self,
        name: str,
        sentences: Sequence[Sequence[int]],
        *,
        repeats: int = 1,
        performance_sample_count: int | None = None,
    ):
        self.name = name
        self.total_sample_count = len(sentences) * repeats
        self.performance_sample_count = min(
            performance_sample_count or self.total_sample_count, self.total_sample_count
        )
        self._sentences = sentences
        self._lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        self._rows = np.full(len(sentences), -1, np.int64)
        self._tokens = np.empty((0, 0), np.int64)

    @classmethod
    def of_text(
        cls, path: Path, vocabulary: Vocabulary, *, count: int | None = None, repeats: int = 1
    ) -> SentenceLibrary:
        """Read a file with one sentence of sub-words a line; `WorkloadError` for an empty one."""
        sentences = [vocabulary.encode(line) for line in read_lines(path, count)]
        for number, sentence in enumerate(sentences, start=1):
            if not sentence:
                raise WorkloadError(
                    f"{path}: line {number} is empty, and there is nothing to translate; give it "
                    "a sentence, or take the line out here and in the references"
                )
        return cls(path.name, sentences, repeats=repeats)

    def load(self, indices: NDArray[np.int64]) -> None:
        """Bring sentences into memory; int64 [n], repetitions allowed."""
        distinct = np.unique(indices % len(self._sentences))
        longest = int(self._lengths[distinct].max(initial=0))
        self._tokens = np.full((len(distinct), longest), END, np.int64)
        for row, index in enumerate(distinct.tolist()):
            self._tokens[row, : self._lengths[index]] = self._sentences[index]
        self._rows[:] = -1
        self._rows[distinct] = np.arange(len(distinct))

    def unload(self, indices: NDArray[np.int64]) -> None:
        """Let the sentences go."""
        self._rows[indices % len(self._sentences)] = -1
        self._tokens = np.empty((0, 0), np.int64)

    def inputs(self, indices: NDArray[np.integer[Any]]) -> Mapping[str, NDArray[Any]]:
        """Give loaded sentences: ``tokens`` int64 [n, longest], ``lengths`` int64 [n].

        Shorter ones are filled up with the id of ``</s>``.
        """
        places = indices % len(self._sentences)
        rows, lengths = self._rows[places], self._lengths[places]
        if rows.size and int(rows.min()) < 0:
            raise WorkloadError("a sample was asked for that isn't loaded")
        longest = int(lengths.max(initial=0))
        return {"tokens": self._tokens[rows, :longest], "lengths": lengths}
