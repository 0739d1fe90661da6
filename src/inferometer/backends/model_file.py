"""Model files: found, of a known format, and unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path

from inferometer.backends.protocol import BackendError, ModelFile

__all__ = ["checked_path", "content_sha256"]

_CHUNK_BYTES = 1 << 20


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
    if not model.path.exists():
        raise BackendError(f"{model.path}: there is no such model file")
    if model.sha256 is not None:
        found = content_sha256(model.path)
        if found != model.sha256:
            raise BackendError(
                f"{model.path} is damaged or was changed: its sha256 is {found}, and "
                f"{model.sha256} was expected; make it again, or install the package again"
            )
    return model.path


def content_sha256(path: Path) -> str:
    """Hash a file's bytes, or the names and hashes of all files in a folder, sorted."""
    if path.is_dir():
        files = sorted(found for found in path.rglob("*") if found.is_file())
        lines = (f"{content_sha256(file)} {file.relative_to(path).as_posix()}" for file in files)
        return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
