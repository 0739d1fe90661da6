"""TensorFlow Lite (LiteRT) on the CPU, with the XNNPACK kernels or the built-in ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import imported, installed_version
from inferometer.backends.litert.export import export_versions, write_tflite
from inferometer.backends.litert.graph import computed_in, kernels
from inferometer.backends.litert.ports import Port, ports_of
from inferometer.backends.model_file import checked_path
from inferometer.backends.native_output import native_output_dropped
from inferometer.backends.options import check_device, check_options, flag
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, SourceModel

__all__ = ["LiteRtBackend"]

_EXTRA = "litert"
_DEVICE = "cpu"
_OPTIONS = ("xnnpack",)
_ONE_THREAD = 1
_NEAR = 1e-4

_Arrays = list[NDArray[Any]]


class LiteRtBackend:
    """Runs TensorFlow Lite files; what they quantise at their ends is float32 for callers.

    One extra option: ``xnnpack`` (yes, no), without which TensorFlow Lite's own kernels run.
    LiteRT's other interface (``CompiledModel``) also computes in fp16, but it holds Python's
    lock while it runs, so that the load generator would stand still meanwhile.
    """

    name = "litert"
    formats: tuple[str, ...] = ("tflite",)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NHWC"
    own_format = "tflite"

    def version(self) -> str:
        """Give the version of LiteRT."""
        return installed_version("LiteRT", ("ai-edge-litert",), _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give the one device that this backend drives."""
        self.version()
        return (_DEVICE,)

    def check(self, options: BackendOptions) -> None:
        """Look at the precision, the device, and the option."""
        check_options(self, options, _OPTIONS)
        check_device(self, options.device, (_DEVICE,))
        flag(options, "xnnpack", default=True)

    def export_versions(self) -> Mapping[str, str]:
        """Give the packages that convert PyTorch modules."""
        return export_versions()

    def export(self, source: SourceModel, path: Path) -> None:
        """Write a .tflite file with open batch, and the source's names as its signature."""
        write_tflite(source, path)

    def load(self, model: ModelFile, options: BackendOptions) -> LiteRtSession:
        """Load a .tflite file."""
        interpreters = imported("ai_edge_litert.interpreter", "LiteRT", _EXTRA)
        self.check(options)
        path = checked_path(model, self.formats, self.name)
        resolvers = interpreters.OpResolverType
        resolver = (
            resolvers.BUILTIN
            if flag(options, "xnnpack", default=True)
            else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )

        def make() -> Any:
            return interpreters.Interpreter(
                str(path),
                # LiteRT itself takes one thread where none are asked for.
                num_threads=options.threads or _ONE_THREAD,
                experimental_op_resolver_type=resolver,
            )

        try:
            # It tells of the kernels that it takes, on every first use.
            with native_output_dropped():
                first = make()
                first.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise BackendError(f"{path}: LiteRT can't load it: {reason}") from error
        return LiteRtSession(make, first, options, self.version())


