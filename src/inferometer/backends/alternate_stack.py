"""Alternate signal stack: put back what a library changed for the calling thread.

Python's handlers run on the alternate stack of the thread that is interrupted, if it has
one. A library that sets one and frees its memory later makes the next signal, Ctrl-C, crash
the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

__all__ = ["kept_signal_stack"]


class _Stack(ctypes.Structure):
    _fields_ = (
        ("pointer", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("size", ctypes.c_size_t),
    )


@contextlib.contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Give the calling thread the alternate signal stack back that it had before.

    Does nothing but on Linux.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    library, before = ctypes.CDLL(None), _Stack()
    is_known = library.sigaltstack(None, ctypes.byref(before)) == 0
    try:
        yield
    finally:
        if is_known:
            library.sigaltstack(ctypes.byref(before), None)
