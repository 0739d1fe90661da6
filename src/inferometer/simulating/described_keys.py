"""Described keys: what a description holds by a key, read and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from inferometer.rounds.table import Table
from inferometer.simulating.system import SimulationError

__all__ = ["from_one", "pairs", "positive", "section"]

_Section = TypeVar("_Section")


def section(table: Table, key: str, read: Callable[[Table], _Section]) -> _Section | None:
    """Read the table of a key and refuse what is unknown in it; ``None`` if there is none."""
    if not table.has(key):
        return None
    inner = table.table(key)
    found = read(inner)
    inner.finish()
    return found


def from_one(table: Table, key: str) -> int:
    """Give a whole number of 1 or more; 1 if it isn't there."""
    value = table.count(key, 1)
    if value < 1:
        raise SimulationError(f"{table.where(key)} is {value}; it takes 1 or more")
    return value


def positive(table: Table, key: str) -> float:
    """Give a number above 0."""
    value = table.number(key)
    if value <= 0:
        raise SimulationError(f"{table.where(key)} is {value:g}; it takes a number above 0")
    return value


def pairs(**values: Any) -> list[str]:
    """Write keys and values, a line each."""
    return [f"{key} = {_value(value)}" for key, value in values.items()]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(pairs(**value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.9g}" if isinstance(value, float) else str(value)
