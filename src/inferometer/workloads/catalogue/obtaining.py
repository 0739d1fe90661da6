"""Obtaining: bring the files of an entry here, fetched, checked and unpacked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from inferometer.workloads.catalogue.entry import Entry, PublishedFile
from inferometer.workloads.catalogue.fetching import Download, Progress, download
from inferometer.workloads.catalogue.unpacking import unpack
from inferometer.workloads.catalogue.verifying import State, note_fetched, verify
from inferometer.workloads.protocol import WorkloadError

__all__ = ["ByHandError", "obtain"]

ProgressOf = Callable[[str], Progress]
"""Gives what follows the progress of the file of this name."""


class ByHandError(WorkloadError):
    """A file can't be fetched freely: the message says how to get it and where to put it."""


def obtain(
    entry: Entry,
    folder: Path,
    profile: str = "",
    *,
    everything: bool = False,
    progress_of: ProgressOf | None = None,
) -> Iterator[tuple[PublishedFile, str]]:
    """Bring what a profile needs, or ``everything``, into ``folder``.

    Gives each published file with what was done.

    Files that are here and whole are left alone, damaged ones are fetched again. Archives
    are unpacked, and deleted if they were fetched. Those that have to be got by hand come
    last, so that they keep nothing else from coming. Raises `WorkloadError`.
    """
    files = entry.files_for(profile, everything=everything)
    for file in sorted(files, key=lambda file: bool(file.manual)):
        states = {found.state for found in verify(entry, [file], folder)}
        if states <= {State.HERE, State.UNVERIFIED}:
            yield file, "already here"
            continue
        progress = None if progress_of is None else progress_of(file.name)
        yield file, _bring(entry, file, folder, progress)


def _bring(entry: Entry, file: PublishedFile, folder: Path, progress: Progress | None) -> str:
    path = folder / file.name
    if file.manual:
        _check_by_hand(path, file)
    else:
        wanted = Download(file.url, path, file.md5, file.sha256)
        sha256 = download(wanted, progress)
        if not file.members:
            note_fetched(folder, {file.name: sha256})
            return "fetched"
    unpacked = unpack(path, folder, file.members)
    named = set(file.targets)
    digests = {
        name: _sha256(found)
        for found in unpacked
        if (name := found.relative_to(folder).as_posix()) in named
    }
    note_fetched(folder, digests)
    if not file.manual:
        path.unlink()
    _check_unpacked(entry, file, folder)
    return f"{'unpacked' if file.manual else 'fetched and unpacked'}, {len(unpacked):,} files"


def _check_by_hand(path: Path, file: PublishedFile) -> None:
    if not path.is_file():
        raise ByHandError(
            f"{file.name} can't be fetched: {file.manual}. Put it at {path} and run this again"
        )
    if file.md5:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "md5").hexdigest()
        if found != file.md5:
            raise WorkloadError(
                f"{path} isn't the published file: its md5 is {found}, and {file.md5} was expected"
            )


def _check_unpacked(entry: Entry, file: PublishedFile, folder: Path) -> None:
    for found in verify(entry, [file], folder):
        if found.state is State.DAMAGED:
            raise WorkloadError(f"{found.path} isn't the published file: {found.seen}")


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
