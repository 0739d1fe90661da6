"""Native output: what a library's own code prints, past Python's streams."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

__all__ = ["native_output_dropped"]

_STREAMS = (1, 2)


@contextlib.contextmanager
def native_output_dropped() -> Iterator[None]:
    """Drop what the process prints on standard output and standard error meanwhile."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in _STREAMS]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in _STREAMS:
            os.dup2(nowhere, stream)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, before in zip(_STREAMS, kept, strict=True):
            os.dup2(before, stream)
            os.close(before)
        os.close(nowhere)
