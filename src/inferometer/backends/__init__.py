"""Frameworks behind one seam: a file each, or a package. Nothing else knows one's name."""

from inferometer.backends.isolation.isolated import load_isolated
from inferometer.backends.isolation.worker_process import BackendFault
from inferometer.backends.model_file import content_sha256
from inferometer.backends.null import NullBackend
from inferometer.backends.number_format import (
    FLOAT_FORMATS,
    NUMBER_FORMATS,
    asked_format,
    computed_format,
    stored_format,
)
from inferometer.backends.plugins import Plugins
from inferometer.backends.protocol import (
    Backend,
    BackendError,
    BackendOptions,
    Exporter,
    MissingBackendError,
    ModelFile,
    OptionsChecker,
    Session,
    SourceModel,
    UnsupportedModelError,
)
from inferometer.backends.registry import backend_names, backend_place, get_backend

__all__ = [
    "FLOAT_FORMATS",
    "NUMBER_FORMATS",
    "Backend",
    "BackendError",
    "BackendFault",
    "BackendOptions",
    "Exporter",
    "MissingBackendError",
    "ModelFile",
    "NullBackend",
    "OptionsChecker",
    "Plugins",
    "Session",
    "SourceModel",
    "UnsupportedModelError",
    "asked_format",
    "backend_names",
    "backend_place",
    "computed_format",
    "content_sha256",
    "get_backend",
    "load_isolated",
    "stored_format",
]
