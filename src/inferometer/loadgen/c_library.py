"""C library: calls of the system that Python has no function for."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["c_call"]


def c_call(function: str, *arguments: object) -> int | None:
    """Call a function of the C library on Linux; ``None`` elsewhere, or where it isn't there."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return int(getattr(library, function)(*arguments))
    except (OSError, AttributeError):
        return None
