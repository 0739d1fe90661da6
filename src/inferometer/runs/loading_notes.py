"""Loading notes: how far samples are loaded, said every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["LoadingNotes"]

_NOTE_EVERY_S = 5.0


class LoadingNotes:
    """Turns progress into a remark every few seconds."""

    def __init__(self, note: Callable[[str], None]):
        self._note = note
        self._told_at = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Take how many samples are there."""
        now = time.monotonic()
        if now - self._told_at >= _NOTE_EVERY_S:
            self._told_at = now
            self._note(f"loading samples: {done:,} of {total:,}")
