"""Verifying: whether the files of an entry are here, whole, and the published ones."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inferometer.loadgen.atomic_file import write_atomically
from inferometer.workloads.catalogue.entry import Entry, Member, PublishedFile
from inferometer.workloads.protocol import WorkloadError

__all__ = ["FileState", "State", "is_present", "note_fetched", "verify"]

_RECORD = "fetched.json"


class State(enum.Enum):
    """How a file stands. Unverified: no checksum was ever published, nor noted by us."""

    HERE = "here"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class FileState:
    """A file on disk, or a set of them, with what was found and what mends it."""

    name: str
    path: Path
    state: State
    seen: str = ""
    remedy: str = ""


def verify(
    entry: Entry, files: list[PublishedFile], folder: Path | None = None, *, quick: bool = False
) -> list[FileState]:
    """Give the state of each file that these published files bring, in its folder or another.

    Checksums are the published ones, or those noted when the file was fetched. With
    ``quick`` none are computed, and a file that is there counts as here.
    """
    folder = folder or entry.folder
    noted = {} if quick else _read_record(folder)
    return [
        _with_remedy(entry, file, folder, state)
        for file in files
        for state in _states(folder, file, noted, quick=quick)
    ]


def is_present(entry: Entry, file: PublishedFile) -> bool:
    """Tell whether all that a published file brings is on disk, without reading it."""
    states = _states(entry.folder, file, {}, quick=True)
    return all(state.state is not State.MISSING for state in states)


def note_fetched(folder: Path, sha256: Mapping[str, str]) -> None:
    """Note the checksums of files as they came, by name below the folder."""
    record = _read_record(folder) | dict(sha256)
    text = json.dumps(dict(sorted(record.items())), indent=2) + "\n"
    write_atomically(folder / _RECORD, text.encode("utf-8"))


def _read_record(folder: Path) -> dict[str, str]:
    path = folder / _RECORD
    try:
        record: dict[str, str] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WorkloadError(f"{path}: damaged ({error}); delete it") from error
    return record


def _states(
    folder: Path, file: PublishedFile, noted: Mapping[str, str], *, quick: bool
) -> Iterator[FileState]:
    if not file.members:
        expected = {"md5": file.md5, "sha256": file.sha256 or noted.get(file.name, "")}
        yield _state_of(folder, file.name, expected, quick=quick)
    for member in file.members:
        if member.glob:
            yield _state_of_many(folder, member)
        else:
            expected = {"md5": member.md5, "sha256": noted.get(member.name, "")}
            yield _state_of(folder, member.name, expected, quick=quick)


def _state_of(folder: Path, name: str, expected: Mapping[str, str], *, quick: bool) -> FileState:
    path = folder / name
    if not path.is_file():
        return FileState(name, path, State.MISSING)
    if quick:
        return FileState(name, path, State.HERE)
    kinds = [kind for kind, digest in expected.items() if digest]
    if not kinds:
        return FileState(name, path, State.UNVERIFIED, "no checksum is published")
    for kind in kinds:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, kind).hexdigest()
        if found != expected[kind]:
            seen = f"its {kind} is {found}, and {expected[kind]} was expected"
            return FileState(name, path, State.DAMAGED, seen)
    return FileState(name, path, State.HERE, f"{' and '.join(kinds)} as expected")


def _state_of_many(folder: Path, member: Member) -> FileState:
    """Count the files of a pattern; empty ones are damaged."""
    paths = list(folder.glob(member.glob))
    empty = sum(not path.stat().st_size for path in paths)
    seen = f"{len(paths):,} of {member.count:,} files"
    state = State.HERE
    if empty:
        state, seen = State.DAMAGED, f"{seen}, {empty:,} of them empty"
    elif len(paths) > member.count:
        state = State.DAMAGED
    elif len(paths) < member.count:
        state = State.MISSING
    return FileState(member.glob, folder / member.glob, state, seen)


def _with_remedy(entry: Entry, file: PublishedFile, folder: Path, found: FileState) -> FileState:
    if found.state not in (State.MISSING, State.DAMAGED):
        return found
    command = f"inferometer fetch {entry.name}"
    if file.manual:
        remedy = f"{file.manual}; put {file.name} into {folder}, then: {command}"
    elif entry.profiles:
        users = [p for p in entry.profiles if p.file in (file.name, *file.targets)]
        is_default = any(p.name == entry.default_profile for p in users)
        suffix = "" if is_default else f" --profile {users[0].name}" if users else " --all"
        remedy = command + suffix
    else:
        remedy = command
    return FileState(found.name, found.path, found.state, found.seen, remedy)
