"""Checksums: whether the files of a data set are those that they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from inferometer.workloads.images.files import some_of
from inferometer.workloads.images.parallel import Progress, for_each
from inferometer.workloads.protocol import WorkloadError

__all__ = ["data_set_sha256", "file_sha256", "read_checksums", "verify"]


def file_sha256(path: Path) -> str:
    """Give the sha256 of a file, hexadecimal; raise `WorkloadError` if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WorkloadError(f"{path}: can't be read ({error.strerror})") from error


def data_set_sha256(
    paths: Sequence[Path], workers: int | None = None, progress: Progress | None = None
) -> str:
    """Give one sha256 for the content of many files in their order, whatever their names.

    It is that of the files' own digests, each as 64 hexadecimal digits and a line feed.
    """
    digests = for_each(file_sha256, paths, workers, progress)
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()


def read_checksums(path: Path) -> dict[str, str]:
    """Read a list as ``sha256sum`` writes it: digest and relative path a line.

    Raises `WorkloadError` naming the line that is no such thing.
    """
    checksums = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path}: can't be read as a list of checksums ({error})") from error
    for number, line in enumerate(lines, 1):
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef") or len(name) < 2:
            raise WorkloadError(
                f"{path}, line {number}: {line!r} is no sha256 and path; write the list with "
                "sha256sum"
            )
        # A star marks files that were read as binary ones.
        checksums[name[1:]] = digest
    return checksums


def verify(
    root: Path,
    checksums: Mapping[str, str],
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Hash files below a folder; ``checksums`` are sha256 by relative path.

    Raises `WorkloadError` that says how many files differ and names the first ones.
    """
    names = list(checksums)
    digests = for_each(lambda name: file_sha256(root / name), names, workers, progress)
    wrong = [name for name, got in zip(names, digests, strict=True) if got != checksums[name]]
    if wrong:
        raise WorkloadError(
            f"{root}: {len(wrong)} of {len(names)} files are not the published ones: "
            f"{some_of(wrong)}; fetch them again"
        )
