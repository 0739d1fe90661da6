"""Model files: found, of a known format, and unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path

from inferometer.backends.protocol import BackendError, ModelFile

__all__ = ["checked_path"]


def checked_path(model: ModelFile, formats: tuple[str, ...], backend: str) -> Path:
    """Give the path of a model that a backend can read.

    Raises `BackendError` if the format is another, the file isn't there, or its sha256
    isn't what it has to be.
    """
    if model.format not in formats:
        raise BackendError(
            f"{model.path} is a model in format {model.format!r}; {backend} reads "
            f"{', '.join(formats)}"
        )
    if not model.path.is_file():
        raise BackendError(f"{model.path}: there is no such model file")
    if model.sha256 is not None:
        found = hashlib.sha256(model.path.read_bytes()).hexdigest()
        if found != model.sha256:
            raise BackendError(
                f"{model.path} is damaged or was changed: its sha256 is {found}, and "
                f"{model.sha256} was expected; install the package again"
            )
    return model.path
