"""Registry of backends: names, and where to find them; nothing is imported until used."""

from __future__ import annotations

import importlib
from importlib import metadata

from inferometer.backends.protocol import Backend, BackendError
from inferometer.loadgen import nearest_name

__all__ = ["backend_names", "get_backend"]

ENTRY_POINTS = "inferometer.backends"
_BUILT_IN = {
    "null": "inferometer.backends.null:NullBackend",
    "onnxruntime": "inferometer.backends.onnxruntime:OnnxRuntimeBackend",
}


def backend_names() -> list[str]:
    """Give the names of all backends, built in and from plugins, sorted."""
    return sorted(
        {*_BUILT_IN, *(point.name for point in metadata.entry_points(group=ENTRY_POINTS))}
    )


def get_backend(name: str) -> Backend:
    """Give a backend by name; its framework is imported only when it is used.

    Raises `BackendError` for an unknown name, suggesting the nearest one.
    """
    places = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    places.update(_BUILT_IN)
    if name not in places:
        hint = nearest_name(name, places)
        raise BackendError(
            f"there is no backend {name!r}{hint}; known: {', '.join(sorted(places))}"
        )
    module, _, attribute = places[name].partition(":")
    backend: Backend = getattr(importlib.import_module(module), attribute)()
    return backend
