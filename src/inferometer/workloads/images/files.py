"""Files: those that a list names have to be there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inferometer.workloads.protocol import WorkloadError

__all__ = ["check_files", "some_of"]

_NAMED = 5


def check_files(source: Path, paths: Sequence[Path]) -> None:
    """Raise `WorkloadError` that counts and names the files of a list that are missing."""
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise WorkloadError(
            f"{source}: {len(missing)} of the {len(paths)} files that it lists are missing: "
            f"{some_of(missing)}; put them there, or take them off the list"
        )


def some_of(names: Sequence[str]) -> str:
    """Name the first few, for an error."""
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
