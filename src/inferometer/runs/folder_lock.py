"""Folder lock: one run at a time writes into a session folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from inferometer.runs.folder import RunFolderError

__all__ = ["folder_lock"]


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if need be, for as long as the context lasts.

    It ends with the process, however that ends. Raises `RunFolderError` if another run holds
    it or it can't be made. Where the file system has no locks, nothing is held.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RunFolderError(
            f"{folder} can't be written: {error.strerror or error}; choose another --output"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(
                f"{folder}: a run is still writing here; wait for its end, or choose another "
                "--output"
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)
