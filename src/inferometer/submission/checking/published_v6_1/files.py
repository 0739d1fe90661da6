"""Files as the v6.1 round's checker reads them: strict where it is, and no stricter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.loadgen import InferometerError
from inferometer.submission.tree import Tree, TreeError, shown

__all__ = ["Log", "StopsError", "json_of", "log_of", "text_of"]

_MARK = ":::MLLOG"
_LARGEST_BYTES = 64 << 20


class StopsError(InferometerError):
    """Here the published checker ends with an exception, and says nothing of the whole tree."""


@dataclass(frozen=True)
class Log:
    """A detail log: the first value of each key, and whether a record is an error.

    ``has_errors`` is ``None`` where a record doesn't say what it is.
    """

    values: Mapping[str, Any]
    has_errors: bool | None

    def __getitem__(self, key: str) -> Any:
        """Give the first value of a key; ``None`` if there is none."""
        return self.values.get(key)


def text_of(tree: Tree, *parts: str) -> str:
    """Read UTF-8 text with its line ends made one; raise `StopsError` if it isn't such."""
    try:
        with tree.open(*parts) as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise StopsError(f"{_shown(parts)} is larger than {_LARGEST_BYTES >> 20} MiB")
        text = content.decode("utf-8")
    except (TreeError, UnicodeDecodeError) as error:
        raise StopsError(f"{_shown(parts)} can't be read: {error}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def json_of(tree: Tree, *parts: str) -> Any:
    """Read JSON, names that stand twice let through; raise `StopsError` if it is none."""
    try:
        return json.loads(text_of(tree, *parts))
    except (ValueError, RecursionError) as error:
        raise StopsError(f"{_shown(parts)} is no JSON: {shown(str(error))}") from error


def log_of(tree: Tree, *parts: str) -> Log | None:
    """Read a detail log; ``None`` if it isn't there.

    Raises `StopsError` if its first line doesn't begin as LoadGen's do, or one that does
    isn't a record.
    """
    if not tree.has_file(*parts):
        return None
    values: dict[str, Any] = {}
    has_errors: bool | None = False
    # Lines end at line feeds only: other characters that Python splits at stand in values.
    for number, line in enumerate(text_of(tree, *parts).removesuffix("\n").split("\n"), start=1):
        if not line.startswith(_MARK):
            if number == 1 and tree.size_bytes(*parts):
                raise StopsError(f"{_shown(parts)} doesn't begin with {_MARK}")
            continue
        try:
            record = json.loads(line[len(_MARK) :])
            values.setdefault(record["key"], record.get("value"))
            if has_errors is False:
                has_errors = _is_error(record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StopsError(f"{_shown(parts)}: line {number} is no record") from error
    return Log(values, has_errors)


def _is_error(record: Mapping[str, Any]) -> bool | None:
    metadata = record.get("metadata")
    if not isinstance(metadata, dict) or "is_error" not in metadata:
        return None
    return bool(metadata["is_error"])


def _shown(parts: tuple[str, ...]) -> str:
    return shown("/".join(parts))
