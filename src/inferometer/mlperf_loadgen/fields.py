"""Fields of settings objects: the types that the published binding takes, and no others."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable
from typing import Any

__all__ = ["BOOL", "F64", "I32", "U64", "Field", "text_field", "word_field"]

_U64_LIMIT = 2**64
_I32_LIMIT = 2**31


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, float) or not hasattr(value, "__index__"):
            raise TypeError(f"a whole number from {low} to {high - 1}")
        number = int(value.__index__())
        if not low <= number < high:
            raise TypeError(f"a whole number from {low} to {high - 1}")
        return number

    return convert


def _real(value: Any) -> float:
    if isinstance(value, str | bytes) or not (
        hasattr(value, "__float__") or hasattr(value, "__index__")
    ):
        raise TypeError("a number")
    try:
        return float(value)
    except OverflowError:
        raise TypeError("a number of a float's size") from None


def _flag(value: Any) -> bool:
    if value is None:
        return False
    # Looked for in the classes alone: a class of enums has a truth value of its own.
    if any("__bool__" in vars(kind) for kind in type(value).__mro__):
        with contextlib.suppress(ValueError):
            return bool(value)
    raise TypeError("a bool")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a str")
    return value


U64 = _whole(0, _U64_LIMIT)
I32 = _whole(-_I32_LIMIT, _I32_LIMIT)
F64 = _real
BOOL = _flag


class Field:
    """An attribute of one type; setting another raises TypeError and changes nothing."""

    def __init__(self, convert: Callable[[Any], Any], default: Any):
        self.default = default
        self._convert = convert
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return instance._values.get(self._name, self.default)

    def __set__(self, instance: Any, value: Any) -> None:
        try:
            converted = self._convert(value)
        except TypeError as error:
            owner = type(instance).__name__
            raise TypeError(f"{owner}.{self._name} takes {error}, not {value!r}") from None
        instance._values[self._name] = converted


def text_field(default: str) -> Field:
    """Give a field that takes text."""
    return Field(_text, default)


def word_field(default: enum.Enum) -> Field:
    """Give a field that takes a member of the default's enum, and no plain number."""
    kind = type(default)

    def convert(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"a {kind.__name__}")
        return value

    return Field(convert, default)
