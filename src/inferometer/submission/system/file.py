"""Description files: what a user says of a system, in JSON or TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferometer.loadgen import InferometerError, nearest_name

__all__ = ["SystemDescriptionError", "read_description"]

_MOST_BYTES = 1 << 20


class SystemDescriptionError(InferometerError):
    """A system description has an unknown key, a wrong value, or lacks what is needed."""


def read_description(path: Path, known: Iterable[str]) -> dict[str, str]:
    """Read keys and values of a description; numbers become text, as published ones are.

    Raises `SystemDescriptionError` that names the file, the key and the nearest right one.
    """
    values = _read(path)
    names = list(known)
    found = {}
    for key, value in values.items():
        if key not in names:
            raise SystemDescriptionError(
                f"{path}: {key!r} is no key of a system description{nearest_name(key, names)}"
            )
        if isinstance(value, bool):
            found[key] = str(value).lower()
        elif isinstance(value, str | int | float):
            found[key] = str(value).strip()
        else:
            raise SystemDescriptionError(
                f"{path}: {key} is {value!r}; it takes a text or a number, or leave it out"
            )
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SystemDescriptionError(f"{path}: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise SystemDescriptionError(f"{path}: larger than {_MOST_BYTES >> 20} MiB; no description")
    is_toml = path.suffix.lower() == ".toml"
    try:
        text = content.decode("utf-8-sig")
        values: Any = tomllib.loads(text) if is_toml else json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if is_toml else "JSON"
        raise SystemDescriptionError(f"{path}: not a {kind} file: {error}") from error
    if not isinstance(values, dict):
        raise SystemDescriptionError(f"{path}: holds no keys with values; begin with {{")
    return values
