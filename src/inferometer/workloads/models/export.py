"""Export: a PyTorch module becomes an ONNX file that says nothing about where it was made."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch

from inferometer.loadgen import write_atomically

__all__ = ["OPSET", "export_onnx"]

OPSET = 17


def export_onnx(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
) -> Path:
    """Write a module in evaluation mode as one ONNX file; give its path.

    ``example`` are inputs to trace it with. ``dynamic`` names, for inputs and outputs, the
    axes whose size stays open, such as ``{"input": {0: "N"}}``. Batch norms are folded into
    the convolutions before them. Whether the file gives what the module gives is for the
    caller to check.
    """
    module.eval()
    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter warns about itself and about shapes that tracing fixes on purpose.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            buffer,  # type: ignore[arg-type]  # a file object serves as well
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in dynamic.items()},
        )
    proto = onnx.load_from_string(buffer.getvalue())
    _strip_notes(proto)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, proto.SerializeToString(deterministic=True))
    return path


def _strip_notes(proto: onnx.ModelProto) -> None:
    """Drop the exporter's notes: stack traces that name files of the machine."""
    graph = proto.graph
    del graph.metadata_props[:]
    for item in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
