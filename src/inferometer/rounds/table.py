"""Table: a TOML table read strictly, so that a slip in a rules file can't pass unseen."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from inferometer.loadgen import InferometerError, Scenario, nearest_name

__all__ = ["RoundError", "Table", "read_toml"]

_Value = TypeVar("_Value")
_Word = TypeVar("_Word", bound=enum.Enum)


class RoundError(InferometerError):
    """A round's file or a rules file is wrong; the message names the file and the key."""


def read_toml(file: Traversable) -> Table:
    """Read a TOML file; raise `RoundError` that names it and, where known, the line."""
    try:
        return Table(tomllib.loads(file.read_text("utf-8")), file.name)
    except OSError as error:
        raise RoundError(f"{file.name}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RoundError(f"{file.name}: not a TOML file: {error}") from error


class Table:
    """A table of a TOML file, and where in the file it stands.

    Each value is asked for by its key and type. What was never asked for is an unknown key,
    which `finish` refuses. A key that isn't there raises `RoundError`, unless a default is given.
    """

    def __init__(self, values: Mapping[str, Any], file: str, path: str = ""):
        self.file = file
        self.path = path
        self._values = values
        self._asked: set[str] = set()

    def where(self, key: str) -> str:
        """Give the file and the full key, for messages."""
        return f"{self.file}: {self.path}.{key}" if self.path else f"{self.file}: {key}"

    def names(self) -> list[str]:
        """Give the keys of the table, in the order of the file."""
        return list(self._values)

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Give a text; it may be empty only where the default is."""
        value: str = self._take(key, str, "a text", default)
        if not value.strip() and default is None:
            raise RoundError(f"{self.where(key)} is empty; it takes a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Give true or false."""
        value: bool = self._take(key, bool, "true or false", default)
        return value

    def count(self, key: str, default: int | None = None) -> int:
        """Give a whole number of 0 or more."""
        value: int = self._take(key, int, "a whole number", default)
        if value < 0:
            raise RoundError(f"{self.where(key)} is {value}; it takes 0 or more")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Give a number of 0 or more."""
        value = float(self._take(key, (int, float), "a number", default))
        if not 0 <= value < float("inf"):
            raise RoundError(f"{self.where(key)} is {value:g}; it takes a number of 0 or more")
        return value

    def share(self, key: str) -> float:
        """Give a number above 0 and up to 1."""
        value = self.number(key)
        if not 0 < value <= 1:
            raise RoundError(f"{self.where(key)} is {value:g}; it takes a share such as 0.99")
        return value

    def optional(self, key: str, read: Callable[[str], _Value]) -> _Value | None:
        """Give what ``read`` gives for the key, or ``None`` where the key isn't there."""
        return read(key) if self.has(key) else None

    def word(self, key: str, kind: type[_Word], noun: str) -> _Word:
        """Give one of the words of an enumeration; the noun is what a message calls it."""
        return self._as_word(key, self.text(key), kind, noun)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Give a list of texts, none of them empty or there twice."""
        values = self._take(
            key, list, "a list of texts", list(default) if default is not None else None
        )
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise RoundError(f"{self.where(key)} holds {value!r}; it takes texts")
        if len(set(values)) != len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise RoundError(f"{self.where(key)} holds {twice!r} twice")
        return tuple(values)

    def value(self, key: str) -> Any:
        """Give a value of whatever kind; it has to be there."""
        return self._take(key, object, "a value", None)

    def values(self, key: str) -> list[Any]:
        """Give a list of whatever there is in it."""
        found: list[Any] = self._take(key, list, "a list", None)
        return found

    def scenarios(self, key: str) -> tuple[Scenario, ...]:
        """Give a list of scenarios."""
        return tuple(self._as_word(key, word, Scenario, "scenario") for word in self.texts(key))

    def table(self, key: str, *, may_miss: bool = False) -> Table:
        """Give the table of this key; an empty one if there is none and that may be."""
        values = self._take(key, dict, "a table", {} if may_miss else None)
        return Table(values, self.file, f"{self.path}.{key}" if self.path else key)

    def tables(self, key: str, *, may_miss: bool = False) -> list[Table]:
        """Give the tables of a list of tables."""
        values = self._take(key, list, "a list of tables", [] if may_miss else None)
        path = f"{self.path}.{key}" if self.path else key
        for number, value in enumerate(values, start=1):
            if not isinstance(value, dict):
                raise RoundError(f"{self.file}: {path} {number} is no table")
        return [Table(value, self.file, f"{path} {n}") for n, value in enumerate(values, start=1)]

    def scenario_keys(self) -> list[Scenario]:
        """Give the keys of a table whose keys are all scenarios, in the order of the file."""
        return [self._as_word(key, key, Scenario, "scenario") for key in self._values]

    def by_scenario(self, key: str, read: Callable[[Table, str], _Value]) -> dict[Scenario, _Value]:
        """Give a table whose keys are scenarios; an empty one if there is none."""
        inner = self.table(key, may_miss=True)
        return {scenario: read(inner, scenario.value) for scenario in inner.scenario_keys()}

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                hint = nearest_name(key, self._asked)
                raise RoundError(f"{self.where(key)} is not a known key{hint}")

    def _take(self, key: str, kind: Any, kind_in_words: str, default: Any) -> Any:
        self._asked.add(key)
        if key not in self._values:
            if default is None:
                raise RoundError(f"{self.where(key)} is missing; it takes {kind_in_words}")
            return default
        value = self._values[key]
        # True is an int to Python, but not to whoever reads the file.
        is_odd_flag = isinstance(value, bool) and kind not in (bool, object)
        if not isinstance(value, kind) or is_odd_flag:
            raise RoundError(f"{self.where(key)} is {value!r}; it takes {kind_in_words}")
        return value

    def _as_word(self, key: str, text: str, kind: type[_Word], noun: str) -> _Word:
        known = [str(word.value) for word in kind]
        if text not in known:
            raise RoundError(
                f"{self.where(key)}: there is no {noun} {text!r}"
                f"{nearest_name(text, known)}; known: {', '.join(known)}"
            )
        return kind(text)
