"""Option words: options of a serving, given as ``name=value``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from inferometer.loadgen import SettingsError, nearest_name

__all__ = ["read_options"]

_Options = TypeVar("_Options")


def read_options(kind: type[_Options], serving: str, words: Mapping[str, str]) -> _Options:
    """Make options, a dataclass whose defaults tell the types, of words.

    Raises `SettingsError` for a name that isn't known, and for what is no number where one is
    wanted.
    """
    types: dict[str, Any] = {one.name: type(one.default) for one in fields(cast(Any, kind))}
    read: dict[str, Any] = {}
    for name, word in words.items():
        if name not in types:
            raise SettingsError(
                f"the serving {serving} has no option {name!r}{nearest_name(name, types)}; it "
                f"has {', '.join(types)}"
            )
        try:
            read[name] = types[name](word)
        except ValueError as error:
            raise SettingsError(f"the serving's {name} is {word!r}; it takes a number") from error
    return kind(**read)
