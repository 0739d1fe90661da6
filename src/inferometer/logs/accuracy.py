"""Accuracy log: ``mlperf_log_accuracy.json``, written and read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import ijson
import numpy as np

from inferometer.loadgen.errors import InferometerError
from inferometer.loadgen.recording import Recording
from inferometer.loadgen.responses import Response, ResponseReader
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

    def index_of(self, sample_id: int) -> int:
        """Give the library index of the sample with this id."""
        number = int(np.searchsorted(self._firsts, sample_id, side="right")) - 1
        return int(self._indices[number][sample_id - int(self._firsts[number])])


def write_accuracy_log(file: TextIO, recording: Recording, responses: ResponseReader) -> int:
    """Write every logged response, in order of completion; give how many there are."""
    lookup = SampleLookup(recording)
    uses_tokens = recording.settings.use_token_latencies
    has_first = uses_tokens and recording.settings.scenario is not Scenario.OFFLINE
    file.write("[")
    count = 0
    for response in responses:
        file.write(",\n" if count else "\n")
        file.write(_entry_text(response, lookup, uses_tokens, has_first))
        count += 1
    file.write("\n]\n")
    return count


def _entry_text(
    response: Response, lookup: SampleLookup, uses_tokens: bool, has_first: bool
) -> str:
    text = (
        f'{{ "seq_id" : {response.sample_id}, '
        f'"qsl_idx" : {lookup.index_of(response.sample_id)}, '
        f'"data" : "{response.data.hex().upper()}"'
    )
    if has_first:
        text += f', "token_data" : "{response.first_token_data.hex().upper()}"'
    if uses_tokens:
        text += f', "token_count" : {response.token_count or 0}'
    return text + " }"


def read_accuracy_log(path: Path) -> Iterator[AccuracyEntry]:
    """Read an accuracy log of any dialect, entry by entry, in bounded memory.

    Raises `AccuracyLogError` that names the file and the entry if it isn't a JSON array
    of entries, or is cut off.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for value in ijson.items(file, "item"):
                yield _entry_of(path, number, value)
                number += 1
    except ijson.JSONError as error:
        raise AccuracyLogError(
            f"{path}: cut off or damaged after {number} entries ({error})"
        ) from error
    except OSError as error:
        raise AccuracyLogError(f"{path}: {error.strerror or error}") from error


def _entry_of(path: Path, number: int, value: Any) -> AccuracyEntry:
    try:
        token_data = value.get("token_data")
        return AccuracyEntry(
            seq_id=int(value["seq_id"]),
            qsl_idx=int(value["qsl_idx"]),
            data=bytes.fromhex(value["data"]),
            token_data=None if token_data is None else bytes.fromhex(token_data),
            token_count=value.get("token_count"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AccuracyLogError(
            f"{path}: entry {number} is not an object with seq_id, qsl_idx and hexadecimal "
            f"data ({error!r})"
        ) from None
