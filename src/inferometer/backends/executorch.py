"""ExecuTorch with XNNPACK on the CPU: a backend in one file."""

from __future__ import annotations

import importlib
import json
import logging
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import imported, installed_version
from inferometer.backends.model_file import checked_path
from inferometer.backends.native_output import native_output_dropped
from inferometer.backends.options import check_device, check_options
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    ModelFile,
    SourceModel,
    UnsupportedModelError,
)

__all__ = ["ExecuTorchBackend"]

_EXTRA = "executorch"
_DEVICES = ("cpu",)
_PARTITIONER = "executorch.backends.xnnpack.partition.xnnpack_partitioner"
_PROGRAM, _NAMES = "model.pte", "names.json"
_LARGEST_BATCH = 64
_BATCH = {0: "N"}


class ExecuTorchBackend:
    """Runs programs of ExecuTorch, lowered to XNNPACK where it can.

    Its format is a ``.pte`` file, or what `export` writes: a folder with the program and the
    names of its inputs and outputs. A call holds the method, so that calls of one model
    take turns.
    """

    name = "executorch"
    formats: tuple[str, ...] = ("pte",)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NCHW"
    own_format = "pte"

    def version(self) -> str:
        """Give the version of ExecuTorch."""
        return installed_version("ExecuTorch", ("executorch",), _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give the one device."""
        self.version()
        return _DEVICES

    def check(self, options: BackendOptions) -> None:
        """Look at the precision and the device; there are no options besides."""
        check_options(self, options, ())
        check_device(self, options.device, _DEVICES)

    def load(self, model: ModelFile, options: BackendOptions) -> ExecuTorchSession:
        """Load a program."""
        with warnings.catch_warnings():
            # As it is imported, it says that its interface may change.
            warnings.simplefilter("ignore")
            runtime = imported("executorch.runtime", "ExecuTorch", _EXTRA)
        self.check(options)
        path = checked_path(model, self.formats, self.name)
        file = path / _PROGRAM if path.is_dir() else path
        try:
            program = runtime.Runtime.get().load_program(file.read_bytes())
            method = program.load_method("forward")
        except (RuntimeError, OSError) as error:
            raise BackendError(f"{path}: ExecuTorch can't load it: {error}") from error
        names = {}
        if (path / _NAMES).is_file():
            names = json.loads((path / _NAMES).read_text("utf-8"))
        return ExecuTorchSession(program, method, names, self.version())

    def export_versions(self) -> Mapping[str, str]:
        """Give the version of ExecuTorch."""
        return {"executorch": self.version()}

    def export(self, source: SourceModel, path: Path) -> None:
        """Lower the module to XNNPACK, for batches up to 64."""
        torch = imported("torch", "ExecuTorch", _EXTRA)
        shapes = tuple(_open_batch(torch, source, name) for name in source.input_names)
        examples = tuple(torch.from_numpy(array) for array in source.examples.values())
        with warnings.catch_warnings(), native_output_dropped(), _logging_off():
            # Its converters warn about their own parts.
            warnings.simplefilter("ignore")
            partition = imported(_PARTITIONER, "ExecuTorch", _EXTRA)
            exir = imported("executorch.exir", "ExecuTorch", _EXTRA)
            program = torch.export.export(source.module, examples, dynamic_shapes=shapes)
            lowered = exir.to_edge_transform_and_lower(
                program, partitioner=[partition.XnnpackPartitioner()]
            ).to_executorch()
        path.mkdir()
        (path / _PROGRAM).write_bytes(lowered.buffer)
        names = {"inputs": source.input_names, "outputs": source.output_names}
        (path / _NAMES).write_text(json.dumps(names), "utf-8")


class ExecuTorchSession:
    """A loaded method; batches that are larger than it takes run in parts."""

    def __init__(self, program: Any, method: Any, names: Mapping[str, list[str]], version: str):
        self._torch = importlib.import_module("torch")
        self._program, self._method = program, method
        self._lock = threading.Lock()
        facts = method.metadata
        self.input_names = tuple(names.get("inputs") or _numbered("input", facts.num_inputs()))
        self.output_names = tuple(names.get("outputs") or _numbered("output", facts.num_outputs()))
        self._largest = int(facts.input_tensor_meta(0).sizes()[0])
        self.description: Mapping[str, Any] = {
            "framework": "ExecuTorch",
            "version": version,
            "device": "cpu",
            "precision": "fp32",
            "threads": "default",
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        arrays = [np.ascontiguousarray(inputs[name]) for name in self.input_names]
        parts = [
            self._part([array[start : start + self._largest] for array in arrays])
            for start in range(0, len(arrays[0]), self._largest)
        ]
        if len(parts) == 1:
            return parts[0]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def close(self) -> None:
        """Let the program go."""
        self._method = self._program = None

    def _part(self, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
        tensors = [self._torch.from_numpy(array) for array in arrays]
        with self._lock:
            # The next call writes into the same memory.
            return [output.numpy().copy() for output in self._method.execute(tensors)]


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word}_{number}" for number in range(count)]


def _open_batch(torch: Any, source: SourceModel, name: str) -> dict[int, Any]:
    """Leave the batch open up to a size; refuse a model with other open axes."""
    axes = dict(source.dynamic.get(name, {}))
    if axes != _BATCH:
        raise UnsupportedModelError(
            f"{source.name}: ExecuTorch lays its memory out before it runs, for one open axis, the "
            f"batch; the LSTM over sentences of different lengths has others ({name})",
            ("LSTM",),
        )
    return {0: torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)}


class _logging_off:  # noqa: N801
    """Keeps loggers silent meanwhile."""

    def __enter__(self) -> None:
        logging.disable(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)
