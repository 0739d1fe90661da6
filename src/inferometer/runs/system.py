"""System description: what this machine is, gathered from itself; nothing is invented."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from inferometer.loadgen.cores import usable_cores
from inferometer.runs.small_file import text_in

__all__ = ["describe_system", "package_versions", "usable_cores"]

_PACKAGES = ("inferometer", "numpy", "onnxruntime", "torch", "openvino", "tensorflow")
_CPU_INFO = Path("/proc/cpuinfo")
_CPU = Path("/sys/devices/system/cpu/cpu0")


def describe_system() -> dict[str, Any]:
    """Describe processor, memory, operating system and software; what isn't known is absent."""
    memory = psutil.virtual_memory()
    facts: dict[str, Any] = {
        "host": platform.node(),
        "processor": _processor_name(),
        "architecture": platform.machine(),
        "physical_cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "frequency_mhz": _frequency_mhz(),
        "caches": _caches(),
        "governor": text_in(_CPU / "cpufreq/scaling_governor"),
        "memory_gib": round(memory.total / 2**30, 1),
        "memory_available_gib": round(memory.available / 2**30, 1),
        "load_average_1min": round(os.getloadavg()[0], 2),
        "virtualised": _is_virtualised(),
        "operating_system": _operating_system(),
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": package_versions(),
        "taken_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    return {name: value for name, value in facts.items() if value not in (None, "", {})}


def package_versions() -> dict[str, str]:
    """Give the versions of the packages that matter, of those installed."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _processor_name() -> str | None:
    for name in ("model name", "Hardware", "Model"):
        value = _cpu_info(name)
        if value:
            return value
    return platform.processor() or None


def _cpu_info(name: str) -> str | None:
    text = text_in(_CPU_INFO) or ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _frequency_mhz() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return round(frequency.max or frequency.current) if frequency else None


def _caches() -> dict[str, str]:
    found = {}
    for folder in sorted(_CPU.glob("cache/index*")):
        level, kind, size = (text_in(folder / name) for name in ("level", "type", "size"))
        if level and kind and size:
            found[f"L{level} {kind.lower()}"] = size
    return found


def _is_virtualised() -> bool | None:
    flags = _cpu_info("flags")
    return None if flags is None else "hypervisor" in flags.split()


def _operating_system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", sys.platform)
    except OSError:
        return f"{platform.system()} {platform.version()}"
