"""Values that somebody else wrote: texts and numbers taken in without trusting them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferometer.submission.tree import shown

__all__ = ["count_of", "name_like", "number_of", "path_text", "text_of"]

_MOST = 1_000_000
_NOTHING = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "nil", "no", "0", "not applicable"}
)


def text_of(value: Any) -> str | None:
    """Give a text on one line, at most 200 characters; ``None`` for what says nothing.

    Dashes, "N/A", "none" and the like say nothing.
    """
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = shown(" ".join(str(value).split()))
    return None if text.lower() in _NOTHING else text


def path_text(path: Path) -> str:
    """Give the whole path of a folder, resolved, on one harmless line."""
    text = str(path.resolve()).encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def number_of(value: Any) -> float | None:
    """Give a finite number of 0 or more, also from text; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def count_of(value: Any) -> int | None:
    """Give a whole number from 0 to a million, also from text; ``None`` for anything else."""
    number = number_of(value)
    if number is None or number > _MOST or number != int(number):
        return None
    return int(number)


def name_like(names: Iterable[str], wanted: str) -> str | None:
    """Give the name itself if it is there, else the first that differs only in its case."""
    found = None
    for name in names:
        if name == wanted:
            return name
        if found is None and name.lower() == wanted.lower():
            found = name
    return found
