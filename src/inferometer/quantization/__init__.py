"""Quantisation: post-training int8 models, with the recipe that made them."""

from inferometer.quantization.quantize import (
    QuantizationOptions,
    QuantizedModel,
    quantize_workload,
    tool_names,
    workload_for_tool,
)

__all__ = [
    "QuantizationOptions",
    "QuantizedModel",
    "quantize_workload",
    "tool_names",
    "workload_for_tool",
]
