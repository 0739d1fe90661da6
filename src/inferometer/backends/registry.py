"""Registry of backends: their frameworks are imported only when they are used."""

from __future__ import annotations

from inferometer.backends.plugins import Plugins
from inferometer.backends.protocol import Backend, BackendError

__all__ = ["backend_names", "get_backend"]

_BACKENDS = Plugins(
    "backend",
    "inferometer.backends",
    {
        "null": "inferometer.backends.null:NullBackend",
        "onnxruntime": "inferometer.backends.onnxruntime:OnnxRuntimeBackend",
        "openvino": "inferometer.backends.openvino:OpenVinoBackend",
        "python": "inferometer.backends.python:PythonBackend",
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
