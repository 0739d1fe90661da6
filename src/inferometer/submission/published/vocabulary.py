"""Vocabulary: kinds of processor, families of frameworks and number formats, told by words.

The words stand in ``vocabulary.toml``; nothing here knows a make or a model.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

__all__ = [
    "NO_ACCELERATOR_KIND",
    "OTHER",
    "PROCESSOR_KINDS",
    "UNKNOWN",
    "framework_family",
    "precision_of",
    "processor_kind",
    "round_of_seeds",
]

UNKNOWN = "unknown"
"""What can't be told."""

OTHER = "other"
"""A framework that is named, but of no known family."""

PROCESSOR_KINDS = ("CPU", "GPU", "DSP", "FPGA", "ASIC", UNKNOWN)
"""Kinds of processor, in the order in which they are listed and drawn."""

NO_ACCELERATOR_KIND = "CPU"
"""What runs the model where there is no accelerator."""

_UNCHANGED = re.compile(r"\b(no change|unchanged|not changed|same as)\b")


@dataclass(frozen=True)
class _Entry:
    """A meaning, and what a text that has it looks like."""

    name: str
    pattern: re.Pattern[str]


def processor_kind(accelerator: str | None, count: int | None, host: str | None) -> str:
    """Tell what kind of processor runs the model.

    Without an accelerator, or with a count of 0, it is the host's CPU. Otherwise the
    accelerator's name decides. `UNKNOWN` where that says nothing, or no host is named.
    """
    if accelerator is None or count == 0:
        return NO_ACCELERATOR_KIND if host else UNKNOWN
    return _first("processor", accelerator) or UNKNOWN


def framework_family(framework: str | None) -> str:
    """Give the family of a framework as it was written; `OTHER` if it is none that is known."""
    if framework is None:
        return UNKNOWN
    return _first("framework", framework) or OTHER


def precision_of(weight_types: str | None, starting_weights: str | None = None) -> str:
    """Give the number formats of the weights, narrow ones first, joined by ``+``.

    Where a sentence says what was changed *to* what, the later formats count. Where nothing was
    changed, the name of the starting weights is asked. `UNKNOWN` where neither says anything.
    """
    text = (weight_types or "").lower()
    found = _formats("format", text.rsplit(" to ", 1)[-1]) or _formats("format", text)
    if not found and _UNCHANGED.search(text) and starting_weights:
        found = _formats("starting_weights", starting_weights.lower())[:1]
    return "+".join(found) or UNKNOWN


def round_of_seeds(seeds: tuple[str | None, ...]) -> str | None:
    """Give the round, of those whose rules aren't known here, that prescribes these seeds."""
    return next((one["name"] for one in _tables()["round"] if tuple(one["seeds"]) == seeds), None)


def _first(table: str, text: str) -> str | None:
    lowered = text.lower()
    return next((entry.name for entry in _entries(table) if entry.pattern.search(lowered)), None)


def _formats(table: str, text: str) -> list[str]:
    return [entry.name for entry in _entries(table) if entry.pattern.search(text)]


@cache
def _entries(table: str) -> tuple[_Entry, ...]:
    key = {"processor": "kind", "framework": "family"}.get(table, "name")
    return tuple(
        _Entry(entry[key], re.compile(rf"(?<![a-z0-9])(?:{'|'.join(entry['patterns'])})"))
        for entry in _tables()[table]
    )


@cache
def _tables() -> dict[str, list[dict[str, Any]]]:
    file = resources.files("inferometer.submission.published").joinpath("vocabulary.toml")
    return tomllib.loads(file.read_text("utf-8"))
