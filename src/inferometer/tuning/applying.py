"""Applying: a tuned file's setups for a request, and what speaks against using them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from inferometer.backends import MissingBackendError, get_backend
from inferometer.loadgen import Scenario
from inferometer.runs import RunRequest, SystemOptions, describe_system
from inferometer.tuning.tuned import identity_of
from inferometer.tuning.tuned_file import TunedFile

__all__ = ["differences", "with_tuned"]

_MACHINE = ("processor", "architecture", "usable_cores")
_SERVING_FIELDS = {
    "serving": "kind",
    "workers": "workers",
    "max_batch": "max_batch_size",
    "max_wait_ms": "max_wait_ms",
    "serving_extra": "extra",
}


def with_tuned(request: RunRequest, tuned: TunedFile, explicit: Collection[str]) -> RunRequest:
    """Give a request with the setups of a file.

    explicit:
        Names of the command-line options that the user gave: ``threads``, ``serving``,
        ``workers``, ``max_batch``, ``max_wait_ms``, ``serving_extra``; what the request says
        of them comes first, and so do its own backend options. Those of the file belong to
        its backend and are left out with another one.
    """
    takes_extra = request.backend == tuned.identity["backend"]
    setups: dict[Scenario, SystemOptions] = {}
    for scenario, found in tuned.setups.items():
        asked = request.system_options
        backend = dataclasses.replace(
            found.backend,
            device=asked.backend.device,
            precision=asked.backend.precision,
            extra={**(found.backend.extra if takes_extra else {}), **asked.backend.extra},
        )
        if "threads" in explicit:
            backend = dataclasses.replace(backend, threads=asked.backend.threads)
        changes: dict[str, Any] = {
            name: getattr(asked.serving, name)
            for option, name in _SERVING_FIELDS.items()
            if option in explicit
        }
        setups[scenario] = SystemOptions(backend, dataclasses.replace(found.serving, **changes))
    return dataclasses.replace(request, tuned=setups)


def differences(request: RunRequest, tuned: TunedFile) -> list[str]:
    """Say in what this request and machine differ from those that a file was made for."""
    found = [
        f"{name.replace('_', ' ')} is {value}, and the file was made for {tuned.identity[name]}"
        for name, value in identity_of(request).items()
        if value != tuned.identity[name]
    ]
    system = describe_system()
    found.extend(
        f"{name.replace('_', ' ')}: {system.get(name)} here, {tuned.machine[name]} in the file"
        for name in _MACHINE
        if name in tuned.machine and system.get(name) != tuned.machine[name]
    )
    found.extend(_version_differences(request, tuned))
    missing = [one.value for one in request.chosen_scenarios if one not in tuned.setups]
    if missing:
        found.append(f"it says nothing of {', '.join(missing)}, which run with the defaults")
    return found


def _version_differences(request: RunRequest, tuned: TunedFile) -> list[str]:
    made_with = tuned.versions.get("backend")
    if request.backend != tuned.identity["backend"] or not made_with:
        return []
    try:
        version = get_backend(request.backend).version()
    except MissingBackendError:
        return []  # the run itself says what to install
    if version == made_with:
        return []
    return [f"{request.backend} is {version} here, {made_with} in the file"]
