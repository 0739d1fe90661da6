"""Ports of a TensorFlow Lite file: its inputs and outputs, by name, quantised or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.protocol import BackendError

__all__ = ["Port", "ports_of"]

_OPEN = -1


@dataclass(frozen=True)
class Port:
    """An input or output of a file.

    shape:
        What the file says, with -1 for open axes.
    scale, zero_point:
        How a quantised port's integers become real numbers; the scale of others is 0.
    """

    name: str
    index: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0

    def __str__(self) -> str:
        axes = ", ".join("?" if axis == _OPEN else str(axis) for axis in self.shape)
        quantised = f", scale {self.scale:g}, zero {self.zero_point}" if self.scale else ""
        return f"{self.name} {self.dtype.name} [{axes}]{quantised}"

    @property
    def batch(self) -> int | None:
        """The number of samples that the file is fixed to; ``None`` where it is open."""
        return self.shape[0] if self.shape and self.shape[0] != _OPEN else None

    def to_file(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Give this port's array out of those of a call, in the file's type.

        Raises `BackendError` if it isn't there, or has another shape or type.
        """
        if self.name not in inputs:
            raise BackendError(
                f"the model's input {self.name!r} is missing; there are {', '.join(inputs)}"
            )
        array = inputs[self.name]
        if len(array.shape) != len(self.shape) or any(
            axis not in (_OPEN, given)
            for axis, given in zip(self.shape[1:], array.shape[1:], strict=True)
        ):
            raise BackendError(f"the model takes {self}, not the shape {list(array.shape)}")
        if array.dtype == self.dtype:
            return array
        if self.scale and array.dtype.kind == "f":
            return self._quantised(array)
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise BackendError(f"the model takes {self}, not the type {array.dtype.name}")
        return array.astype(self.dtype)

    def to_caller(self, array: NDArray[Any]) -> NDArray[Any]:
        """Give an output as callers see it: float32 where the file quantises it."""
        if not self.scale:
            return array
        real = array.astype(np.float32)
        real -= self.zero_point
        real *= np.float32(self.scale)
        return real

    def _quantised(self, array: NDArray[Any]) -> NDArray[Any]:
        limits = np.iinfo(self.dtype)
        steps = np.multiply(array, np.float32(1.0 / self.scale), dtype=np.float32)
        np.rint(steps, out=steps)
        steps += self.zero_point
        np.clip(steps, limits.min, limits.max, out=steps)
        quantised: NDArray[Any] = steps.astype(self.dtype)
        return quantised


def ports_of(interpreter: Any) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Give the inputs and the outputs of an interpreter's main graph, in the file's order.

    They have the names of the signature of that graph, or those of its tensors without one.
    """
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        named_inputs, named_outputs = runner.get_input_details(), runner.get_output_details()
        if _tensors(named_inputs.values()) == _tensors(inputs):
            return _ports(inputs, named_inputs), _ports(outputs, named_outputs)
    return _ports(inputs, {}), _ports(outputs, {})


def _tensors(details: Any) -> set[tuple[int, str]]:
    return {(detail["index"], detail["name"]) for detail in details}


def _ports(details: Any, named: Mapping[str, Any]) -> tuple[Port, ...]:
    names = {detail["index"]: name for name, detail in named.items()}
    return tuple(_port(detail, names.get(detail["index"], detail["name"])) for detail in details)


def _port(detail: Mapping[str, Any], name: str) -> Port:
    scales = detail["quantization_parameters"]["scales"]
    zeros = detail["quantization_parameters"]["zero_points"]
    return Port(
        name,
        int(detail["index"]),
        np.dtype(detail["dtype"]),
        tuple(int(axis) for axis in detail["shape_signature"]),
        float(scales[0]) if len(scales) else 0.0,
        int(zeros[0]) if len(zeros) else 0,
    )
