"""Packaged files: the data and models that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from inferometer.workloads.protocol import WorkloadError

__all__ = ["data_file"]


def data_file(name: str) -> Path:
    """Give the path of a packaged file; raise `WorkloadError` if it is missing."""
    path = Path(str(resources.files("inferometer.workloads").joinpath("data", name)))
    if not path.is_file():
        raise WorkloadError(f"{path} is missing; install the package again, with its data files")
    return path
