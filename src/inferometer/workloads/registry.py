"""Registry of workloads: names, and where to find them."""

from __future__ import annotations

from inferometer.backends import Plugins
from inferometer.workloads.protocol import Workload, WorkloadError

__all__ = ["get_workload", "workload_names"]

_WORKLOADS = Plugins(
    "workload",
    "inferometer.workloads",
    {"pocket-mobilenet": "inferometer.workloads.pocket_mobilenet:PocketMobileNet"},
    WorkloadError,
)


def workload_names() -> list[str]:
    """Give the names of all workloads, built in and from plugins, sorted."""
    return _WORKLOADS.names()


def get_workload(name: str) -> Workload:
    """Give a workload by name; raise `WorkloadError` for an unknown one."""
    workload: Workload = _WORKLOADS.make(name)
    return workload
