"""Installed frameworks: versions and devices, found without importing any of them."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata, util
from pathlib import Path
from typing import Any

from inferometer.backends.protocol import MissingBackendError

__all__ = [
    "has_nvidia_gpu",
    "imported",
    "installed_version",
    "may_have_gpu",
    "missing",
    "package_folder",
]

_NVIDIA = Path("/proc/driver/nvidia/gpus")
_DEVICE_FILES = Path("/dev")
# NVIDIA's drivers, those of its boards, Windows' for Linux, and AMD's.
_GPU_FILES = ("nvidia*", "nvhost*", "nvgpu*", "nvmap", "dxg", "kfd")


def installed_version(framework: str, distributions: tuple[str, ...], extra: str) -> str:
    """Give the version of the first of these distributions that is installed.

    Raises `MissingBackendError` with the command that installs the extra.
    """
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    raise missing(framework, extra)


def imported(module: str, framework: str, extra: str) -> Any:
    """Import a module of a framework, or raise `MissingBackendError` as `installed_version`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(framework, extra) from error


def missing(framework: str, extra: str) -> MissingBackendError:
    """Make the error that says how to install a framework."""
    return MissingBackendError(
        f"{framework} isn't installed; install it with: pip install 'inferometer[{extra}]'"
    )


def package_folder(name: str) -> Path | None:
    """Give the folder of an installed top-level package, which isn't imported."""
    spec = util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def has_nvidia_gpu() -> bool:
    """Tell whether an NVIDIA driver runs here and has a GPU."""
    return _NVIDIA.is_dir() and any(_NVIDIA.iterdir())


def may_have_gpu() -> bool:
    """Tell whether a GPU may be here that CUDA or its like drives; only a no is certain."""
    if sys.platform != "linux":
        return True
    return any(True for pattern in _GPU_FILES for _ in _DEVICE_FILES.glob(pattern))
