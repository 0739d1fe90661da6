"""Flat rows: nested names and values as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["flat_rows"]


def flat_rows(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Give a name and a text for each value, whatever is nested in what."""
    rows = []
    for name, value in values.items():
        label = f"{prefix}{str(name).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows.extend(flat_rows(value, f"{label}: "))
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            numbered = {str(number): one for number, one in enumerate(value, 1)}
            rows.extend(flat_rows(numbered, f"{label} "))
        else:
            is_list = isinstance(value, list | tuple)
            rows.append((label, ", ".join(map(str, value)) if is_list else str(value)))
    return rows
