"""Tree: a folder that somebody else made, read without trusting anything in it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inferometer.loadgen import InferometerError

__all__ = ["SMALL_FILE_BYTES", "Tree", "TreeError", "TreeProblem", "shown"]

SMALL_FILE_BYTES = 16 << 20
"""Largest file that is read whole: summaries, descriptions, configurations."""

_MOST_ENTRIES = 1_000_000
_DEEPEST = 32
_DEEPEST_JSON = 64
_LARGEST_JSON_BYTES = 1 << 20
_LONGEST_SHOWN = 200


class TreeError(InferometerError):
    """A file of a tree can't be read; the message names it, and says what to do."""


@dataclass(frozen=True)
class TreeProblem:
    """Something in a tree that is left alone: ``where`` it is, below the root, and why."""

    where: str
    why: str


class Tree:
    """Folders and files below a root.

    Links, pipes, devices and names that aren't plain text are never opened or followed, only
    told as `problems`. Nothing outside the root can be reached. Paths are given in parts, and
    shown relative to the root, harmless to a terminal.

    Raises `TreeError` if the root is no folder, is empty, or holds more than a million entries.
    """

    def __init__(self, root: Path):
        self.root = root
        self.problems: list[TreeProblem] = []
        self._folders: dict[tuple[str, ...], list[str]] = {}
        self._files: dict[tuple[str, ...], dict[str, int]] = {}
        if not root.is_dir():
            raise TreeError(f"{root} is not a folder; name the one that holds closed/ or open/")
        self._count = 0
        self._walk((), root)
        if not self._count:
            raise TreeError(f"{root} is empty: there is nothing to check")

    def folders(self, *parts: str) -> list[str]:
        """Give the names of the folders in a folder, sorted; none if there is no such folder."""
        return self._folders.get(parts, [])

    def files(self, *parts: str) -> list[str]:
        """Give the names of the files in a folder, sorted; none if there is no such folder."""
        return list(self._files.get(parts, {}))

    def has_folder(self, *parts: str) -> bool:
        """Tell whether there is such a folder."""
        return parts in self._folders

    def has_file(self, *parts: str) -> bool:
        """Tell whether there is such a file."""
        return bool(parts) and parts[-1] in self._files.get(parts[:-1], {})

    def size_bytes(self, *parts: str) -> int:
        """Give the size of a file; 0 if there is none."""
        return self._files.get(parts[:-1], {}).get(parts[-1], 0) if parts else 0

    def path(self, *parts: str) -> Path:
        """Give where a file or folder of the tree is; raise `TreeError` if it isn't in it."""
        if not (self.has_folder(*parts) or self.has_file(*parts)):
            raise TreeError(f"{shown('/'.join(parts))}: there is no such file")
        return self.root.joinpath(*parts)

    def open(self, *parts: str) -> BinaryIO:
        """Open a file for reading, without following a link that took its place meanwhile."""
        path = self.path(*parts)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise TreeError(f"{shown('/'.join(parts))}: not a plain file any more")
            return os.fdopen(descriptor, "rb")
        except OSError as error:
            raise TreeError(f"{shown('/'.join(parts))}: {error.strerror or error}") from error

    def text(self, *parts: str, most_bytes: int = SMALL_FILE_BYTES) -> str:
        """Read a small file as UTF-8, what isn't such replaced.

        Raises `TreeError` if it isn't there, or is larger than ``most_bytes``.
        """
        with self.open(*parts) as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise TreeError(
                f"{shown('/'.join(parts))}: larger than {most_bytes / 2**20:g} MiB, which no file "
                "of this kind is"
            )
        return content.decode("utf-8-sig", "replace")

    def json(self, *parts: str, most_bytes: int = _LARGEST_JSON_BYTES) -> Any:
        """Read a small JSON file; raise `TreeError` saying where it is damaged.

        Names that stand twice, NaN, Infinity and other text than UTF-8 are damage too.
        """
        where = shown("/".join(parts))
        text = self.text(*parts, most_bytes=most_bytes)
        if "\ufffd" in text:
            raise TreeError(f"{where}: not UTF-8 text; write it in that encoding")
        if _depth(text) > _DEEPEST_JSON:
            raise TreeError(f"{where}: nested deeper than {_DEEPEST_JSON} levels")
        try:
            return json.loads(
                text, object_pairs_hook=_without_duplicates, parse_constant=_no_number
            )
        except (ValueError, RecursionError) as error:
            raise TreeError(f"{where}: not JSON: {shown(str(error))}") from error

    def _walk(self, parts: tuple[str, ...], folder: Path) -> None:
        self._folders[parts], self._files[parts] = [], {}
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._leave(parts, str(error.strerror or error))
            return
        for entry in entries:
            self._count += 1
            if self._count > _MOST_ENTRIES:
                raise TreeError(f"{self.root} holds more than {_MOST_ENTRIES:,} entries")
            try:
                self._take((*parts, entry.name), entry)
            except OSError as error:
                self._leave((*parts, entry.name), str(error.strerror or error))

    def _take(self, parts: tuple[str, ...], entry: os.DirEntry[str]) -> None:
        """Take in an entry of a folder, or say why it is left alone."""
        name = entry.name
        if not name.isprintable() or name.encode("utf-8", "replace").decode() != name:
            self._leave(parts, "its name isn't plain text")
        elif entry.is_symlink():
            self._leave(parts, "a link; a submission holds the files themselves")
        elif entry.is_dir(follow_symlinks=False):
            if len(parts) > _DEEPEST:
                self._leave(parts, f"deeper than {_DEEPEST} folders")
                return
            self._folders[parts[:-1]].append(name)
            self._walk(parts, Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            self._files[parts[:-1]][name] = entry.stat(follow_symlinks=False).st_size
        else:
            self._leave(parts, "neither a file nor a folder")

    def _leave(self, parts: tuple[str, ...], why: str) -> None:
        self.problems.append(TreeProblem(shown("/".join(parts)), why))


def shown(text: str) -> str:
    """Give text from a tree as it may be printed: no control characters, not too long."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    plain = "".join(one if one.isprintable() else repr(one)[1:-1] for one in plain)
    if len(plain) <= _LONGEST_SHOWN:
        return plain
    half = _LONGEST_SHOWN // 2
    return f"{plain[:half]}…{plain[-half:]}"


def _depth(text: str) -> int:
    """Give how deeply brackets nest, those in strings included: never less than what is.

    0 where there are too few to matter.
    """
    if text.count("[") + text.count("{") <= _DEEPEST_JSON:
        return 0
    depth = deepest = 0
    change: dict[str, int] = {"[": 1, "{": 1, "]": -1, "}": -1}
    for character in text:
        depth = max(0, depth + change.get(character, 0))
        deepest = max(deepest, depth)
    return deepest


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {shown(name)!r} stands twice")
        found[name] = value
    return found
