"""The seam to a quantiser: a tool that turns a model file into an int8 one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from inferometer.backends import ModelFile
from inferometer.loadgen import InferometerError

__all__ = [
    "CalibrationBatches",
    "PartResult",
    "QuantizationError",
    "QuantizationOptions",
    "Quantizer",
]

CalibrationBatches = Iterator[Mapping[str, NDArray[Any]]]
"""The model's inputs for calibration samples, one batch after the other."""


class QuantizationError(InferometerError):
    """A model can't be quantised, or the tool for it is missing."""


@dataclass(frozen=True)
class QuantizationOptions:
    """How to quantise.

    tool:
        ``onnxruntime``, or another that is registered.
    calibrate:
        How ranges follow from what the calibration samples show: ``minmax``, ``entropy``
        or ``percentile``.
    count:
        Most calibration samples to use; ``None`` for the whole list.
    reduce_range:
        Weights in 7 bits, for processors whose 8-bit products saturate (x86 without VNNI).
        ``None`` looks at this processor.
    """

    tool: str = "onnxruntime"
    calibrate: str = "minmax"
    count: int | None = None
    reduce_range: bool | None = None


@dataclass(frozen=True)
class PartResult:
    """What a quantiser made of one part of a model.

    method, weights, activations:
        What was done, in words that go into the recipe.
    left_in_float:
        Names of the nodes that were left as they are, on purpose.
    """

    path: Path
    method: str
    weights: str
    activations: str
    left_in_float: tuple[str, ...]
    tools: Mapping[str, str]


class Quantizer(Protocol):
    """A tool that quantises model files of one format.

    source_backend:
        The backend whose export it takes; empty where it takes the workload's own file.
    """

    formats: tuple[str, ...]
    suffix: str
    source_backend: str

    def static(
        self,
        model: ModelFile,
        output: Path,
        batches: CalibrationBatches,
        options: QuantizationOptions,
    ) -> PartResult:
        """Quantise weights and activations, with ranges from calibration samples."""
        ...

    def dynamic(self, model: ModelFile, output: Path, options: QuantizationOptions) -> PartResult:
        """Quantise weights; activations are quantised as they come, without calibration."""
        ...
