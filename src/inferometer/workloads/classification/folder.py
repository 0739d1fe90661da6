"""Folder data: photos of one's own, in a folder a class, or with a list of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import nearest_name
from inferometer.workloads.images.files import check_files
from inferometer.workloads.protocol import WorkloadError

__all__ = ["IMAGE_SUFFIXES", "Line", "read_class_folders", "read_list", "read_pairs"]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Names of files that are taken for photos, in lower case."""

Labelled = tuple[list[Path], NDArray[np.int64], tuple[str, ...]]
"""Paths, their labels, int64 [n], and the names of the classes."""


def read_class_folders(folder: Path) -> Labelled:
    """Take each folder for a class and the photos in it, however deep, for its samples.

    Classes are in the order of their names, and so are the photos of a class; hidden files
    and files that are no photos are left out. Raises `WorkloadError` if a class has none.
    """
    try:
        classes = sorted(
            (entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != "."),
            key=lambda entry: entry.name,
        )
    except OSError as error:
        raise WorkloadError(f"{folder}: can't be read ({error.strerror}); give a folder") from error
    paths: list[Path] = []
    labels: list[int] = []
    for label, entry in enumerate(classes):
        found = sorted(path for path in entry.rglob("*") if _is_photo(path, entry))
        if not found:
            raise WorkloadError(
                f"{entry}: the class has no photos ({', '.join(sorted(IMAGE_SUFFIXES))}); add "
                "some, or remove the folder"
            )
        paths += found
        labels += [label] * len(found)
    if not classes:
        raise WorkloadError(
            f"{folder}: there is no folder in it; put the photos into one folder a class, or give "
            "a list of paths and labels"
        )
    return paths, np.array(labels, np.int64), tuple(entry.name for entry in classes)


def _is_photo(path: Path, below: Path) -> bool:
    parts = path.relative_to(below).parts
    is_hidden = any(part.startswith(".") for part in parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden and path.is_file()


def read_list(path: Path, root: Path | None = None, class_names: Sequence[str] = ()) -> Labelled:
    """Read a list of photos: path and label a line, separated by white space.

    Paths are relative to ``root``, which is the list's own folder unless given, and may hold
    spaces. Labels are numbers from 0, or names of classes. With ``class_names`` those are
    the names; without, they are the names in the list, sorted, or the numbers themselves.
    Raises `WorkloadError` naming the line that can't be read and the files that are missing.
    """
    lines = read_pairs(path)
    base = path.parent if root is None else root
    paths = [base / line.name for line in lines]
    labels, classes = _labels(path, lines, class_names)
    check_files(path, paths)
    return paths, labels, classes


@dataclass(frozen=True)
class Line:
    """A line of a list, with its number, from 1."""

    number: int
    name: str
    label: str


def read_pairs(path: Path) -> list[Line]:
    """Read a list of two columns; raise `WorkloadError` naming a line that hasn't two."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(
            f"{path}: can't be read as a list of paths and labels ({error})"
        ) from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.rsplit(maxsplit=1)
        if len(parts) == 1:
            raise WorkloadError(
                f"{path}, line {number}: {line!r} is no path with a label behind it"
            )
        if parts:
            found.append(Line(number, parts[0].strip(), parts[1]))
    if not found:
        raise WorkloadError(f"{path}: the list is empty; it holds a path and a label a line")
    return found


def _labels(
    path: Path, lines: list[Line], class_names: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    words = {line.label for line in lines}
    are_numbers = all(map(str.isdecimal, words)) and not words <= set(class_names)
    if are_numbers and not class_names:
        class_names = tuple(map(str, range(max(map(int, words)) + 1)))
    classes = tuple(class_names) or tuple(sorted(words))
    names = map(str, range(len(classes))) if are_numbers else classes
    numbers = {name: number for number, name in enumerate(names)}
    for line in lines:
        if _word(line, are_numbers) not in numbers:
            raise WorkloadError(
                f"{path}, line {line.number}: there is no class {line.label!r}"
                f"{nearest_name(line.label, numbers)}; there are {len(classes)}"
                + (", counted from 0" if are_numbers else "")
            )
    labels = [numbers[_word(line, are_numbers)] for line in lines]
    return np.array(labels, np.int64), classes


def _word(line: Line, is_number: bool) -> str:
    return str(int(line.label)) if is_number else line.label
