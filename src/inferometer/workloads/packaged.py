"""Packaged files: the data and models that come with the package."""

from __future__ import annotations

import importlib
from importlib import resources
from pathlib import Path
from typing import Any

from inferometer.backends import ModelFile
from inferometer.workloads.definition import Architecture, ModelDefinition, Weights
from inferometer.workloads.protocol import WorkloadError, WorkloadOptions

__all__ = ["check_packaged", "data_file", "packaged_definition"]


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


def packaged_definition(
    architecture: Architecture, *packaged: ModelFile, load: str, own: ModelFile
) -> ModelDefinition:
    """Give the definition of a packaged model, whose weights are read back from ONNX.

    ``packaged`` are the files with the weights, ``load`` names the function,
    ``module:function``, that puts them into the module, and ``own`` is the file that is this
    part of the model.
    """

    def put(paths: tuple[Path, ...], module: Any) -> None:
        place, _, name = load.partition(":")
        getattr(importlib.import_module(place), name)(paths, module)

    weights = Weights(paths=tuple(file.path for file in packaged), load=put)
    return ModelDefinition(architecture, weights, own)
