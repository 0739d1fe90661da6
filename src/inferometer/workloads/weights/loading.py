"""Loading: published weights of any kind of file into our module of the same model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import torch

from inferometer.loadgen import nearest_name
from inferometer.workloads.protocol import WorkloadError
from inferometer.workloads.weights.fitting import Reader, fit_state

__all__ = ["load_weights"]

_MODELS = {
    "resnet50": "resnet50",
    "mobilenet": "mobilenet",
    "ssd-mobilenet": "ssd_mobilenet",
    "ssd-resnet34": "ssd_resnet34",
    "gnmt": "gnmt",
}
_KINDS = {
    ".pth": "torch",
    ".pt": "torch",
    ".pytorch": "torch",
    ".pb": "tf_graph",
    ".onnx": "onnx",
    ".index": "tf_checkpoint",
    ".ckpt": "tf_checkpoint",
}


def load_weights(workload: str, path: Path, module: torch.nn.Module) -> None:
    """Put the published weights of a reference workload into our module of its model.

    ``path`` is a file as published: ``.pth``, ``.pt`` or ``.pytorch`` (PyTorch), ``.pb``
    (frozen TensorFlow graph), ``.onnx``, or ``.ckpt`` or ``.index`` (TensorFlow checkpoint).
    The module may be of any size, as long as the file's is the same.

    Raises `WorkloadError` if the file is missing or damaged, or holds another model.
    """
    if workload not in _MODELS:
        raise WorkloadError(
            f"there are no published weights of {workload!r}{nearest_name(workload, _MODELS)}; "
            f"known: {', '.join(_MODELS)}"
        )
    room = importlib.import_module(f"inferometer.workloads.weights.{_MODELS[workload]}")
    readers: Mapping[str, Reader] = room.READERS
    kind = _KINDS.get(path.suffix.lower(), "")
    if kind not in readers:
        known = [suffix for suffix, one in _KINDS.items() if one in readers]
        raise WorkloadError(
            f"{path}: weights of {workload} aren't read from such files; known: {', '.join(known)}"
        )
    fit_state(module, readers[kind](path, module), path)
