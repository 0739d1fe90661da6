"""Run logs: summary and detail log of one test, read within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from inferometer.logs import (
    DETAIL_LOG,
    SUMMARY_LOG,
    DetailLog,
    LogError,
    SummaryLog,
    read_detail,
    read_summary,
)
from inferometer.submission.checking.notebook import Notebook
from inferometer.submission.checking.numbers import count_in, counts_in
from inferometer.submission.tree import Tree, TreeError

__all__ = ["RunLogs", "read_run"]

_LARGEST_SUMMARY_BYTES = 1 << 20
_LARGEST_DETAIL_BYTES = 64 << 20
_MOST_LINES = 200_000
_CHUNK_BYTES = 1 << 20
_LONGEST_RECORD = 1000
_TIMED = re.compile(r'POWER_(BEGIN|END): "mode" : \w+, "time" : ([\d: .-]{10,30})')
_QUERIES = re.compile(
    r'GeneratedQueries: "queries" : (\d{1,18})(?=,)(?:.*, "duration" : (\d{1,18})$)?'
)
_LOADING = "Loading QSL : "
_LOADED = re.compile(r'Loading QSL : "set" : "\[([\d,]*)\]"')
_VERSION = re.compile(r"version : (\S{1,60}) @ (\w{1,60})")
_TIME = "%m-%d-%Y %H:%M:%S.%f"


@dataclass(frozen=True)
class RunLogs:
    """The logs of one test; ``None`` for one that is missing or can't be read.

    ``parts`` is the folder, below the root of the tree.
    """

    parts: tuple[str, ...]
    summary: SummaryLog | None
    detail: DetailLog | None

    @property
    def figures(self) -> Mapping[str, str]:
        """What the summary states, by name."""
        return self.summary.values if self.summary else {}

    @property
    def is_v05(self) -> bool:
        """Whether the detail log is in the words of LoadGen 0.5."""
        return self.detail is not None and self.detail.is_v05

    def record(self, key: str) -> str | None:
        """Give a record of the detail log as text, numbers and truth values too."""
        value = self.detail.first(key) if self.detail else None
        if isinstance(value, bool):
            return str(value).lower()
        return str(value)[:_LONGEST_RECORD] if isinstance(value, (str, int, float)) else None

    def setting(self, name: str) -> str | None:
        """Give an effective setting of the detail log, by its name without ``effective_``."""
        return self.record(f"effective_{name}")

    def message(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Find the first message of the detail log that begins like this."""
        return next(self.messages(pattern), None)

    def messages(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Find the messages of the detail log that begin like this."""
        for entry in self.detail.entries if self.detail else ():
            found = pattern.match(entry.value) if isinstance(entry.value, str) else None
            if found:
                yield found

    @property
    def revision(self) -> str:
        """The commit of LoadGen; empty if the log doesn't say."""
        if not self.is_v05:
            found = re.search(r"@ (\w{1,60})", self.record("loadgen_version") or "")
            return found[1] if found else ""
        found = self.message(_VERSION)
        return found[2] if found else ""

    @property
    def total_sample_count(self) -> int | None:
        """How many samples the sample library has."""
        if not self.is_v05:
            return count_in(self.record("qsl_reported_total_count"))
        found = self.message(re.compile(r"QSL total size: (\d{1,12})$"))
        return int(found[1]) if found else None

    @property
    def generated_queries(self) -> int | None:
        """How many queries were generated."""
        if not self.is_v05:
            return count_in(self.record("generated_query_count"))
        found = self.message(_QUERIES)
        return int(found[1]) if found else None

    @property
    def generated_series(self) -> list[tuple[int, int]]:
        """How many queries each series had, and how long they were to last in ns."""
        if self.detail is None or self.is_v05:
            found = [(m[1], m[2]) for m in self.messages(_QUERIES) if m[2]]
            return [(int(count), int(duration)) for count, duration in found]
        keys = ("generated_query_count", "generated_query_duration")
        counts, durations = (self.detail.all(key) for key in keys)
        return [
            (count, duration)
            for count, duration in zip(counts, durations, strict=False)
            if all(isinstance(n, int) and 0 <= n < 10**18 for n in (count, duration))
        ]

    @property
    def first_loaded_set(self) -> NDArray[np.int64]:
        """The samples that were loaded first, int64 [samples]; empty if the log lists none."""
        if self.is_v05:
            found = self.message(_LOADED)
            return counts_in(found[1]) if found else np.empty(0, np.int64)
        listed = self.detail.first("loaded_qsl_set") if self.detail else None
        if not isinstance(listed, list):
            return np.empty(0, np.int64)
        plain = [n for n in listed if isinstance(n, int) and 0 <= n < 10**12]
        return np.array(plain, np.int64)

    def without_loaded_sets(self) -> RunLogs:
        """Give the logs without the lists of loaded samples, which may be long."""
        if self.detail is None:
            return self
        kept = tuple(
            entry
            for entry in self.detail.entries
            if entry.key != "loaded_qsl_set"
            and not (isinstance(entry.value, str) and entry.value.startswith(_LOADING))
        )
        return replace(self, detail=replace(self.detail, entries=kept))

    @property
    def duration_s(self) -> float | None:
        """How long the test took, by the times at its beginning and end, to a millisecond."""
        times = {word: _time_in(text) for word, text in self._times()}
        begin, end = times.get("begin"), times.get("end")
        return (end - begin).total_seconds() if begin and end else None

    @property
    def has_end(self) -> bool:
        """Whether the detail log holds the record of the test's end."""
        return any(word == "end" for word, _ in self._times())

    def _times(self) -> Iterator[tuple[str, str]]:
        if self.is_v05:
            yield from ((found[1].lower(), found[2]) for found in self.messages(_TIMED))
            return
        for word in ("begin", "end"):
            text = self.record(f"power_{word}")
            if text is not None:
                yield word, text

    def count(self, name: str) -> int | None:
        """Give a whole number of the summary, by its name there."""
        return count_in(self.figures.get(name))


def read_run(tree: Tree, parts: tuple[str, ...], notebook: Notebook) -> RunLogs:
    """Read the logs of a folder; what can't be read is noted, what is missing isn't."""
    summary = detail = None
    if _is_readable(tree, (*parts, SUMMARY_LOG), _LARGEST_SUMMARY_BYTES, notebook):
        summary = _summary(tree, (*parts, SUMMARY_LOG), notebook)
    if _is_readable(tree, (*parts, DETAIL_LOG), _LARGEST_DETAIL_BYTES, notebook):
        detail = _detail(tree, (*parts, DETAIL_LOG), notebook)
    return RunLogs(parts, summary, detail)


def _is_readable(tree: Tree, parts: tuple[str, ...], most_bytes: int, notebook: Notebook) -> bool:
    """Tell whether a log is there and of a size that LoadGen writes; note if it isn't."""
    if not tree.has_file(*parts) or not tree.size_bytes(*parts):
        return False
    size = tree.size_bytes(*parts)
    if size > most_bytes:
        notebook.fails("log.damaged", parts, f"{size:,} bytes; at most {most_bytes:,} are read")
        return False
    try:
        lines = _line_count(tree, parts)
    except TreeError as error:
        notebook.fails("log.damaged", parts, str(error))
        return False
    if lines > _MOST_LINES:
        notebook.fails("log.damaged", parts, f"{lines:,} lines; at most {_MOST_LINES:,} are read")
        return False
    return True


def _line_count(tree: Tree, parts: tuple[str, ...]) -> int:
    count = 0
    with tree.open(*parts) as file:
        while chunk := file.read(_CHUNK_BYTES):
            # What Python takes for the end of a line besides is rare in logs, and costs no more.
            count += chunk.count(b"\n") + chunk.count(b"\r") + chunk.count(b"\x0b")
            count += chunk.count(b"\x0c") + chunk.count(b"\x1c") + chunk.count(b"\x1d")
            count += chunk.count(b"\x1e") + chunk.count(b"\x85") + chunk.count(b"\xa8")
    return count


def _summary(tree: Tree, parts: tuple[str, ...], notebook: Notebook) -> SummaryLog | None:
    try:
        summary = read_summary(tree.path(*parts))
    except (LogError, TreeError) as error:
        notebook.fails("log.damaged", parts, str(error))
        return None
    if not summary.values and summary.error_count is None:
        notebook.fails("log.damaged", parts, "nothing that LoadGen writes into a summary")
        return None
    return summary


def _detail(tree: Tree, parts: tuple[str, ...], notebook: Notebook) -> DetailLog | None:
    try:
        detail = read_detail(tree.path(*parts))
    except (LogError, TreeError) as error:
        notebook.fails("log.damaged", parts, str(error))
        return None
    if not detail.entries:
        notebook.fails("log.damaged", parts, "no record that LoadGen writes")
        return None
    if detail.problems:
        first = detail.problems[0].removeprefix(str(tree.path(*parts))).lstrip(": ")
        count = len(detail.problems)
        notebook.fails("log.damaged", parts, f"{count:,} lines are no records: {first}")
    return detail


def _time_in(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), _TIME)
    except ValueError:
        return None
