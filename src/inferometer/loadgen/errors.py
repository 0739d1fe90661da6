"""The errors that Inferometer raises on purpose, all below one base class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "InferometerError",
    "PlanError",
    "RecordingError",
    "ResponseError",
    "SettingsError",
    "nearest_name",
]


class InferometerError(Exception):
    """Base of every error that Inferometer raises on purpose.

    The message says what was found, what was expected, and what mends it.
    """


class SettingsError(InferometerError, ValueError):
    """A setting has an unknown name, a wrong type or an impossible value."""


class PlanError(InferometerError, ValueError):
    """Settings and sample library together leave nothing that could be issued."""


class ResponseError(InferometerError, ValueError):
    """A system under test completed a query with responses that don't fit it."""


class RecordingError(InferometerError):
    """A recording on disk is missing, damaged or from an unknown version."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Give ``"; did you mean 'x'?"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
