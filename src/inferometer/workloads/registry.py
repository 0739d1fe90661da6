"""Registry of workloads: names, and where to find them; suites of several."""

from __future__ import annotations

from inferometer.backends import Plugins
from inferometer.workloads.protocol import Workload, WorkloadError, WorkloadOptions

__all__ = ["POCKET_SUITE", "get_workload", "suite_names", "suite_or_workload", "workload_names"]

_ROOM = "inferometer.workloads"
_WORKLOADS = Plugins(
    "workload",
    _ROOM,
    {
        "pocket-mobilenet": f"{_ROOM}.classification.pocket:PocketMobileNet",
        "pocket-resnet": f"{_ROOM}.classification.pocket:PocketResNet",
        "pocket-ssd-mobilenet": f"{_ROOM}.detection.pocket:PocketSsdMobileNet",
        "pocket-ssd-resnet": f"{_ROOM}.detection.pocket:PocketSsdResNet",
        "pocket-gnmt": f"{_ROOM}.translation.workloads:PocketGnmt",
        "resnet50": f"{_ROOM}.classification.reference:ResNet50Workload",
        "mobilenet": f"{_ROOM}.classification.reference:MobileNetWorkload",
        "ssd-mobilenet": f"{_ROOM}.detection.reference:SsdMobileNetWorkload",
        "ssd-resnet34": f"{_ROOM}.detection.reference:SsdResNet34Workload",
        "gnmt": f"{_ROOM}.translation.workloads:Gnmt",
        "classification": f"{_ROOM}.classification.own:OwnClassification",
        "detection": f"{_ROOM}.detection.own:OwnDetection",
    },
    WorkloadError,
)

POCKET_SUITE = "pocket"
_SUITES = {
    POCKET_SUITE: (
        "pocket-mobilenet",
        "pocket-resnet",
        "pocket-ssd-mobilenet",
        "pocket-ssd-resnet",
        "pocket-gnmt",
    ),
    "reference": ("mobilenet", "resnet50", "ssd-mobilenet", "ssd-resnet34", "gnmt"),
}


def workload_names() -> list[str]:
    """Give the names of all workloads, built in and from plugins, sorted."""
    return _WORKLOADS.names()


def suite_names() -> list[str]:
    """Give the names of the suites, sorted."""
    return sorted(_SUITES)


def suite_or_workload(name: str) -> tuple[str, ...]:
    """Give the workloads that a name stands for: those of a suite, or the one."""
    return _SUITES.get(name, (name,))


def get_workload(name: str, options: WorkloadOptions | None = None) -> Workload:
    """Give a workload by name; raise `WorkloadError` for an unknown one."""
    workload: Workload = _WORKLOADS.find(name)(options or WorkloadOptions())
    return workload
