"""Calibration lists: the samples that quantisation may look at, as the rounds publish them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.workloads.images.files import some_of
from inferometer.workloads.protocol import WorkloadError

__all__ = [
    "OFFICIAL_LISTS",
    "CalibrationList",
    "OfficialList",
    "check_choice",
    "outside",
    "read_calibration_list",
]

IMAGENET, COCO, TRANSLATION = "imagenet", "coco-2017", "wmt16"


@dataclass(frozen=True)
class OfficialList:
    """A published list.

    md5:
        Of the file, hexadecimal; where only the beginning is on record, that.
    entries:
        How many samples it names; ``None`` where that isn't on record.
    """

    name: str
    data_set: str
    md5: str
    entries: int | None


OFFICIAL_LISTS = (
    OfficialList("ImageNet option 1", IMAGENET, "f09719174af3553119e2c621157773a6", 500),
    OfficialList("ImageNet option 2", IMAGENET, "e44582af00e3b4fc3fac30efd6bdd05f", 500),
    OfficialList("COCO", COCO, "ba416be8989200db0c913f7b8203deda", 500),
    OfficialList("translation, plain text", TRANSLATION, "04e1ed76", None),
    OfficialList("translation, sub-words", TRANSLATION, "744afe12", None),
)
"""What the rounds publish. Source: the ``calibration`` folder of MLPerf Inference.

ImageNet's are validation images and COCO's are training images.
"""


@dataclass(frozen=True)
class CalibrationList:
    """A list of calibration samples.

    names:
        File names, or whole sentences, in order.
    labels:
        Class of each, where the list gives it; else empty.
    official:
        The published list that this file is, byte for byte; ``None`` if it is another.
    names_sha256:
        Of the names, each with a line feed: what a quantised model's record holds.
    """

    path: Path
    names: tuple[str, ...]
    labels: tuple[int, ...]
    official: OfficialList | None
    md5: str
    names_sha256: str

    @property
    def description(self) -> str:
        """Say which list it is, for records and reports."""
        which = f"the official list {self.official.name}" if self.official else "no official list"
        return f"{self.path.name}: {len(self.names)} samples, {which}"

    def resolve(self, *folders: Path) -> list[Path]:
        """Give the files of the names, each in the first of the folders that has it.

        Raises `WorkloadError` that counts and names those that none has.
        """
        found = [_first(name, folders) for name in self.names]
        missing = [name for name, path in zip(self.names, found, strict=True) if path is None]
        if missing:
            where = ", ".join(map(str, folders))
            raise WorkloadError(
                f"{self.path}: {len(missing)} of its {len(self.names)} files are not in {where}: "
                f"{some_of(missing)}; give the folder that holds them"
            )
        return [path for path in found if path is not None]


def read_calibration_list(path: Path, *, sentences: bool = False) -> CalibrationList:
    """Read a list: a file name a line, a name and a class a line, or a sentence a line.

    ``sentences`` takes lines as they are; the published lists of sentences are known without.
    Raises `WorkloadError` naming the line that can't be read or is there twice.
    """
    try:
        content = path.read_bytes()
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkloadError(f"{path}: can't be read as a calibration list ({error})") from error
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    official = next((one for one in OFFICIAL_LISTS if md5.startswith(one.md5)), None)
    # Only line feeds end a line: sentences may hold other signs that Python splits at.
    lines = text.removesuffix("\n").split("\n") if text else []
    names, labels = lines, tuple[int, ...]()
    if not sentences and (official is None or official.data_set != TRANSLATION):
        names, labels = _columns(path, lines)
    if not names:
        raise WorkloadError(f"{path}: the list is empty")
    joined = "".join(f"{name}\n" for name in names)
    digest = hashlib.sha256(joined.encode()).hexdigest()
    return CalibrationList(path, tuple(names), labels, official, md5, digest)


def _columns(path: Path, lines: list[str]) -> tuple[list[str], tuple[int, ...]]:
    names: list[str] = []
    labels: list[int] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts:
            continue
        has_label = len(parts) == 2 and parts[1].isdecimal()
        if not (len(parts) == 1 or has_label) or (names and has_label != bool(labels)):
            raise WorkloadError(
                f"{path}, line {number}: {line!r} is no file name, or no name with a class where "
                "the lines before had one"
            )
        if parts[0] in seen:
            raise WorkloadError(f"{path}, line {number}: {parts[0]} is on the list twice")
        seen.add(parts[0])
        names.append(parts[0])
        if has_label:
            labels.append(int(parts[1]))
    return names, tuple(labels)


def check_choice(lists: Iterable[CalibrationList]) -> None:
    """Raise `WorkloadError` if a model was calibrated with both ImageNet options.

    Source: the rounds' rules, which allow at most one of the two.
    """
    official = [one.official for one in lists if one.official is not None]
    used = sorted({one.name for one in official if one.data_set == IMAGENET})
    if len(used) > 1:
        raise WorkloadError(
            f"calibration used {' and '.join(used)}; the rules allow at most one of them"
        )


def outside(used: Sequence[str], official: CalibrationList) -> list[str]:
    """Give which of the names that were used are not on a list; rules want none."""
    allowed = set(official.names)
    return [name for name in used if name not in allowed]


def _first(name: str, folders: Sequence[Path]) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)
