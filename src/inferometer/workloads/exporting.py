"""Exported models: an architecture with weights becomes an ONNX file, made once and kept."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.backends import ModelFile
from inferometer.workloads.images.checksums import file_sha256
from inferometer.workloads.places import exported_folder
from inferometer.workloads.protocol import WorkloadError

__all__ = ["Architecture", "exported_model", "need_torch"]

_INSTALL = "pip install 'inferometer[export]'"


@dataclass(frozen=True)
class Architecture:
    """How to make a module and trace it; nothing of PyTorch is imported before it is used.

    build:
        ``module:function`` of a function without arguments that gives the module.
    example_shape, example_dtype:
        Shape of the one input that it is traced with, and its dtype's name.
    version:
        Goes up whenever the architecture's code gives another graph.
    """

    name: str
    build: str
    example_shape: tuple[int, ...]
    inputs: Sequence[str]
    outputs: Sequence[str]
    dynamic: Mapping[str, Mapping[int, str]]
    example_dtype: str = "float32"
    version: int = 1


def exported_model(
    architecture: Architecture,
    *,
    seed: int | None = None,
    weights: Path | None = None,
    load: Callable[[Path, Any], None] | None = None,
) -> ModelFile:
    """Give the ONNX file of an architecture with random or published weights.

    With a ``seed`` the weights are random, the same for the same seed and PyTorch; else
    ``load`` puts those of the file ``weights`` into the module. The file is kept under
    `exported_folder` by what it was made of, so that it is made once. Raises
    `WorkloadError` if PyTorch or onnx is missing, or the weights don't fit.
    """
    torch = need_torch()
    source = f"seed{seed}" if weights is None else file_sha256(weights)[:16]
    key = f"{architecture.name}-{architecture.version}-{source}-torch{torch.__version__}"
    path = exported_folder() / f"{key.replace('+', '-')}.onnx"
    if not path.is_file():
        module = _module(torch, architecture, seed)
        if weights is not None and load is not None:
            load(weights, module)
        export = importlib.import_module("inferometer.workloads.models.export").export_onnx
        example = torch.zeros(
            architecture.example_shape, dtype=getattr(torch, architecture.example_dtype)
        )
        export(
            module,
            (example,),
            path,
            inputs=architecture.inputs,
            outputs=architecture.outputs,
            dynamic=architecture.dynamic,
        )
    return ModelFile(path, "onnx")


def _module(torch: Any, architecture: Architecture, seed: int | None) -> Any:
    """Build the module; the seed counts before its weights are drawn."""
    place, _, name = architecture.build.partition(":")
    build = getattr(importlib.import_module(place), name)
    with torch.random.fork_rng():
        torch.manual_seed(0 if seed is None else seed)
        return build().eval()


def need_torch() -> Any:
    """Give PyTorch; raise `WorkloadError` with the command that installs it and onnx."""
    try:
        import onnx  # noqa: F401, PLC0415
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise WorkloadError(
            f"making a model from its architecture needs PyTorch and onnx; install them with: "
            f"{_INSTALL}"
        ) from error
    return torch
