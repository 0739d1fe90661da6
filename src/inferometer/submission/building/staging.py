"""Staging: a tree is put together beside its place, and takes it in one step or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inferometer.submission.building.request import SubmissionError
from inferometer.submission.tree import Tree

__all__ = ["Stage", "staged"]

_LEFT_OUT = (".git", "__pycache__")


class Stage:
    """A folder to put files into; a file is never changed, only put in another's place."""

    def __init__(self, root: Path):
        self.root = root

    def path(self, *parts: str) -> Path:
        """Give a path below the root, with the folders above it made."""
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def has(self, *parts: str) -> bool:
        """Tell whether there is such a file or folder."""
        return os.path.lexists(self.root.joinpath(*parts))

    def folder(self, *parts: str) -> Path:
        """Make a folder, and give it."""
        path = self.root.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, text: str, *parts: str) -> None:
        """Write a text file."""
        path = self.path(*parts)
        # Unlinked first: the old file may be shared with the tree that is in place.
        path.unlink(missing_ok=True)
        path.write_text(text, "utf-8", newline="\n")

    def remove(self, *parts: str) -> None:
        """Remove a folder or file, if it is there."""
        path = self.root.joinpath(*parts)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def copy_tree(self, tree: Tree, source: tuple[str, ...], *parts: str) -> int:
        """Copy the plain files of a folder; give how many there were.

        Raises `SubmissionError` if the tree holds a link or the like, which is never followed.
        """
        if tree.problems:
            problem = tree.problems[0]
            raise SubmissionError(f"{tree.root / problem.where}: {problem.why}; take it out")
        count = 0
        for name in tree.files(*source):
            with tree.open(*source, name) as file:
                target = self.path(*parts, name)
                target.unlink(missing_ok=True)
                with target.open("wb") as copy:
                    shutil.copyfileobj(file, copy)
            count += 1
        for name in tree.folders(*source):
            if name not in _LEFT_OUT:
                count += self.copy_tree(tree, (*source, name), *parts, name)
        return count


@contextlib.contextmanager
def staged(place: Path) -> Iterator[Stage]:
    """Give a stage that holds what the tree holds already; put it in place at the end.

    If anything is raised meanwhile, the tree stays as it was and the stage goes.
    """
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise SubmissionError(f"{place} is not a folder; choose another --into")
    parent = place.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=parent))
    try:
        made = work / "new"
        if place.is_dir():
            shutil.copytree(place, made, symlinks=True, copy_function=_share)
        else:
            made.mkdir()
        yield Stage(made)
        _put(made, place, work / "old")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _share(source: str, target: str) -> str:
    """Make a file appear in both places, without copying it where the disk can do that."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _put(made: Path, place: Path, old: Path) -> None:
    """Put a finished folder in the place of another; put that back if it doesn't work."""
    if not place.exists():
        made.rename(place)
        return
    place.rename(old)
    try:
        made.rename(place)
    except OSError:
        old.rename(place)
        raise
