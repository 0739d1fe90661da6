"""Vocabulary: sub-words and their ids, lines to ids, ids to text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from inferometer.workloads.protocol import WorkloadError

__all__ = ["END", "PUBLISHED_SIZE", "START", "UNKNOWN", "Vocabulary", "join_pieces"]

PUBLISHED_SIZE = 32_316
"""Number of sub-words of the published vocabulary, with the three that are prepended."""

UNKNOWN, START, END = 0, 1, 2
"""Ids of words that the vocabulary lacks, of a sentence's start, and of its end."""

_SPECIAL = ("<unk>", "<s>", "</s>")
_JOINED = "@@"


class Vocabulary:
    """The sub-words of a model, by id.

    A file has one sub-word a line; the three special ones are put in front unless the file
    begins with them, which the published one does not.

    Source: MLPerf Inference v0.5, GNMT.
    """

    def __init__(self, words: Sequence[str]):
        self.words: tuple[str, ...] = tuple(words)
        if self.words[: len(_SPECIAL)] != _SPECIAL:
            self.words = (*_SPECIAL, *self.words)
        self._ids = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read a vocabulary file; raise `WorkloadError` naming what is wrong with it."""
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            raise WorkloadError(f"{path}: there is no such vocabulary file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise WorkloadError(f"{path}: can't be read as UTF-8 text ({error})") from error
        # Only a line feed ends a line: some sub-words are other characters that split lines.
        words = [line.strip() for line in text.removesuffix("\n").split("\n")]
        seen: dict[str, int] = {}
        for number, word in enumerate(words, start=1):
            if not word or word in seen:
                what = f"{word!r} of line {seen[word]} again" if word else "empty"
                raise WorkloadError(
                    f"{path}: line {number} is {what}; a vocabulary has one sub-word a line, each "
                    "once"
                )
            seen[word] = number
        return cls(words)

    @classmethod
    def made_up(cls, size: int) -> Vocabulary:
        """Make a vocabulary of so many words that mean nothing, with the special ones."""
        return cls([f"w{number}" for number in range(len(_SPECIAL), size)])

    def __len__(self) -> int:
        """Give the number of sub-words, with the special ones."""
        return len(self.words)

    def encode(self, line: str) -> list[int]:
        """Give the ids of a line of sub-words; words that aren't known become `UNKNOWN`."""
        return [self._ids.get(word, UNKNOWN) for word in line.split()]

    def decode(self, ids: Iterable[int]) -> str:
        """Give the text up to the first `END`, its sub-words joined to words."""
        words = []
        for number in ids:
            if number == END:
                break
            words.append(self.words[number])
        return join_pieces(" ".join(words))


def join_pieces(line: str) -> str:
    """Join the sub-words of a line: one that ends in ``@@`` goes together with the next."""
    words = []
    begun = ""
    for piece in line.split():
        if piece.endswith(_JOINED):
            begun += piece.removesuffix(_JOINED)
        else:
            words.append(begun + piece)
            begun = ""
    # A piece that waits for a next one which never comes is dropped, as published.
    return " ".join(words)
