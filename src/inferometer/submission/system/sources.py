"""Sources: where facts of a machine are read from; both can be put in place by tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["Sources", "output_of"]

_COMMAND_LIMIT_S = 20


def output_of(command: Sequence[str]) -> str:
    """Give what a command prints; empty if it isn't there, fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603
            list(command), capture_output=True, check=True, timeout=_COMMAND_LIMIT_S
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


class Sources:
    """Files below a root, such as ``proc/cpuinfo``, and commands that tell about hardware.

    What isn't there, or may not be read, is empty.
    """

    def __init__(self, root: Path = Path("/"), command: Callable[[Sequence[str]], str] = output_of):
        self._root = root
        self.command = command

    def text(self, path: str) -> str:
        """Give the text of a file without the blanks and zeros around it."""
        return self.data(path).decode("utf-8", "replace").strip(" \t\r\n\0")

    def data(self, path: str) -> bytes:
        """Give the content of a file."""
        try:
            return (self._root / path).read_bytes()
        except OSError:
            return b""

    def names(self, path: str) -> list[str]:
        """Give the names of what is in a folder, sorted."""
        try:
            return sorted(entry.name for entry in (self._root / path).iterdir())
        except OSError:
            return []

    def has(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        try:
            return (self._root / path).exists()
        except OSError:
            return False

    def link_name(self, path: str) -> str:
        """Give the last name of what a link points to, such as that of a driver."""
        try:
            return (self._root / path).readlink().name
        except OSError:
            return ""

    def number(self, path: str) -> int | None:
        """Give the whole number in a file; ``None`` if there is none."""
        try:
            return int(self.text(path))
        except ValueError:
            return None
