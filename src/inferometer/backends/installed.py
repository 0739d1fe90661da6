"""Installed frameworks: versions and devices, found without importing any of them."""

from __future__ import annotations

from importlib import metadata, util
from pathlib import Path

from inferometer.backends.protocol import MissingBackendError

__all__ = ["has_nvidia_gpu", "installed_version", "missing", "package_folder"]

_NVIDIA = Path("/proc/driver/nvidia/gpus")


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
