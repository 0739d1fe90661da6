"""ImageNet: the validation images in their published layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.workloads.classification.folder import Line, read_pairs
from inferometer.workloads.images.checksums import file_sha256
from inferometer.workloads.images.files import check_files
from inferometer.workloads.protocol import WorkloadError

__all__ = [
    "CLASS_COUNT",
    "PERFORMANCE_SAMPLE_COUNT",
    "SAMPLE_COUNT",
    "VAL_MAP",
    "ImageNet",
    "read_imagenet",
]

VAL_MAP = "val_map.txt"
SAMPLE_COUNT = 50_000
CLASS_COUNT = 1000
PERFORMANCE_SAMPLE_COUNT = 1024


@dataclass(frozen=True)
class ImageNet:
    """The images that are listed, in the order of the list, which is the library's.

    labels:
        int64 [images], 0 to 999.
    list_sha256:
        Of the whole list, which says what was measured.
    total:
        How many the list has; more than there are paths if only some were asked for.
    """

    root: Path
    paths: list[Path]
    labels: NDArray[np.int64]
    list_sha256: str
    total: int


def read_imagenet(root: Path, count: int | None = None) -> ImageNet:
    """Read the list ``val_map.txt`` of a folder: relative path and label, 0 to 999, a line.

    ``count`` takes only the first ones. Raises `WorkloadError` naming the line that can't
    be read. Unlike the published reference, which leaves out files that are missing and so
    gives other samples the indices of those behind, this is an error that names them.
    """
    path = root / VAL_MAP
    if not path.is_file():
        raise WorkloadError(
            f"{path}: there is no such list; it holds a relative path and a label, 0 to 999, a "
            "line for each validation image, and lies at the root of the images"
        )
    lines = read_pairs(path)
    labels = [_label(path, line) for line in lines]
    if count is not None and not 1 <= count <= len(lines):
        raise WorkloadError(f"{path} lists {len(lines)} images, and {count} were asked for")
    paths = [root / line.name for line in lines[:count]]
    check_files(path, paths)
    return ImageNet(
        root=root,
        paths=paths,
        labels=np.array(labels[:count], np.int64),
        list_sha256=file_sha256(path),
        total=len(lines),
    )


def _label(path: Path, line: Line) -> int:
    if not line.label.isdecimal() or int(line.label) >= CLASS_COUNT:
        raise WorkloadError(
            f"{path}, line {line.number}: {line.label!r} is no label from 0 to {CLASS_COUNT - 1}"
        )
    return int(line.label)
