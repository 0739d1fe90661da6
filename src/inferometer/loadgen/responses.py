"""Response log: the answers of a run, streamed to a file in bounded memory.

The file is a sequence of frames, one for each completion. A frame can be read without
the ones after it, so a file whose writer died holds everything up to that moment.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen.errors import RecordingError, ResponseError

__all__ = ["Response", "ResponseReader", "ResponseWriter", "answers_of"]

_FRAME = struct.Struct("<4sIQ")
_MAGIC = b"IFR1"
_NO_TOKENS = -1


@dataclass(frozen=True)
class Response:
    """One logged answer: sample id, bytes, and (with token latencies) tokens."""

    sample_id: int
    data: bytes
    first_token_data: bytes
    token_count: int | None


def answers_of(responses: Any, count: int) -> Callable[[int], bytes | memoryview]:
    """Give access to the bytes of each of ``count`` answers, copying none before it is read.

    ``responses`` is of one of the forms that `Responses` describes; ``None`` means empty
    answers. Raises `ResponseError` if it holds another number of answers.
    """
    if responses is None:
        return lambda _: b""
    if isinstance(responses, bytes | bytearray | memoryview):
        if count != 1:
            raise ResponseError(
                f"one bytes object was given for a query of {count} samples; "
                "give a sequence of them, or an array whose first axis has one entry a sample"
            )
        only = memoryview(responses).cast("B")
        return lambda _: only
    if len(responses) != count:
        raise ResponseError(f"{len(responses)} responses were given for {count} samples")
    if isinstance(responses, np.ndarray):
        if responses.dtype.hasobject:
            raise ResponseError("responses are an array of Python objects; give numbers or bytes")
        # A view of the raw bytes would fail on arrays without any; those answer nothing.
        if not responses.flags.c_contiguous or not responses.nbytes:
            return lambda row: bytes(responses[row].tobytes())
        size = responses.nbytes // count
        flat = responses.reshape(-1).view(np.uint8).data
        return lambda row: flat[row * size : (row + 1) * size]
    return lambda row: _as_bytes(responses[row])


def _as_bytes(response: Any) -> bytes | memoryview:
    if isinstance(response, np.ndarray | np.generic):
        return response.tobytes()
    try:
        view = memoryview(response)
    except TypeError:
        raise ResponseError(
            f"a response is a {type(response).__name__}; give bytes or a NumPy array"
        ) from None
    return view.tobytes() if not view.contiguous else view.cast("B")


class _LogFile:
    """An open log: a file with a name, or one that vanishes with its last user."""

    def __init__(self, path: Path | None):
        if path is None:
            self.descriptor, name = tempfile.mkstemp(prefix="inferometer-responses-")
            Path(name).unlink()
            # A reader of this file shares its position; writing has to ignore that.
            fcntl.fcntl(self.descriptor, fcntl.F_SETFL, os.O_APPEND)
        else:
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            self.descriptor = os.open(path, flags, 0o644)

    def __del__(self) -> None:
        os.close(self.descriptor)


class ResponseWriter:
    """Appends answers to a file, each completion with one system call.

    Nothing is held back in memory, so a crash loses nothing. Raises OSError when the
    disk is full.
    """

    def __init__(self, path: Path | None = None):
        """Write to ``path``, or to a temporary file that vanishes with its last reader."""
        self._path = path
        self._file = _LogFile(path)

    def write(
        self,
        sample_ids: Sequence[int],
        answers: Sequence[bytes | memoryview],
        first_tokens: Sequence[bytes] | None = None,
        token_counts: Sequence[int] | None = None,
    ) -> None:
        """Append the answers to the samples of the given ids, in this order."""
        count = len(sample_ids)
        sizes = [len(answer) for answer in answers]
        tokens = [_NO_TOKENS] * count if token_counts is None else token_counts
        firsts: Sequence[bytes] = () if first_tokens is None else first_tokens
        first_sizes = [0] * count if first_tokens is None else [len(one) for one in firsts]
        heads = [
            _HEAD_STRUCT.pack(*head)
            for head in zip(sample_ids, sizes, first_sizes, tokens, strict=True)
        ]
        size = count * _HEAD_STRUCT.size + sum(sizes) + sum(first_sizes)
        frame = _FRAME.pack(_MAGIC, count, size)
        self._write_all(b"".join([frame, *heads, *answers, *firsts]))

    def reader(self) -> ResponseReader:
        """Give a reader of everything written so far."""
        return ResponseReader(self._file if self._path is None else self._path)

    def _write_all(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._file.descriptor, rest) :]


_HEAD_STRUCT = struct.Struct("<qIIi")
_HEAD = np.dtype([("id", "<i8"), ("size", "<u4"), ("token_size", "<u4"), ("token_count", "<i4")])


class ResponseReader:
    """Reads a response log, frame by frame, as often as wanted."""

    def __init__(self, source: Path | _LogFile):
        self._source = source
        self.truncated = False
        """Whether the last pass met an incomplete frame, as a crash leaves behind."""

    def __iter__(self) -> Iterator[Response]:
        """Give each answer in the order of completion."""
        for heads, body in self.frames():
            yield from _responses_of(heads, body)

    def frames(self) -> Iterator[tuple[NDArray[Any], memoryview]]:
        """Give each frame as its heads (structured array) and the bytes after them."""
        self.truncated = False
        if isinstance(self._source, Path):
            with self._source.open("rb") as file:
                yield from self._frames_of(file)
        else:
            with open(os.dup(self._source.descriptor), "rb") as file:  # noqa: PTH123
                file.seek(0)
                yield from self._frames_of(file)

    def _name(self) -> str:
        return str(self._source) if isinstance(self._source, Path) else "response log"

    def _frames_of(self, file: BinaryIO) -> Iterator[tuple[NDArray[Any], memoryview]]:
        while head := file.read(_FRAME.size):
            if len(head) < _FRAME.size:
                self.truncated = True
                return
            magic, count, size = _FRAME.unpack(head)
            if magic != _MAGIC or size < count * _HEAD.itemsize:
                raise RecordingError(
                    f"{self._name()}: damaged at byte {file.tell() - _FRAME.size}; "
                    "it isn't a response log of this version"
                )
            body = file.read(size)
            if len(body) < size:
                self.truncated = True
                return
            heads = np.frombuffer(body, _HEAD, count)
            yield heads, memoryview(body)[heads.nbytes :]


def _responses_of(heads: NDArray[Any], body: memoryview) -> Iterator[Response]:
    token_start = int(heads["size"].sum())
    start = 0
    for sample_id, size, token_size, token_count in heads.tolist():
        yield Response(
            sample_id=sample_id,
            data=bytes(body[start : start + size]),
            first_token_data=bytes(body[token_start : token_start + token_size]),
            token_count=None if token_count == _NO_TOKENS else token_count,
        )
        start += size
        token_start += token_size
