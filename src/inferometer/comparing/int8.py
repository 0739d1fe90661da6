"""int8 models: made before a comparison if there is none yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from inferometer.quantization import (
    QuantizationOptions,
    quantize_workload,
    workload_for_tool,
)
from inferometer.runs import RunRequest
from inferometer.workloads.places import quantized_folder

__all__ = ["make_int8"]

_TOOLS = {"litert": "litert", "armnn": "litert-per-tensor"}


def make_int8(request: RunRequest, note: Callable[[str], None]) -> None:
    """Make the int8 model that a request needs, where `inferometer quantize` would put it.

    One that is there already stays as it is, whatever made it.
    """
    options = request.workload_options
    if options.number_format != "int8" or quantized_folder(request.workload).exists():
        return
    tool = _TOOLS.get(request.backend, "onnxruntime")
    note(f"{request.workload}: making its int8 model with {tool}")
    plain = dataclasses.replace(options, number_format="fp32")
    workload = workload_for_tool(request.workload, plain, tool)
    quantize_workload(workload, QuantizationOptions(tool))
