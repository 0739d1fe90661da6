"""Answers: an accuracy log read in batches, fast where it is as LoadGen writes it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from inferometer.logs import AccuracyLogError, read_accuracy_log
from inferometer.submission.tree import Tree, TreeError

__all__ = ["AnswerBatch", "read_answers"]

_CHUNK_BYTES = 4 << 20
_LONGEST_LINE_BYTES = 64 << 20
_BATCH = 10_000
_END = b"},\n"
_LARGEST_INDEX = 2**62


@dataclass(frozen=True)
class AnswerBatch:
    """Some answers in the order of the log.

    ids, indices:
        int64 [N], sequence ids and library indices.
    sizes:
        int64 [N], bytes of each answer.
    data:
        The bytes of all answers, one after the other.
    """

    ids: NDArray[np.int64]
    indices: NDArray[np.int64]
    sizes: NDArray[np.int64]
    data: bytes


def read_answers(tree: Tree, *parts: str) -> Iterator[AnswerBatch]:
    """Read an accuracy log of any dialect in bounded memory.

    Lines as LoadGen writes them are read in bulk; from the first other one on, the exact
    reader takes over, so that the answers are always those of `read_accuracy_log`.

    Raises `AccuracyLogError` or `TreeError` where the log is damaged.
    """
    count, is_whole = 0, False
    with tree.open(*parts) as file:
        regular = _RegularLog(file)
        for batch in regular.batches():
            count += len(batch.ids)
            yield batch
        is_whole = regular.is_whole
    if not is_whole:
        yield from _exactly(tree, parts, count)


@dataclass(frozen=True)
class _Shape:
    """A way in which entries are written: a pattern, where its groups stand, what is around them.

    ``order`` says which groups are sequence id, index and data; ``fixed`` how many bytes an
    entry has besides them and the comma.
    """

    pattern: re.Pattern[bytes]
    order: tuple[int, int, int]
    fixed: int


def _shape(text: str, order: tuple[int, int, int]) -> _Shape:
    """Make a shape of an entry's text, with S, I and D for sequence id, index and data."""
    plain = re.escape(text).replace("S", r"(\d{1,18})").replace("I", r"(\d{1,18})")
    pattern = plain.replace("D", "([0-9A-F]*)") + r",?\n"
    return _Shape(re.compile(pattern.encode()), order, len(text) - len("SID") + len("\n"))


_SHAPES = (
    _shape('{ "seq_id" : S, "qsl_idx" : I, "data" : "D" }', (0, 1, 2)),
    _shape('  {\n    "data": "D",\n    "qsl_idx": I,\n    "seq_id": S\n  }', (2, 1, 0)),
)
"""As LoadGen writes, and as Python's json module writes it again, indented and sorted."""


class _RegularLog:
    """Reads as many entries in bulk as are exactly of one of the shapes."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.is_whole = False

    def batches(self) -> Iterator[AnswerBatch]:
        """Give batches up to the end, or to the first chunk with anything unusual."""
        rest = self._file.read(_CHUNK_BYTES).replace(b"\r\n", b"\n")
        if not rest.startswith(b"[\n"):
            return
        rest = rest[2:]
        shape = next((one for one in _SHAPES if one.pattern.match(rest)), _SHAPES[0])
        has_entries = False
        while len(rest) <= 2 * _CHUNK_BYTES:
            more = self._file.read(_CHUNK_BYTES)
            # A carriage return that ends a chunk belongs to the line feed of the next one.
            rest = (rest + more).replace(b"\r\n", b"\n") if more else rest
            end = rest.rfind(_END) + len(_END) if more else len(rest.rstrip()) - len(b"]")
            if end < len(_END) and more:
                continue
            if not more and rest[max(0, end) :].rstrip() != b"]":
                return
            batch = _batch(rest[:end], shape, is_last=not more)
            if batch is None or (has_entries and not len(batch.ids)):
                return  # Nothing comes after a comma.
            if len(batch.ids):
                has_entries = True
                yield batch
            rest = rest[end:]
            if not more:
                self.is_whole = True
                return


def _batch(chunk: bytes, shape: _Shape, *, is_last: bool) -> AnswerBatch | None:
    """Read entries; ``None`` if anything else stands between them.

    Matches don't overlap, so they cover the chunk if their lengths add up to its length.
    """
    found = shape.pattern.findall(chunk)
    if not found:
        empty = np.empty(0, np.int64)
        return AnswerBatch(empty, empty, empty, b"") if not chunk else None
    groups = list(zip(*found, strict=True))
    ids, indices, texts = (groups[place] for place in shape.order)
    id_text, index_text, text = b",".join(ids), b",".join(indices), b"".join(texts)
    digits = len(id_text) + len(index_text) - 2 * (len(found) - 1)
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    commas = chunk.count(_END)
    if digits + len(text) + commas + shape.fixed * len(found) != len(chunk):
        return None
    if commas != len(found) - is_last or (is_last and chunk.endswith(_END)) or (sizes % 2).any():
        return None
    return AnswerBatch(
        np.fromstring(id_text, np.int64, sep=","),
        np.fromstring(index_text, np.int64, sep=","),
        sizes // 2,
        bytes.fromhex(text.decode("ascii")),
    )


def _exactly(tree: Tree, parts: tuple[str, ...], skip: int) -> Iterator[AnswerBatch]:
    """Read what comes after the first ``skip`` entries, one by one."""
    _refuse_endless_lines(tree, parts)
    entries = itertools.islice(read_accuracy_log(tree.path(*parts)), skip, None)
    while batch := list(itertools.islice(entries, _BATCH)):
        numbers = np.array([(entry.seq_id, entry.qsl_idx) for entry in batch], object)
        if (abs(numbers) > _LARGEST_INDEX).any():
            raise AccuracyLogError(f"{tree.path(*parts)}: a number beyond 62 bits")
        numbers = numbers.astype(np.int64)
        sizes = np.array([len(entry.data) for entry in batch], np.int64)
        data = b"".join(entry.data for entry in batch)
        yield AnswerBatch(numbers[:, 0], numbers[:, 1], sizes, data)


def _refuse_endless_lines(tree: Tree, parts: tuple[str, ...]) -> None:
    """Raise `TreeError` for a line that would have to be held in memory whole."""
    length = 0
    with tree.open(*parts) as file:
        while chunk := file.read(_CHUNK_BYTES):
            end = chunk.rfind(b"\n")
            length = length + len(chunk) if end < 0 else len(chunk) - end - 1
            if length > _LONGEST_LINE_BYTES:
                raise TreeError(f"a line longer than {_LONGEST_LINE_BYTES >> 20} MiB")
