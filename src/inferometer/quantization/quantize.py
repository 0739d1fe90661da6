"""Quantising a workload: every part of its model, and the recipe beside it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.backends import ModelFile, Plugins, get_backend
from inferometer.loadgen import write_atomically
from inferometer.quantization.protocol import (
    CalibrationBatches,
    PartResult,
    QuantizationError,
    QuantizationOptions,
    Quantizer,
)
from inferometer.workloads import CalibrationSet, Workload, WorkloadOptions, get_workload
from inferometer.workloads.exported import exported_models
from inferometer.workloads.for_backend import definitions_of, workload_for
from inferometer.workloads.places import quantized_folder
from inferometer.workloads.quantized import RECIPE

__all__ = [
    "QuantizationOptions",
    "QuantizedModel",
    "quantize_workload",
    "tool_names",
    "workload_for_tool",
]

_QUANTIZERS = Plugins(
    "quantiser",
    "inferometer.quantizers",
    {
        "litert": "inferometer.quantization.litert:LiteRtQuantizer",
        "litert-per-tensor": "inferometer.quantization.litert:PerTensorLiteRtQuantizer",
        "nncf": "inferometer.quantization.nncf:NncfQuantizer",
        "onnxruntime": "inferometer.quantization.onnxruntime:OnnxRuntimeQuantizer",
    },
    QuantizationError,
)
_BATCH = 8


@dataclass(frozen=True)
class QuantizedModel:
    """A quantised model on disk: its folder, its recipe, and its size beside the original's."""

    folder: Path
    recipe: Mapping[str, Any]
    source_bytes: int
    quantized_bytes: int


def tool_names() -> list[str]:
    """Give the names of the quantisers, sorted."""
    return _QUANTIZERS.names()


def quantize_workload(
    workload: Workload,
    options: QuantizationOptions | None = None,
    output: Path | None = None,
) -> QuantizedModel:
    """Quantise the model of a workload; write it, with its recipe, into a folder.

    The workload is one that `workload_for_tool` gives, so that its photos lie as the model's.
    ``output`` is where `inferometer run --number-format int8` looks, unless it is given.
    The folder appears whole or not at all. Raises `QuantizationError` if the workload has no
    calibration samples where the method needs them, or the tool can't do it.
    """
    options = options or QuantizationOptions()
    quantizer: Quantizer = _QUANTIZERS.find(options.tool)()
    info = workload.info
    files = _sources(workload, quantizer)
    calibration = _calibration(workload, options) if info.quantization == "static" else None
    folder = output or quantized_folder(info.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        made = Path(name)
        parts = {
            part: _one(quantizer, file, made / f"{part}{quantizer.suffix}", calibration, options)
            for part, file in files.items()
        }
        recipe = _recipe(info.name, files, parts, calibration, options)
        recipe["source_backend"] = quantizer.source_backend
        text = json.dumps(recipe, indent=2, ensure_ascii=False) + "\n"
        write_atomically(made / RECIPE, text.encode("utf-8"))
        _replace_folder(made, folder)
    sizes = recipe["parts"].values()
    return QuantizedModel(
        folder,
        recipe,
        sum(part["source_bytes"] for part in sizes),
        sum(part["bytes"] for part in sizes),
    )


def workload_for_tool(name: str, options: WorkloadOptions, tool: str) -> Workload:
    """Give a workload whose photos lie as the model that a tool quantises takes them."""
    source: str = _QUANTIZERS.find(tool).source_backend
    if not source:
        return get_workload(name, options)
    return workload_for(name, options, get_backend(source))


def _sources(workload: Workload, quantizer: Quantizer) -> Mapping[str, ModelFile]:
    """Give the fp32 model: as the workload has it, or as a backend exports it."""
    if not quantizer.source_backend:
        return workload.models(quantizer.formats)
    definitions = definitions_of(workload)
    if not definitions:
        return workload.models(quantizer.formats)
    return exported_models(definitions, get_backend(quantizer.source_backend))


def _calibration(workload: Workload, options: QuantizationOptions) -> CalibrationSet:
    give = getattr(workload, "calibration", None)
    if give is None:
        raise QuantizationError(
            f"{workload.info.name} has no calibration samples, which static quantisation needs"
        )
    found: CalibrationSet = give()
    if options.count is not None:
        found = found.first(options.count)
    return found


def _one(
    quantizer: Quantizer,
    file: ModelFile,
    output: Path,
    calibration: CalibrationSet | None,
    options: QuantizationOptions,
) -> PartResult:
    if calibration is None:
        return quantizer.dynamic(file, output, options)
    return quantizer.static(file, output, _batches(calibration), options)


def _batches(calibration: CalibrationSet) -> CalibrationBatches:
    """Give the calibration samples in small batches, loading only what is needed."""
    indices = np.arange(len(calibration.ids))
    for start in range(0, len(indices), _BATCH):
        chosen = indices[start : start + _BATCH]
        calibration.library.load(chosen)
        yield calibration.library.inputs(chosen)
        calibration.library.unload(chosen)


def _recipe(
    workload: str,
    files: Mapping[str, ModelFile],
    parts: Mapping[str, PartResult],
    calibration: CalibrationSet | None,
    options: QuantizationOptions,
) -> dict[str, Any]:
    """Say how the model was made, so that anyone can make it again and rules can read it."""
    first = next(iter(parts.values()))
    return {
        "recipe": 1,
        "workload": workload,
        "tool": options.tool,
        "method": first.method,
        "weights": first.weights,
        "activations": first.activations,
        "weight_data_types": "int8",
        "calibration": None if calibration is None else calibration.to_mapping(),
        "parts": {part: _part(files[part], result) for part, result in parts.items()},
        "tools": {"inferometer": metadata.version("inferometer"), **first.tools},
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _part(source: ModelFile, result: PartResult) -> dict[str, Any]:
    before, after = source.path.read_bytes(), result.path.read_bytes()
    return {
        "source": source.path.name,
        "source_sha256": hashlib.sha256(before).hexdigest(),
        "source_bytes": len(before),
        "file": result.path.name,
        "sha256": hashlib.sha256(after).hexdigest(),
        "bytes": len(after) + _beside_bytes(result.path),
        "left_in_float": list(result.left_in_float),
    }


def _beside_bytes(path: Path) -> int:
    """Give the size of the weights that some formats keep in a file of their own."""
    weights = path.with_suffix(".bin")
    return weights.stat().st_size if weights.is_file() else 0


def _replace_folder(made: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one."""
    if folder.exists():
        if not (folder / RECIPE).is_file():
            raise QuantizationError(
                f"{folder} exists and holds no quantised model; choose another --output"
            )
        shutil.rmtree(folder)
    shutil.copytree(made, folder)
