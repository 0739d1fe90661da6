"""Cache of preprocessed samples: one file of rows and an index, which survive being killed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import write_atomically
from inferometer.workloads.images.preprocess import library_versions
from inferometer.workloads.images.recipe import Preprocessing
from inferometer.workloads.protocol import WorkloadError

__all__ = ["RESERVE_BYTES", "CacheError", "SampleCache", "Stamp"]

RESERVE_BYTES = 1 << 30
"""What the cache leaves free on the disk, for the results of the run that fills it."""

ROWS, INDEX, LOCK, ABOUT = "rows.bin", "index.bin", "lock", "about.json"
_RECORD = np.dtype([("path", "V16"), ("stamp", "V16"), ("rows", "<u8"), ("check", "<u8")])
_WEIGHTS = np.array([3, 5, 7, 11, 13], np.uint64)
_SALT = np.uint64(0x9E3779B97F4A7C15)


class CacheError(WorkloadError):
    """Samples can't be kept: the disk is full, or the folder can't be written."""


@dataclass(frozen=True)
class Stamp:
    """What tells a file from another, and from what it was before: digests of 16 bytes."""

    path: bytes
    content: bytes

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Take the stamp of a file: its absolute path; its size and times of change.

        Taken before the file is read, so that a change in between shows the next time.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise WorkloadError(
                f"{path}: can't be read ({error.strerror}); put the image back, or take it off "
                "the data set's list"
            ) from error
        content = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        return cls(
            _digest(str(path.absolute()).encode(errors="surrogateescape")),
            _digest(content.encode()),
        )


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


class SampleCache:
    """Rows of preprocessed samples of one data set and one recipe, by file.

    ``root`` is the folder of all caches. A row counts only if its file is as it was, and the
    row as it was written: the index holds a stamp of the one and a checksum of the other.
    Rows are written before their entries, so a killed run leaves rows that nothing points
    to, and even a disk that lost half a row is found out. When the recipe, this code or a
    library's version changes, the cache is begun anew.

    Rows are read and written by position and not through a memory map: a file cut short, or
    a full disk, then is an error instead of a signal. ``rows.bin`` is a plain array all the
    same; ``about.json`` says of what.

    Threads and processes may share a cache; writing is for one process at a time. Raises
    `CacheError` if the folder can't be used.
    """

    def __init__(self, root: Path, data_set: str, recipe: Preprocessing):
        self.row_bytes = recipe.sample_bytes
        versions = library_versions(recipe)
        prefix = f"{_safe(recipe.key)}-{recipe.layout}-"
        digest = hashlib.sha256(f"{versions}\n{recipe.fingerprint}".encode()).hexdigest()[:16]
        self.folder = root / _safe(data_set) / (prefix + digest)
        self._guard = threading.Lock()
        self._entries: dict[bytes, tuple[int, bytes, int]] = {}
        self._free: list[int] = []
        self._end = 0
        self._is_writing = False
        self._files: list[int] = []
        weakref.finalize(self, _close, self._files)
        with self._errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove_outdated(self.folder, prefix)
            for name in (ROWS, INDEX, LOCK):
                self._files.append(os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o644))
            if not (self.folder / ABOUT).exists():
                about = _about(data_set, recipe, versions)
                write_atomically(self.folder / ABOUT, about)
            self._read_index()

    def holds(self, stamp: Stamp) -> bool:
        """Tell whether there is a row for a file as it is; the row itself isn't looked at."""
        entry = self._entries.get(stamp.path)
        return entry is not None and entry[1] == stamp.content

    def read(self, stamp: Stamp, out: NDArray[Any]) -> bool:
        """Read a file's row into a contiguous array; give whether there was a good one."""
        entry = self._entries.get(stamp.path)
        if entry is None or entry[1] != stamp.content:
            return False
        slot, _, checksum = entry
        try:
            whole = _read_at(self._files[0], out, slot * self.row_bytes)
        except OSError:
            return False
        return whole and row_checksum(out) == checksum

    @contextmanager
    def writing(self, rows: int) -> Iterator[None]:
        """Have the cache to oneself, to write up to so many rows.

        Waits for another process that is writing, and sees what it wrote. Raises `CacheError`
        if the disk hasn't room for the rows and `RESERVE_BYTES` more.
        """
        with self._errors():
            wanted = rows * self.row_bytes + RESERVE_BYTES
            disk = os.fstatvfs(self._files[0])
            free = disk.f_bavail * disk.f_frsize
            if free < wanted:
                raise CacheError(
                    f"{self.folder}: the disk has {free / 1e9:.1f} GB left, and keeping the next "
                    f"samples takes {wanted / 1e9:.1f} GB with the reserve for results"
                )
            fcntl.flock(self._files[2], fcntl.LOCK_EX)
        try:
            with self._errors():
                self._read_index()
            self._is_writing = True
            yield
        finally:
            self._is_writing = False
            fcntl.flock(self._files[2], fcntl.LOCK_UN)

    def write(self, stamp: Stamp, row: NDArray[Any]) -> None:
        """Keep a file's row; only inside `writing`. Raises `CacheError` if it can't be."""
        if not self._is_writing:
            raise RuntimeError("rows are written inside SampleCache.writing")
        with self._guard:
            slot = self._slot(stamp.path)
        checksum = row_checksum(row)
        record = np.zeros(1, _RECORD)
        record["path"], record["stamp"] = np.void(stamp.path), np.void(stamp.content)
        record["rows"] = checksum
        record["check"] = _record_checks(record)
        with self._errors():
            _write_at(self._files[0], row, slot * self.row_bytes)
            _write_at(self._files[1], record, slot * _RECORD.itemsize)
        with self._guard:
            self._entries[stamp.path] = slot, stamp.content, checksum

    def _slot(self, path: bytes) -> int:
        if path in self._entries:
            return self._entries[path][0]
        if self._free:
            return self._free.pop()
        self._end += 1
        return self._end - 1

    def _read_index(self) -> None:
        """Take the entries as they are on disk; what is damaged makes room for others."""
        size = os.fstat(self._files[1]).st_size // _RECORD.itemsize
        records = np.zeros(size, _RECORD)
        _read_at(self._files[1], records, 0)
        good = records["check"] == _record_checks(records)
        slots = np.flatnonzero(good)
        found = records[slots]
        paths, stamps = found["path"].tolist(), found["stamp"].tolist()
        values = zip(slots.tolist(), stamps, found["rows"].tolist(), strict=True)
        with self._guard:
            self._entries = dict(zip(paths, values, strict=True))
            self._free = np.flatnonzero(~good).tolist()
            self._end = size

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the system into `CacheError`."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            remedy = "free some, or set INFEROMETER_HOME to a folder on another disk"
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                remedy = "make it writable, or set INFEROMETER_HOME to another folder"
            raise CacheError(f"{self.folder}: can't keep samples ({reason}); {remedy}") from error


