"""Reading: summary and detail logs of both dialects, back into names and values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen.errors import InferometerError

__all__ = ["DetailEntry", "DetailLog", "LogError", "SummaryLog", "read_detail", "read_summary"]

_MARK = ":::MLLOG"
_TAIL = re.compile(r"(No|\d+) (warnings?|errors?|ERRORS?) encountered")
_V05_PREFIX = re.compile(r'"pid": (\d+), "tid": (\d+), "ts": (\d+)ns : (.*)', re.DOTALL)
_V05_SETTING = re.compile(r"([a-z_]+(?: \(\w+\))?)\s*: ?(.*)")
_V05_STANDING = ("ERROR : ", "WARNING : ")


class LogError(InferometerError):
    """A log file can't be read."""


@dataclass(frozen=True)
class SummaryLog:
    """A summary log.

    ``values`` maps each name before a colon to the text behind it, names stripped; a name
    that stands twice keeps its first text, except that ``sections`` keeps all by title.
    ``is_valid`` is ``None`` where there is no verdict, as in accuracy runs.
    """

    values: dict[str, str]
    sections: dict[str, dict[str, str]]
    is_valid: bool | None
    recommendations: tuple[str, ...]
    warning_count: int | None
    error_count: int | None


def read_summary(path: Path) -> SummaryLog:
    """Read ``mlperf_log_summary.txt`` of either dialect.

    Raises `LogError` for a file that can't be opened; a file with other content gives an
    empty summary.
    """
    lines = _read_text(path).splitlines()
    sections: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    advice: list[str] = []
    title, in_advice = "", False
    for number, line in enumerate(lines):
        if line and set(line) == {"="}:
            continue
        if number and lines[number - 1].startswith("====") and ":" not in line:
            title, in_advice = line.strip(), False
            continue
        tail = _TAIL.match(line)
        if tail:
            kind = "warning" if tail[2].startswith("warning") else "error"
            counts[kind] = 0 if tail[1] == "No" else int(tail[1])
            continue
        if line.strip() == "Recommendations:":
            in_advice = True
        elif in_advice and line.startswith(" "):
            advice.append(line.strip().removeprefix("* "))
        elif ":" in line and not line.startswith(" *"):
            in_advice = False
            name, text = line.split(":", 1)
            sections.setdefault(title, {}).setdefault(name.strip(), text.strip())
    values: dict[str, str] = {}
    for section in sections.values():
        values = {**section, **values}
    verdict = values.get("Result is")
    return SummaryLog(
        values=values,
        sections=sections,
        is_valid=None if verdict is None else verdict == "VALID",
        recommendations=tuple(advice),
        warning_count=counts.get("warning"),
        error_count=counts.get("error"),
    )


@dataclass(frozen=True)
class DetailEntry:
    """One record of a detail log. v0.5 records without a name have the key ``""``."""

    key: str
    value: Any
    at_ms: float
    is_error: bool = False
    is_warning: bool = False


@dataclass(frozen=True)
class DetailLog:
    """A detail log of either dialect, records in order."""

    is_v05: bool
    entries: tuple[DetailEntry, ...]
    problems: tuple[str, ...] = field(default=())
    """Lines that are not what they should be, with their numbers."""

    def first(self, key: str, default: Any = None) -> Any:
        """Give the value of the first record of this key, as the published readers do."""
        for entry in self.entries:
            if entry.key == key:
                return entry.value
        return default

    def all(self, key: str) -> list[Any]:
        """Give the values of all records of this key."""
        return [entry.value for entry in self.entries if entry.key == key]

    @property
    def errors(self) -> list[DetailEntry]:
        """The records that are errors."""
        return [entry for entry in self.entries if entry.is_error]


def read_detail(path: Path) -> DetailLog:
    """Read ``mlperf_log_detail.txt`` of either dialect.

    Raises `LogError` for a file that can't be opened. Damaged lines are left out and named
    in ``problems``.
    """
    # LoadGen on Windows ends its lines so.
    text = _read_text(path).replace("\r\n", "\n")
    if text.startswith('"pid"'):
        return DetailLog(True, tuple(_v05_entries(text)))
    entries: list[DetailEntry] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith(_MARK):
            if line.strip():
                problems.append(f"{path}: line {number} doesn't begin with {_MARK}")
            continue
        try:
            entries.append(_current_entry(line))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(f"{path}: line {number} is damaged ({error!r})")
    return DetailLog(False, tuple(entries), tuple(problems))


def _current_entry(line: str) -> DetailEntry:
    record = json.loads(line[len(_MARK) :])
    metadata = record["metadata"]
    return DetailEntry(
        key=record["key"],
        value=record["value"],
        at_ms=float(record["time_ms"]),
        is_error=bool(metadata["is_error"]),
        is_warning=bool(metadata["is_warning"]),
    )


def _v05_entries(text: str) -> Iterator[DetailEntry]:
    """Give the v0.5 records; one may span several lines, up to the next prefix."""
    block = ""
    for record in re.split(r"\n(?=\"pid\": \d)", text.rstrip("\n")):
        match = _V05_PREFIX.fullmatch(record)
        if match is None:
            continue
        at_ms, message = int(match[3]) / 1e6, match[4]
        standing = next((s for s in _V05_STANDING if message.startswith(s)), "")
        message = message.removeprefix(standing)
        if message in ("Effective Settings:", "Requested Settings:"):
            block = message.split()[0].lower() + "_"
        elif message.startswith("Starting "):
            block = ""
        key, value = _v05_name_and_value(message, block)
        yield DetailEntry(
            key=key,
            value=value,
            at_ms=at_ms,
            is_error=standing == _V05_STANDING[0],
            is_warning=standing == _V05_STANDING[1],
        )


def _v05_name_and_value(message: str, block: str) -> tuple[str, str]:
    """Split a v0.5 settings line as the current dialect names it; else keep the message."""
    match = _V05_SETTING.fullmatch(message)
    if block and match:
        name = re.sub(r" \((\w+)\)", r"_\1", match[1])
        return block + name, match[2]
    if block and message.startswith(("Scenario : ", "Test mode : ")):
        name, _, value = message.partition(" : ")
        return block + name.lower().replace(" ", "_"), value
    return "", message


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise LogError(f"{path}: {error.strerror or error}") from error
