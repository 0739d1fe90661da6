"""Fetching: downloads that go on where they stopped, and are checked before they count."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inferometer.workloads.protocol import WorkloadError

__all__ = ["MIRROR_VARIABLE", "Download", "Progress", "download", "mirrored"]

MIRROR_VARIABLE = "INFEROMETER_MIRROR"

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes in all, ``None`` if not known."""

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 60.0
_ATTEMPTS = 5
_FIRST_WAIT_S = 1.0
_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_CUT_OFF = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Download:
    """What is fetched, to where, and the checksums that it has to have, empty if unknown."""

    url: str
    path: Path
    md5: str = ""
    sha256: str = ""


class _DamagedError(WorkloadError):
    """The content has another checksum than published."""


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not from https to anything less."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise WorkloadError(f"{req.full_url} redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def mirrored(url: str) -> str:
    """Give the address to fetch from: scheme and host replaced by ``$INFEROMETER_MIRROR``."""
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    if mirror:
        parts = urllib.parse.urlsplit(url)
        url = mirror.rstrip("/") + urllib.parse.urlunsplit(("", "", *parts[2:]))
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise WorkloadError(f"{url}: only http and https can be fetched; mind ${MIRROR_VARIABLE}")
    return url


def download(
    wanted: Download,
    progress: Progress | None = None,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch a file; give its sha256.

    What has come is kept in ``NAME.part``; a further call goes on from there if the server
    says that the file is the same. The file gets its name only when it is whole and its
    checksums are right. Cut-off connections and passing errors of the server are tried
    again, five times without progress, with growing pauses. Proxies are taken from the
    environment. Raises `WorkloadError`.
    """
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    part = wanted.path.with_name(wanted.path.name + ".part")
    try:
        with _locked(part) as file:
            sha256 = _brought(wanted, part, file, progress, wait)
            file.flush()
            os.fsync(file.fileno())
            part.replace(wanted.path)
            _note_path(part).unlink(missing_ok=True)
            return sha256
    except OSError as error:
        raise _disk_error(wanted.path, error) from error


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Open the part for this process alone."""
    with part.open("ab+", buffering=0) as raw:
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkloadError(f"{part} is being fetched by another process") from None
        yield raw


def _brought(
    wanted: Download,
    part: Path,
    file: BinaryIO,
    progress: Progress | None,
    wait: Callable[[float], None],
) -> str:
    """Bring the whole content and check it; from scratch, if it went on and came out wrong."""
    resumed = file.seek(0, os.SEEK_END) > 0
    _transfer(wanted, part, file, progress, wait)
    try:
        return _verified(wanted, file)
    except _DamagedError:
        # What an earlier call had left may be what is wrong.
        _empty(part, file)
        if not resumed:
            part.unlink()
            raise
    return _brought(wanted, part, file, progress, wait)


def _transfer(
    wanted: Download,
    part: Path,
    file: BinaryIO,
    progress: Progress | None,
    wait: Callable[[float], None],
) -> None:
    """Bring the part to its full length, in as many goes as it takes."""
    url = mirrored(wanted.url)
    failures, pause_s = 0, _FIRST_WAIT_S
    while True:
        before = file.seek(0, os.SEEK_END)
        try:
            _go_on(url, part, file, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                _empty(part, file)
            elif error.code not in _PASSING_STATUS:
                raise WorkloadError(
                    f"{url}: the server answers {error.code} {error.reason}; {_remedy(wanted)}"
                ) from None
            reason = f"{error.code} {error.reason}"
        except _CUT_OFF as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG):
                raise
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        else:
            return
        if file.seek(0, os.SEEK_END) > before:
            failures, pause_s = 0, _FIRST_WAIT_S
        failures += 1
        if failures >= _ATTEMPTS:
            raise WorkloadError(f"{url}: can't be fetched ({reason}); {_remedy(wanted)}")
        wait(pause_s)
        pause_s *= 2


def _go_on(url: str, part: Path, file: BinaryIO, progress: Progress | None) -> None:
    """Ask for what is missing and append it; raise if the connection ends too early."""
    here = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"User-Agent": "inferometer"})  # noqa: S310
    validator = _read_note(part, url) if here else ""
    if here and not validator:
        _empty(part, file)
        here = 0
    elif here:
        request.add_header("Range", f"bytes={here}-")
        request.add_header("If-Range", validator)
    opener = urllib.request.build_opener(_SecureRedirects)
    with opener.open(request, timeout=_TIMEOUT_S) as answer:
        if here and not _continues(answer, here):
            _empty(part, file)
            here = 0
        _write_note(part, url, answer.headers)
        length = answer.headers.get("Content-Length")
        total = None if length is None else here + int(length)
        while chunk := answer.read(_CHUNK_BYTES):
            _append(file, chunk)
            here += len(chunk)
            if progress is not None:
                progress(here, total)
        if total is not None and here < total:
            raise http.client.IncompleteRead(b"", total - here)


def _append(file: BinaryIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _continues(answer: Any, here: int) -> bool:
    """Tell whether the answer begins at the byte that was asked for."""
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    is_part = answer.status == http.HTTPStatus.PARTIAL_CONTENT
    return is_part and found is not None and int(found[1]) == here


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_note(part: Path, url: str) -> str:
    """Give what the server called the content of a part; empty if that isn't known."""
    try:
        note = json.loads(_note_path(part).read_text("utf-8"))
        return str(note["validator"]) if note["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _write_note(part: Path, url: str, headers: Any) -> None:
    tag = headers.get("ETag") or ""
    # A weak tag stands for content that is alike, not for the same bytes.
    validator = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified") or ""
    _note_path(part).write_text(json.dumps({"url": url, "validator": validator}), "utf-8")


def _empty(part: Path, file: BinaryIO) -> None:
    file.truncate(0)
    _note_path(part).unlink(missing_ok=True)


def _verified(wanted: Download, file: BinaryIO) -> str:
    """Check the published checksums; give the sha256."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        md5.update(chunk)
        sha256.update(chunk)
    for name, expected, found in (("md5", wanted.md5, md5), ("sha256", wanted.sha256, sha256)):
        if expected and found.hexdigest() != expected:
            raise _DamagedError(
                f"{wanted.url}: what came has the {name} {found.hexdigest()}, and {expected} was "
                "expected; the file was changed or damaged, and is not kept"
            )
    return sha256.hexdigest()


def _remedy(wanted: Download) -> str:
    return (
        f"try again later (what came is kept), get it by hand and put it at {wanted.path}, or set "
        f"${MIRROR_VARIABLE} to a server that has it"
    )


def _disk_error(path: Path, error: OSError) -> WorkloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        free = shutil.disk_usage(path.parent).free
        return WorkloadError(
            f"{path}: no room on the disk ({free / 1e6:.0f} MB free): {error.strerror}; make room "
            "and fetch again, what came is kept; or set $INFEROMETER_HOME to another disk"
        )
    return WorkloadError(f"{path}: {error.strerror or error}")
