"""Options of a sweep: values of a matrix as the words that a comparison takes, and a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.comparing import Option, OptionError, option_of, with_option
from inferometer.loadgen import InferometerError
from inferometer.runs import RunRequest

__all__ = ["SweepError", "axis_name", "checked_value", "option_from", "place_of"]

_HARMLESS = ".-="
_LONGEST_PLACE = 200


class SweepError(InferometerError):
    """A matrix can't be read or run; the message names the file, the place and the remedy."""


def axis_name(key: str) -> str:
    """Give the name of an option's word as a matrix writes it: ``max_batch`` or ``max-batch``."""
    return key if "." in key else key.replace("_", "-")


def checked_value(key: str, value: Any, where: str) -> str:
    """Give a value of an axis as an option's word; raise `SweepError` if it doesn't take it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SweepError(f"{where} holds {value!r}; it takes texts or numbers")
    text = str(value)
    try:
        option = option_of({axis_name(key): text}, where)
    except OptionError as error:
        raise SweepError(str(error)) from error
    try:
        if axis_name(key) != "tuned":
            with_option(RunRequest("none", Path()), option)
    except OptionError as error:
        raise SweepError(f"{where}: {error}") from error
    return text


def option_from(values: Mapping[str, str], where: str) -> Option:
    """Give the option with these words, which were checked one by one."""
    return option_of({axis_name(key): value for key, value in values.items()}, where)


def place_of(option: Option) -> str:
    """Give the name of an option's folder: letters, digits, ``.``, ``-``, ``=`` and ``_``."""
    plain = "".join(c if c.isalnum() or c in _HARMLESS else "_" for c in option.label)
    return plain.strip(".")[:_LONGEST_PLACE] or "_"
