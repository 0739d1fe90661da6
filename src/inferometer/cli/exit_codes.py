"""Exit codes that several verbs end with."""

from __future__ import annotations

__all__ = ["EXIT_INTERRUPTED"]

EXIT_INTERRUPTED = 130
"""A signal ended it, as shells tell it."""
