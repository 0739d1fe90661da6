"""Code: the folder that a submitter publishes with the results."""

from __future__ import annotations

import hashlib
from pathlib import Path

from inferometer.submission.building.request import SubmissionError
from inferometer.submission.building.staging import Stage
from inferometer.submission.tree import Tree

__all__ = ["CodeFolder"]


class CodeFolder:
    """A folder of code; links in it are refused, version control and caches left out."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._tree = Tree(folder)

    def put(self, stage: Stage, target: tuple[str, ...], *, replace: bool) -> None:
        """Copy the code into a tree.

        Raises `SubmissionError` if there is other code already, which earlier results ran.
        """
        before = _digest(stage.root.joinpath(*target)) if stage.has(*target) else None
        if before is not None:
            stage.remove(*target)
        count = stage.copy_tree(self._tree, (), *target)
        if not count:
            raise SubmissionError(f"{self._folder} holds no file; give the folder of the code")
        if before not in (None, _digest(stage.root.joinpath(*target))) and not replace:
            raise SubmissionError(
                f"{'/'.join(target)} in the tree holds other code; give this one a name of its own "
                "with --implementation, or use --replace"
            )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()