def row_checksum(row: NDArray[Any]) -> int:
    """Sum a row's bytes as 64-bit words: cheap, and pages that were lost show."""
    content = row.reshape(-1).view(np.uint8)
    whole = len(content) // 8 * 8
    total = int(np.add.reduce(content[:whole].view(np.uint64), dtype=np.uint64))
    return (total + int.from_bytes(content[whole:].tobytes(), "little")) % (1 << 64)


def _record_checks(records: NDArray[Any]) -> NDArray[np.uint64]:
    """Give the check word of each record; no record of zeros is a good one."""
    words = records.view(np.uint64).reshape(len(records), 6)[:, :5]
    checks: NDArray[np.uint64] = (words * _WEIGHTS).sum(axis=1, dtype=np.uint64) ^ _SALT
    return checks


def _read_at(file: int, out: NDArray[Any], offset: int) -> bool:
    """Fill an array from a place in a file; give whether there was enough."""
    left = out.reshape(-1).view(np.uint8).data
    while left:
        got = os.preadv(file, [left], offset)
        if not got:
            return False
        left, offset = left[got:], offset + got
    return True


def _write_at(file: int, content: NDArray[Any], offset: int) -> None:
    left = content.reshape(-1).view(np.uint8).data
    while left:
        done = os.pwrite(file, left, offset)
        left, offset = left[done:], offset + done


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)


def _remove_outdated(folder: Path, prefix: str) -> None:
    """Remove what the same recipe left under other versions; it will not be read again."""
    pattern = re.compile(re.escape(prefix) + "[0-9a-f]{16}")
    for other in folder.parent.iterdir():
        if other != folder and pattern.fullmatch(other.name):
            shutil.rmtree(other, ignore_errors=True)


def _about(data_set: str, recipe: Preprocessing, versions: str) -> bytes:
    return json.dumps(
        {
            "data_set": data_set,
            "preprocessing": recipe.key,
            "steps": recipe.steps,
            "sample_shape": recipe.sample_shape,
            "dtype": recipe.dtype,
            "versions": versions,
        },
        indent=2,
    ).encode()


def _safe(name: str) -> str:
    """Give a name that is safe as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".") or "data"
