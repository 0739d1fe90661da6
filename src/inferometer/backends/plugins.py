"""Plugins: things by name, built in or from other packages, imported only when used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from inferometer.loadgen import InferometerError, nearest_name

__all__ = ["Plugins"]


class Plugins:
    """A registry of ``"module:Class"`` places by name.

    kind:
        What the things are called in messages.
    group:
        The entry-point group through which other packages add theirs; a built-in name
        can't be taken over.
    error:
        What an unknown name raises.
    """

    def __init__(
        self, kind: str, group: str, built_in: Mapping[str, str], error: type[InferometerError]
    ):
        self._kind, self._group, self._built_in, self._error = kind, group, built_in, error

    def _places(self) -> dict[str, str]:
        added = {point.name: point.value for point in metadata.entry_points(group=self._group)}
        return {**added, **self._built_in}

    def names(self) -> list[str]:
        """Give all names, sorted; nothing is imported."""
        return sorted(self._places())

    def find(self, name: str) -> Any:
        """Import a class by its name; an unknown name suggests the nearest."""
        module, _, attribute = self.place(name).partition(":")
        return getattr(importlib.import_module(module), attribute)

    def place(self, name: str) -> str:
        """Give where a class is, ``module:Class``, without importing it."""
        places = self._places()
        if name not in places:
            hint = nearest_name(name, places)
            known = ", ".join(sorted(places))
            raise self._error(f"there is no {self._kind} {name!r}{hint}; known: {known}")
        return places[name]
