"""Frameworks behind one seam, one file each. Nothing else knows a framework's name."""

from inferometer.backends.null import NullBackend
from inferometer.backends.plugins import Plugins
from inferometer.backends.protocol import (
    Backend,
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
    Session,
)
from inferometer.backends.registry import backend_names, get_backend

__all__ = [
    "Backend",
    "BackendError",
    "BackendOptions",
    "MissingBackendError",
    "ModelFile",
    "NullBackend",
    "Plugins",
    "Session",
    "backend_names",
    "get_backend",
]