class LiteRtSession:
    """A model of TensorFlow Lite.

    A call takes an idle interpreter, or makes one: there are as many as calls that ever ran
    at once, each with weights packed for itself. An interpreter is laid out anew when a call
    comes in other shapes than its last one, which takes a tenth of a millisecond. A file of
    fixed batch runs other batches where that is found to give the answers that it gives in
    parts, which each size's first call tries; else in parts.
    """

    def __init__(self, make: Callable[[], Any], first: Any, options: BackendOptions, version: str):
        self._make = make
        self._inputs, self._outputs = ports_of(first)
        # Both ends of a deque are safe to use from several threads without a lock.
        self._idle: deque[_Runner] = deque([_Runner(first, self._inputs, self._outputs)])
        self._fixed = next((port.batch for port in self._inputs if port.batch), None)
        self._takes: dict[int, bool] = {}
        self.input_names = tuple(port.name for port in self._inputs)
        self.output_names = tuple(port.name for port in self._outputs)
        precision, weights = computed_in(first)
        self.description: Mapping[str, Any] = {
            "framework": "LiteRT",
            "version": version,
            "device": _DEVICE,
            "precision": precision,
            "weights": weights,
            "threads": options.threads or _ONE_THREAD,
            "kernels": kernels(first),
            "inputs": [str(port) for port in self._inputs],
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> _Arrays:
        """Run a batch; `BackendError` if an input is missing, or of another shape or type."""
        arrays = [port.to_file(inputs) for port in self._inputs]
        batch = len(arrays[0]) if arrays and arrays[0].ndim else None
        if batch in (None, self._fixed) or self._fixed is None or self._takes.get(batch):
            found = self._call(arrays)
        else:
            found = self._in_parts(arrays, batch, self._fixed)
            if batch not in self._takes:
                self._takes[batch] = self._agrees(arrays, found)
        return [port.to_caller(array) for port, array in zip(self._outputs, found, strict=True)]

    def close(self) -> None:
        """Let the model go."""
        self._idle.clear()

    def _call(self, arrays: _Arrays) -> _Arrays:
        """Run in one call; an interpreter that failed isn't used again."""
        try:
            runner = self._idle.pop()
        except IndexError:
            runner = _Runner(self._make(), self._inputs, self._outputs)
        found = runner.run(arrays)
        self._idle.append(runner)
        return found

    def _in_parts(self, arrays: _Arrays, batch: int, size: int) -> _Arrays:
        """Run so many samples a call; the last one's missing samples repeat its last."""
        parts = []
        for start in range(0, batch, size):
            part = [array[start : start + size] for array in arrays]
            lacking = size - len(part[0])
            if lacking:
                part = [np.concatenate([p, np.repeat(p[-1:], lacking, axis=0)]) for p in part]
            found = self._call(part)
            for port, array in zip(self._outputs, found, strict=True):
                if array.shape[:1] != (size,):
                    raise BackendError(
                        f"the model is fixed to a batch of {size}, and its output {port.name} of "
                        f"shape {list(array.shape)} has no batch axis: it can't run {batch} samples"
                    )
            parts.append(found)
        return [np.concatenate(outputs)[:batch] for outputs in zip(*parts, strict=True)]

    def _agrees(self, arrays: _Arrays, expected: _Arrays) -> bool:
        """Tell whether one call gives what the parts gave."""
        try:
            found = self._call(arrays)
        except (RuntimeError, ValueError):
            return False
        return all(map(_near, found, expected, self._outputs))


class _Runner:
    """An interpreter, laid out for the shapes of the last call."""

    def __init__(self, interpreter: Any, inputs: tuple[Port, ...], outputs: tuple[Port, ...]):
        self._interpreter = interpreter
        self._inputs = [port.index for port in inputs]
        self._outputs = [port.index for port in outputs]
        self._shapes: list[tuple[int, ...]] = []

    def run(self, arrays: _Arrays) -> _Arrays:
        """Run one call; the outputs are copies."""
        shapes = [array.shape for array in arrays]
        if shapes != self._shapes:
            for index, shape in zip(self._inputs, shapes, strict=True):
                self._interpreter.resize_tensor_input(index, shape)
            self._interpreter.allocate_tensors()
            self._shapes = shapes
        for index, array in zip(self._inputs, arrays, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _near(found: NDArray[Any], expected: NDArray[Any], port: Port) -> bool:
    """Tell whether two outputs are the same up to rounding: one step where it is quantised."""
    if found.shape != expected.shape:
        return False
    if port.scale:
        return bool(np.all(np.abs(found.astype(np.int64) - expected) <= 1))
    if found.dtype.kind != "f":
        return bool(np.array_equal(found, expected))
    largest = float(np.abs(expected).max(initial=0.0))
    return bool(np.allclose(found, expected, rtol=_NEAR, atol=_NEAR * largest))
