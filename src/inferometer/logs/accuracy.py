"""Accuracy log: ``mlperf_log_accuracy.json``, written and read in bounded memory."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.errors import InferometerError
from inferometer.loadgen.recording import Recording
from inferometer.loadgen.responses import ResponseReader
from inferometer.loadgen.vocabulary import Scenario

__all__ = ["AccuracyEntry", "AccuracyLogError", "read_accuracy_log", "write_accuracy_log"]


class AccuracyLogError(InferometerError):
    """An accuracy log can't be read."""


@dataclass(frozen=True)
class AccuracyEntry:
    """One logged answer: sequence id, library index and the answer's bytes."""

    seq_id: int
    qsl_idx: int
    data: bytes
    token_data: bytes | None = None
    token_count: int | None = None


class SampleLookup:
    """Finds the library index of a sample id."""

    def __init__(self, recording: Recording):
        self._firsts = np.array([s.first_sample_id for s in recording.series], np.int64)
        self._indices = [s.sample_index for s in recording.series]

    def indices_of(self, sample_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the library index of each sample; int64 [len(sample_ids)]."""
        numbers = np.searchsorted(self._firsts, sample_ids, side="right") - 1
        found = np.empty(len(sample_ids), np.int64)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            found[here] = self._indices[number][sample_ids[here] - self._firsts[number]]
        return found

    def index_of(self, sample_id: int) -> int:
        """Give the library index of the sample with this id."""
        number = int(np.searchsorted(self._firsts, sample_id, side="right")) - 1
        return int(self._indices[number][sample_id - int(self._firsts[number])])


def write_accuracy_log(file: BinaryIO, recording: Recording, responses: ResponseReader) -> int:
    """Write every logged response, in order of completion; give how many there are."""
    lookup = SampleLookup(recording)
    uses_tokens = recording.settings.use_token_latencies
    has_first = uses_tokens and recording.settings.scenario is not Scenario.OFFLINE
    count = 0
    file.write(b"[")
    for heads, body in responses.frames():
        # Answers are translated a frame at a time: one by one costs several times as much.
        indices = lookup.indices_of(heads["id"]).tolist()
        answers = _slices(_hexadecimal(body), heads)
        parts: list[bytes | memoryview] = []
        for head, index, (data, token_data) in zip(heads.tolist(), indices, answers, strict=True):
            start = b",\n" if count else b"\n"
            parts.append(b'%b{ "seq_id" : %d, "qsl_idx" : %d, "data" : "' % (start, head[0], index))
            parts.append(data)
            if has_first:
                parts += (b'", "token_data" : "', token_data)
            # Answers without tokens are marked by a negative count.
            parts.append(b'", "token_count" : %d }' % max(0, head[3]) if uses_tokens else b'" }')
            count += 1
        file.write(b"".join(parts))
    file.write(b"\n]\n")
    return count


def _slices(text: memoryview, heads: NDArray[Any]) -> Iterator[tuple[memoryview, memoryview]]:
    """Give the digits of each answer of a frame, and of its first tokens."""
    token_at = 2 * int(heads["size"].sum())
    at = 0
    for _, size, token_size, _ in heads.tolist():
        yield text[at : at + 2 * size], text[token_at : token_at + 2 * token_size]
        at += 2 * size
        token_at += 2 * token_size


def _hexadecimal(body: memoryview) -> memoryview:
    """Give two upper-case digits a byte."""
    raw = np.frombuffer(body, np.uint8)
    if len(raw) % 2:
        raw = np.append(raw, np.uint8(0))
    return _digits_of_pairs().take(raw.view("<u2")).view(np.uint8).data


@functools.cache
def _digits_of_pairs() -> NDArray[np.uint32]:
    """Give the four digits of every two bytes; uint32 [65536]."""
    digits = np.frombuffer(bytes(range(256)).hex().upper().encode(), "<u2").astype(np.uint32)
    pairs: NDArray[np.uint32] = digits[np.newaxis, :] | digits[:, np.newaxis] << np.uint32(16)
    return pairs.reshape(-1).astype("<u4")


_LONGEST_NUMBER = 1000
_LONG_NUMBER = re.compile(rb"[:\s,\[-]\d{%d}" % _LONGEST_NUMBER)


class _WithoutLongNumbers:
    """A file to read from that refuses whole numbers of a thousand digits.

    ijson's C code crashes the process on numbers that Python refuses to convert.
    """

    def __init__(self, file: BinaryIO, path: Path):
        self._file = file
        self._path = path
        self._tail = b""

    def read(self, size: int = -1) -> bytes:
        """Read as the file does; raise `AccuracyLogError` for a number that is too long."""
        chunk = self._file.read(size)
        text = self._tail + chunk
        if _LONG_NUMBER.search(text):
            raise AccuracyLogError(f"{self._path}: a number of {_LONGEST_NUMBER} digits or more")
        self._tail = text[-_LONGEST_NUMBER - 1 :]
        return chunk


def read_accuracy_log(path: Path) -> Iterator[AccuracyEntry]:
    """Read an accuracy log of any dialect, entry by entry, in bounded memory.

    Raises `AccuracyLogError` that names the file and the entry if it isn't a JSON array
    of entries, or is cut off.
    """
    number = 0
    try:
        with path.open("rb") as file:
            events = ijson.basic_parse(_WithoutLongNumbers(file, path))
            for value in _values(events, path):
                yield _entry_of(path, number, value)
                number += 1
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        # Exponents that no decimal number can have are an ArithmeticError.
        raise AccuracyLogError(
            f"{path}: cut off or damaged after {number} entries ({error})"
        ) from error
    except OSError as error:
        raise AccuracyLogError(f"{path}: {error.strerror or error}") from error


def _values(events: Iterator[tuple[str, Any]], path: Path) -> Iterator[Any]:
    """Give the values of the outermost array one by one, each of bounded size and depth.

    Paths to each value, as ijson keeps them, would take all memory where brackets nest deeply.
    """
    depth = count = 0
    builder = ijson.ObjectBuilder()
    for event, value in events:
        if depth == 0 and event != "start_array":
            # Other JSON than an array has no entries; it is still read to its end.
            for _ in events:
                pass
            return
        before, depth = depth, depth + _STEPS.get(event, 0)
        if before == 0 or depth == 0:
            continue
        builder.event(event, value)
        count += 1
        if depth > _DEEPEST or count > _MOST_PARTS:
            raise AccuracyLogError(f"{path}: an entry with more in it than an answer has")
        if depth == 1:
            yield builder.value
            builder, count = ijson.ObjectBuilder(), 0


_STEPS = {"start_array": 1, "start_map": 1, "end_array": -1, "end_map": -1}
_DEEPEST = 8
_MOST_PARTS = 200


def _entry_of(path: Path, number: int, value: Any) -> AccuracyEntry:
    try:
        token_data = value.get("token_data")
        return AccuracyEntry(
            seq_id=_whole(value["seq_id"]),
            qsl_idx=_whole(value["qsl_idx"]),
            data=bytes.fromhex(value["data"]),
            token_data=None if token_data is None else bytes.fromhex(token_data),
            token_count=value.get("token_count"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AccuracyLogError(
            f"{path}: entry {number} is not an object with seq_id, qsl_idx and hexadecimal "
            f"data ({error!r})"
        ) from None


def _whole(value: Any) -> int:
    """Give a whole number as it is; a number such as 1e999999999 would take all memory."""
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} in place of a whole number")
    return value
