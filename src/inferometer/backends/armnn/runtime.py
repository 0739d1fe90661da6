"""Arm NN's runtime, for a process of its own: it holds Python's lock, and may abort."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.armnn.graph import read_graph
from inferometer.backends.litert.ports import Port
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile

__all__ = ["PACKAGES", "ArmNnRuntime", "release_of"]

PACKAGES = "/usr/lib/python3/dist-packages"
"""Where Debian keeps Python packages."""

_REFERENCE = "CpuRef"
_RELEASES = {"22": "20.08", "33": "23.08"}

_Arrays = list[NDArray[Any]]


def release_of(version: str) -> str:
    """Give the release, such as 20.08, that a version of the interface belongs to."""
    return _RELEASES.get(version.partition(".")[0], version)


class ArmNnRuntime:
    """Loads a .tflite file into Arm NN; the device is the name of one of its backends."""

    def load(self, model: ModelFile, options: BackendOptions) -> ArmNnSession:
        """Load a file that was looked through before."""
        armnn = _armnn()
        try:
            runtime = armnn.IRuntime(armnn.CreationOptions())
            parser = armnn.ITfLiteParser()
            network = parser.CreateNetworkFromBinaryFile(str(model.path))
            # What the device lacks, the reference does.
            wanted = dict.fromkeys((options.device, _REFERENCE))
            optimised, _ = armnn.Optimize(
                network,
                [armnn.BackendId(name) for name in wanted],
                runtime.GetDeviceSpec(),
                armnn.OptimizerOptions(),
            )
            number, _ = runtime.LoadNetwork(optimised)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise BackendError(f"{model.path}: Arm NN can't load it: {reason}") from error
        return ArmNnSession(armnn, runtime, parser, number, model, options.device)


class ArmNnSession:
    """A network of fixed shapes; other batches run in parts."""

    def __init__(
        self, armnn: Any, runtime: Any, parser: Any, number: int, model: ModelFile, device: str
    ):
        self._armnn, self._runtime, self._number = armnn, runtime, number
        graph = read_graph(model.path)
        self._inputs, self._outputs = graph.inputs, graph.outputs
        self._batch = next((port.batch for port in graph.inputs if port.batch), 1)
        self._sources = [
            parser.GetNetworkInputBindingInfo(0, name)
            for name in parser.GetSubgraphInputTensorNames(0)
        ]
        self._results = armnn.make_output_tensors(
            [
                parser.GetNetworkOutputBindingInfo(0, name)
                for name in parser.GetSubgraphOutputTensorNames(0)
            ]
        )
        self.input_names = tuple(port.name for port in graph.inputs)
        self.output_names = tuple(port.name for port in graph.outputs)
        self.description: Mapping[str, Any] = {
            "framework": "Arm NN",
            "version": release_of(str(armnn.ARMNN_VERSION)),
            "device": device,
            "precision": graph.precision,
            "threads": 1 if device == _REFERENCE else "default",
            "inputs": [str(port) for port in graph.inputs],
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> _Arrays:
        """Run a batch in parts of the size that the file is fixed to."""
        arrays = [port.to_file(inputs) for port in self._inputs]
        count = len(arrays[0])
        parts = [self._part(arrays, start) for start in range(0, count, self._batch)]
        return [
            port.to_caller(_joined(port, found, count, self._batch))
            for port, found in zip(self._outputs, zip(*parts, strict=True), strict=True)
        ]

    def close(self) -> None:
        """Let the network go."""
        self._runtime.UnloadNetwork(self._number)

    def _part(self, arrays: _Arrays, start: int) -> _Arrays:
        part = [self._whole(array[start : start + self._batch]) for array in arrays]
        tensors = self._armnn.make_input_tensors(self._sources, part)
        self._runtime.EnqueueWorkload(self._number, tensors, self._results)
        found = self._armnn.workload_tensors_to_ndarray(self._results)
        return [array.copy() for array in found]

    def _whole(self, array: NDArray[Any]) -> NDArray[Any]:
        """Repeat the last sample where some are missing."""
        lacking = self._batch - len(array)
        if not lacking:
            return np.ascontiguousarray(array)
        return np.concatenate([array, np.repeat(array[-1:], lacking, axis=0)])


def _joined(port: Port, parts: Sequence[NDArray[Any]], count: int, batch: int) -> NDArray[Any]:
    if count == batch:
        return parts[0]
    if parts[0].shape[:1] != (batch,):
        raise BackendError(
            f"the model is fixed to a batch of {batch}, and its output {port.name} of shape "
            f"{list(parts[0].shape)} has no batch axis: it can't run {count} samples"
        )
    return np.concatenate(parts)[:count]


def _armnn() -> Any:
    """Import pyarmnn; Debian's packages come last, so that its NumPy isn't taken."""
    if importlib.util.find_spec("pyarmnn") is None:
        sys.path.append(PACKAGES)
    # It tells at length of the other parsers that it could be built with.
    with contextlib.redirect_stderr(io.StringIO()):
        return importlib.import_module("pyarmnn")
