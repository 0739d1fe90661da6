"""Catalogue: the published models and data sets, loaded from TOML and checked."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
import types
import typing
from collections.abc import Mapping
from importlib import resources
from typing import Any

from inferometer.loadgen import nearest_name
from inferometer.workloads.catalogue.entry import Entry
from inferometer.workloads.protocol import WorkloadError

__all__ = ["get_entry", "load_catalogue", "parse_entry"]

_KINDS = ("model", "data")


@functools.cache
def load_catalogue() -> Mapping[str, Entry]:
    """Load all entries by name, models first; raise `WorkloadError` naming file and key."""
    folder = resources.files(__package__)
    files = [path for path in folder.iterdir() if path.name.endswith(".toml")]
    entries = [parse_entry(path.name, path.read_text("utf-8")) for path in files]
    entries.sort(key=lambda entry: (_KINDS.index(entry.kind), entry.name))
    return types.MappingProxyType({entry.name: entry for entry in entries})


def get_entry(name: str) -> Entry:
    """Give an entry; raise `WorkloadError` for an unknown one, suggesting the nearest."""
    known = load_catalogue()
    if name not in known:
        raise WorkloadError(
            f"the catalogue has no {name!r}{nearest_name(name, known)}; known: {', '.join(known)}"
        )
    return known[name]


def parse_entry(place: str, text: str) -> Entry:
    """Make an entry of a TOML text; ``place`` names it in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorkloadError(f"{place}: not a TOML file: {error}") from error
    entry: Entry = _build(Entry, table, place)
    _check(entry, place)
    return entry


def _check(entry: Entry, place: str) -> None:
    """Check what hangs together across keys."""
    if entry.kind not in _KINDS:
        raise WorkloadError(f"{place}: kind is {entry.kind!r}; known: {', '.join(_KINDS)}")
    for number, file in enumerate(entry.files):
        if bool(file.url) == bool(file.manual):
            raise WorkloadError(f"{place}: files[{number}] needs either url or manual")
        for member in file.members:
            if bool(member.name) == bool(member.glob):
                raise WorkloadError(f"{place}: files[{number}].members need either name or glob")
    targets = {target for file in entry.files for target in (file.name, *file.targets)}
    for number, profile in enumerate(entry.profiles):
        if profile.file not in targets:
            raise WorkloadError(
                f"{place}: profiles[{number}].file is {profile.file!r}, which no file gives"
                f"{nearest_name(profile.file, targets)}"
            )
    if entry.profiles:
        entry.profile()


def _build(cls: Any, table: Any, place: str) -> Any:
    """Make a dataclass of a TOML table; an unknown, missing or mistyped key is an error."""
    if not isinstance(table, dict):
        raise WorkloadError(f"{place}: found {table!r}; expected a table")
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in hints:
            raise WorkloadError(f"{place}: there is no key {key!r}{nearest_name(key, hints)}")
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING and field.name not in table:
            raise WorkloadError(f"{place}: the key {field.name!r} is missing")
    values = {key: _convert(hints[key], value, f"{place}: {key}") for key, value in table.items()}
    return cls(**values)


def _convert(hint: Any, value: Any, place: str) -> Any:
    """Give a TOML value as the type that a field has."""
    options = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise WorkloadError(f"{place} is {value!r}; expected a list")
        return tuple(_convert(options[0], v, f"{place}[{n}]") for n, v in enumerate(value))
    if typing.get_origin(hint) is types.UnionType:
        return _convert(options[0], value, place)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, place)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise WorkloadError(f"{place} is {value!r}; expected {hint.__name__}")
    return value
