"""Registry of workloads: names, and where to find them; nothing is imported until used."""

from __future__ import annotations

import importlib
from importlib import metadata

from inferometer.loadgen import nearest_name
from inferometer.workloads.protocol import Workload, WorkloadError

__all__ = ["get_workload", "workload_names"]

ENTRY_POINTS = "inferometer.workloads"
_BUILT_IN = {
    "pocket-mobilenet": "inferometer.workloads.pocket_mobilenet:PocketMobileNet",
}


def workload_names() -> list[str]:
    """Give the names of all workloads, built in and from plugins, sorted."""
    return sorted(
        {*_BUILT_IN, *(point.name for point in metadata.entry_points(group=ENTRY_POINTS))}
    )


def get_workload(name: str) -> Workload:
    """Give a workload by name.

    Raises `WorkloadError` for an unknown name, suggesting the nearest one.
    """
    places = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    places.update(_BUILT_IN)
    if name not in places:
        hint = nearest_name(name, places)
        raise WorkloadError(
            f"there is no workload {name!r}{hint}; known: {', '.join(sorted(places))}"
        )
    module, _, attribute = places[name].partition(":")
    workload: Workload = getattr(importlib.import_module(module), attribute)()
    return workload
