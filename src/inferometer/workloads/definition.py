"""Model definitions: an architecture in PyTorch with where its weights come from."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile, SourceModel, content_sha256
from inferometer.workloads.places import exported_folder
from inferometer.workloads.protocol import WorkloadError

__all__ = ["Architecture", "ModelDefinition", "Weights", "need_torch", "open_batch"]

_INSTALL = "pip install 'inferometer[export]'"
_EXAMPLE_BATCH = 2
_EXAMPLE_SEED = 1


@dataclass(frozen=True)
class Architecture:
    """How to make a module; nothing of PyTorch is imported before it is used.

    build:
        ``module:function`` of a function that makes the module from ``arguments``.
    example_shape, example_dtype:
        Shape of the one input of a sample, without the batch axis, and its dtype's name.
    layout:
        How its photos lie: ``NCHW`` or ``NHWC``; empty where the input is no photo.
    part:
        Name of the submodule that this is, once the weights are in; empty for the whole.
    examples:
        ``module:function`` that makes the inputs from ``arguments``, where there are several.
    version:
        Goes up whenever the architecture's code gives another graph.
    """

    name: str
    build: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dynamic: Mapping[str, Mapping[int, str]]
    example_shape: tuple[int, ...] = ()
    example_dtype: str = "float32"
    layout: str = "NCHW"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""
    examples: str = ""
    version: int = 1

    def example_inputs(self) -> dict[str, NDArray[Any]]:
        """Give inputs by name, a batch of two samples: seeded noise."""
        if self.examples:
            made: dict[str, NDArray[Any]] = _named(self.examples)(self.arguments)
            return made
        random = np.random.default_rng(_EXAMPLE_SEED)
        shape = (_EXAMPLE_BATCH, *self.example_shape)
        dtype = np.dtype(self.example_dtype)
        if dtype.kind == "f":
            return {self.inputs[0]: random.uniform(-1, 1, shape).astype(dtype)}
        return {self.inputs[0]: random.integers(0, 256, shape).astype(dtype)}


@dataclass(frozen=True)
class Weights:
    """Where weights come from: a seed, or files with what puts them into the module.

    The module that ``load`` gets is what the architecture builds, the whole of it.
    """

    seed: int | None = None
    paths: tuple[Path, ...] = ()
    load: Callable[[tuple[Path, ...], Any], None] | None = None

    def key(self) -> str:
        """Give what tells these weights from others: the seed, or the hash of the files."""
        if not self.paths:
            return f"seed{self.seed}"
        hashes = "".join(content_sha256(path) for path in self.paths)
        return hashlib.sha256(hashes.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ModelDefinition:
    """One model, or part of one, as PyTorch defines it, from which every format is made.

    packaged:
        The ONNX file of the same model in its own layout, where there is one already.
    layout:
        How photos lie that it takes; the architecture's own unless changed by `in_layout`.
    """

    architecture: Architecture
    weights: Weights
    packaged: ModelFile | None = None
    layout: str = ""

    def in_layout(self, layout: str) -> ModelDefinition:
        """Give the same model for photos in another layout; others stay as they are."""
        own = self.architecture.layout
        return replace(self, layout=layout if own == "NCHW" and layout != own else "")

    @property
    def name(self) -> str:
        """Name for files and messages."""
        return self.architecture.name

    def key(self) -> str:
        """Give what decides the content of the model, for names of files made from it."""
        architecture = self.architecture
        torch = need_torch()
        layout = f"-{self.layout.lower()}" if self.layout else ""
        parts = (
            f"{architecture.name}{layout}",
            architecture.version,
            self.weights.key(),
            f"torch{torch.__version__}",
        )
        return "-".join(map(str, parts)).replace("+", "-")

    def module(self) -> Any:
        """Build the module with its weights, in evaluation mode.

        Raises `WorkloadError` if PyTorch or onnx is missing, or the weights don't fit.
        """
        torch = need_torch()
        architecture, seed = self.architecture, self.weights.seed
        with torch.random.fork_rng():
            # The seed counts before the weights are drawn.
            torch.manual_seed(0 if seed is None else seed)
            whole = _named(architecture.build)(**architecture.arguments)
        if self.weights.load is not None:
            self.weights.load(self.weights.paths, whole)
        module = whole.get_submodule(architecture.part) if architecture.part else whole
        if self.layout == "NHWC":
            module = _named("inferometer.workloads.models.layout:ChannelsLast")(module)
        return module.eval()

    def examples(self) -> dict[str, NDArray[Any]]:
        """Give inputs by name, a batch of two samples, in the layout."""
        made = self.architecture.example_inputs()
        if self.layout != "NHWC":
            return made
        return {name: np.moveaxis(array, 1, -1).copy() for name, array in made.items()}

    def onnx(self, module: Any = None) -> ModelFile:
        """Give the model as ONNX: the packaged file, or one that is made once and kept."""
        if self.packaged is not None and not self.layout:
            return self.packaged
        path = exported_folder() / f"{self.key()}.onnx"
        if not path.is_file():
            self.write_onnx(self.module() if module is None else module, path)
        return ModelFile(path, "onnx")

    def write_onnx(self, module: Any, path: Path) -> None:
        """Write a module that `module` gave as one ONNX file."""
        torch = need_torch()
        architecture = self.architecture
        examples = [torch.from_numpy(array) for array in self.examples().values()]
        _named("inferometer.workloads.models.export:export_onnx")(
            module,
            tuple(examples),
            path,
            inputs=architecture.inputs,
            outputs=architecture.outputs,
            dynamic=architecture.dynamic,
        )

    def source(self) -> SourceModel:
        """Give module, ONNX file and examples together, for a backend to write its format."""
        module = self.module()
        return SourceModel(
            name=self.name,
            module=module,
            onnx=self.onnx(module).path,
            input_names=self.architecture.inputs,
            output_names=self.architecture.outputs,
            examples=self.examples(),
            dynamic=self.architecture.dynamic,
        )


def open_batch(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Leave the batch axis of each of these inputs and outputs open."""
    return {name: {0: "N"} for name in names}


def _named(place: str) -> Any:
    """Import what ``module:name`` says."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def need_torch() -> Any:
    """Give PyTorch; raise `WorkloadError` with the command that installs it and onnx."""
    try:
        importlib.import_module("onnx")
        return importlib.import_module("torch")
    except ImportError as error:
        raise WorkloadError(
            f"making a model from its architecture needs PyTorch and onnx; install them with: "
            f"{_INSTALL}"
        ) from error
