"""Small files: what the kernel shows below ``/proc`` and ``/sys``, one value each."""

from __future__ import annotations

from pathlib import Path

__all__ = ["number_in", "text_in"]


def text_in(path: Path) -> str | None:
    """Give the text of a file without the space around it; ``None`` if it can't be read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def number_in(path: Path) -> int | None:
    """Give the whole number that a file holds; ``None`` if it holds none."""
    text = text_in(path)
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
