"""Packaged files: the data and models that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from inferometer.workloads.protocol import WorkloadError, WorkloadOptions

__all__ = ["check_packaged", "data_file"]


def data_file(name: str) -> Path:
    """Give the path of a packaged file; raise `WorkloadError` if it is missing."""
    path = Path(str(resources.files("inferometer.workloads").joinpath("data", name)))
    if not path.is_file():
        raise WorkloadError(f"{path} is missing; install the package again, with its data files")
    return path


def check_packaged(workload: str, options: WorkloadOptions, formats: tuple[str, ...]) -> None:
    """Raise `WorkloadError` for what a packaged model, fp32 and ONNX, can't be."""
    if options.weights != "published" or options.number_format != "fp32":
        raise WorkloadError(
            f"{workload} comes with its trained fp32 weights only; weights is "
            f"{options.weights!r} and the number format {options.number_format!r}"
        )
    if "onnx" not in formats:
        raise WorkloadError(f"{workload} comes as ONNX, and the backend reads {', '.join(formats)}")
