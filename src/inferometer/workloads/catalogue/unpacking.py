"""Unpacking: named members of zip and tar archives, and nothing outside their folder."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from inferometer.workloads.catalogue.entry import Member
from inferometer.workloads.protocol import WorkloadError

__all__ = ["unpack"]


class _Archive(Protocol):
    def names(self) -> list[str]: ...

    def open(self, name: str) -> IO[bytes]: ...


class _Zip:
    def __init__(self, file: zipfile.ZipFile):
        self._file = file

    def names(self) -> list[str]:
        return [info.filename for info in self._file.infolist() if not info.is_dir()]

    def open(self, name: str) -> IO[bytes]:
        return self._file.open(name)


class _Tar:
    def __init__(self, file: tarfile.TarFile):
        self._file = file

    def names(self) -> list[str]:
        return [info.name for info in self._file.getmembers() if info.isreg()]

    def open(self, name: str) -> IO[bytes]:
        content = self._file.extractfile(name)
        if content is None:
            raise tarfile.TarError(f"{name} is no file")
        return content


def unpack(archive: Path, folder: Path, members: Sequence[Member]) -> list[Path]:
    """Unpack members into ``folder``; give their paths.

    Only regular files are unpacked, each whole or not at all. Raises `WorkloadError` if the
    archive is damaged, lacks a member, or a member would leave the folder.
    """
    paths: list[Path] = []
    try:
        with _opened(archive) as content:
            names = content.names()
            for member in members:
                for name, target in _find(archive, names, member):
                    path = folder / target
                    with content.open(name) as source:
                        _write(path, source)
                    paths.append(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError) as error:
        raise WorkloadError(
            f"{archive}: damaged or not an archive ({error}); delete it and fetch it again"
        ) from error
    except OSError as error:
        # A damaged gzip stream is an OSError without a number.
        reason = error.strerror or f"damaged ({error})"
        raise WorkloadError(f"{archive}: can't be unpacked: {reason}") from error
    return paths


@contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as file:
            yield _Zip(file)
    else:
        with tarfile.open(archive) as tar:
            yield _Tar(tar)


def _find(archive: Path, names: list[str], member: Member) -> list[tuple[str, str]]:
    """Give name in the archive and target path of everything that a member stands for."""
    plain = {name: posixpath.normpath(name) for name in names}
    if member.glob:
        found = [(n, p) for n, p in plain.items() if fnmatch.fnmatchcase(p, member.glob)]
    else:
        ending = "/" + member.source
        found = [(n, member.name) for n, p in plain.items() if f"/{p}".endswith(ending)]
    if len(found) != member.count:
        what = member.glob or member.source
        raise WorkloadError(
            f"{archive}: holds {len(found)} files {what}, and {member.count} were expected; it is "
            "another archive than the published one"
        )
    for _, target in found:
        if target.startswith("/") or ".." in target.split("/"):
            raise WorkloadError(f"{archive}: the member {target} would leave its folder")
    return found


def _write(path: Path, source: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
