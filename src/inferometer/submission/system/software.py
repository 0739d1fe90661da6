"""Software facts: operating system, and frameworks as the runs noted them or as installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inferometer.backends import MissingBackendError, backend_names, get_backend
from inferometer.runs import describe_system
from inferometer.submission.system.sources import Sources

__all__ = ["installed_frameworks", "operating_system_facts", "software_of_runs"]

_NOT_FRAMEWORKS = ("null", "python", "remote")


def operating_system_facts(sources: Sources) -> dict[str, str]:
    """Give name and kernel of the operating system."""
    named = {}
    for line in sources.text("etc/os-release").splitlines():
        key, _, value = line.partition("=")
        named[key.strip()] = value.strip().strip("\"'")
    release = sources.text("proc/sys/kernel/osrelease")
    parts = [named.get("PRETTY_NAME", ""), f"Linux {release}" if release else ""]
    return {"operating_system": ", ".join(part for part in parts if part)}


def installed_frameworks() -> dict[str, str]:
    """Give the frameworks that are installed here; which of them runs a model is left open."""
    found = []
    for name in backend_names():
        if name in _NOT_FRAMEWORKS:
            continue
        try:
            found.append(f"{name} {get_backend(name).version()}")
        except MissingBackendError:
            continue
    known = [str(describe_system().get("python", "")), *found]
    return {"other_software_stack": ", ".join(text for text in known if text)}


def software_of_runs(
    backends: Iterable[Mapping[str, Any]], system: Mapping[str, Any]
) -> dict[str, str]:
    """Give the frameworks that really ran, with versions, and what else took part."""
    names = [
        " ".join(str(backend[key]) for key in ("framework", "version") if backend.get(key))
        for backend in backends
    ]
    return {
        "framework": ", ".join(dict.fromkeys(name for name in names if name)),
        "other_software_stack": _others(system),
    }


def _others(system: Mapping[str, Any]) -> str:
    packages = system.get("packages") or {}
    texts = [str(system.get("python", ""))]
    texts += [f"{name} {version}" for name, version in packages.items()]
    return ", ".join(text for text in texts if text)
