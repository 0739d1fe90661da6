"""A backend without a model: it answers zeros, for tests of everything around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.protocol import BackendOptions, ModelFile

__all__ = ["NullBackend"]


class NullBackend:
    """Answers every batch with zeros; the shipped fake of the backend seam.

    ``outputs`` gives the shape of each output behind the batch axis, by name.
    """

    name = "null"
    formats: tuple[str, ...] = ("onnx",)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NCHW"

    def __init__(self, outputs: Mapping[str, tuple[int, ...]] | None = None):
        self._outputs = dict(outputs or {"output": (10,)})

    def version(self) -> str:
        """Give a version; there is nothing to install."""
        return "built in"

    def devices(self) -> tuple[str, ...]:
        """Give the one device."""
        return ("cpu",)

    def load(self, model: ModelFile, options: BackendOptions) -> NullSession:  # noqa: ARG002
        """Give a session; the model isn't read."""
        return NullSession(self._outputs)


class NullSession:
    """Answers zeros, float32 [N, ...] for each output."""

    def __init__(self, outputs: Mapping[str, tuple[int, ...]]):
        self._shapes = tuple(outputs.values())
        self.input_names = ("input",)
        self.output_names = tuple(outputs)
        self.description: Mapping[str, Any] = {
            "framework": "none",
            "device": "cpu",
            "precision": "none",
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Give zeros for as many samples as the first input has."""
        count = len(next(iter(inputs.values())))
        return [np.zeros((count, *shape), np.float32) for shape in self._shapes]

    def close(self) -> None:
        """Do nothing."""
