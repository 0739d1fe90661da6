"""Models for a backend: a workload, and its model in a format that the backend reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from inferometer.backends import Backend, Exporter, ModelFile, get_backend
from inferometer.workloads.definition import ModelDefinition
from inferometer.workloads.exported import exported_models
from inferometer.workloads.protocol import Workload, WorkloadOptions
from inferometer.workloads.quantized import quantized_models
from inferometer.workloads.registry import get_workload

__all__ = ["definitions_of", "model_files", "workload_for"]

_ONNX = "onnx"


def workload_for(name: str, options: WorkloadOptions, backend: Backend) -> Workload:
    """Give a workload whose photos lie as the backend likes them.

    Models that come as ONNX take them in their own layout.
    """
    if _ONNX not in backend.formats:
        options = dataclasses.replace(options, layout=backend.layout)
    return get_workload(name, options)


def model_files(
    workload: Workload,
    options: WorkloadOptions,
    backend: Backend,
    note: Callable[[str], None] = lambda _: None,
) -> Mapping[str, ModelFile]:
    """Give the model's parts in the number format that was asked for.

    A backend that doesn't read ONNX gets them in its own format, from their definition.
    """
    if options.number_format != "fp32":
        plain = dataclasses.replace(options, number_format="fp32")

        def sources(written_by: str) -> Mapping[str, ModelFile]:
            if not written_by:
                return get_workload(workload.info.name, plain).models((_ONNX, *backend.formats))
            writer = get_backend(written_by)
            return model_files(workload_for(workload.info.name, plain, writer), plain, writer, note)

        return quantized_models(workload.info.name, backend.formats, sources)
    if _ONNX not in backend.formats and isinstance(backend, Exporter):
        definitions = definitions_of(workload)
        if definitions:
            return exported_models(definitions, backend, note)
    return workload.models(backend.formats)


def definitions_of(workload: Workload) -> Mapping[str, ModelDefinition]:
    """Give what a workload's model is made of, by part; empty where it can't be made."""
    give = getattr(workload, "definitions", None)
    found: Mapping[str, ModelDefinition] = {} if give is None else give()
    return found
