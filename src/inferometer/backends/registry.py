"""Registry of backends: their frameworks are imported only when they are used."""

from __future__ import annotations

from inferometer.backends.plugins import Plugins
from inferometer.backends.protocol import Backend, BackendError

__all__ = ["backend_names", "backend_place", "get_backend"]

_BACKENDS = Plugins(
    "backend",
    "inferometer.backends",
    {
        "armnn": "inferometer.backends.armnn.backend:ArmNnBackend",
        "executorch": "inferometer.backends.executorch:ExecuTorchBackend",
        "litert": "inferometer.backends.litert.backend:LiteRtBackend",
        "ncnn": "inferometer.backends.ncnn:NcnnBackend",
        "null": "inferometer.backends.null:NullBackend",
        "onnxruntime": "inferometer.backends.onnxruntime:OnnxRuntimeBackend",
        "openvino": "inferometer.backends.openvino.backend:OpenVinoBackend",
        "python": "inferometer.backends.python:PythonBackend",
        "pytorch": "inferometer.backends.pytorch.backend:PyTorchBackend",
        "remote": "inferometer.backends.remote:RemoteBackend",
        "tensorflow": "inferometer.backends.tensorflow.backend:TensorFlowBackend",
    },
    BackendError,
)


def backend_names() -> list[str]:
    """Give the names of all backends, built in and from plugins, sorted."""
    return _BACKENDS.names()


def get_backend(name: str) -> Backend:
    """Give a backend by name; raise `BackendError` for an unknown one."""
    backend: Backend = _BACKENDS.find(name)()
    return backend


def backend_place(name: str) -> str:
    """Give where a backend's class is, ``module:Class``, for a process of its own."""
    return _BACKENDS.place(name)
