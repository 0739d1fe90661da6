"""Identity of a session: everything that has to be the same when it is gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inferometer.loadgen import Mode
from inferometer.runs.chooser import Chooser
from inferometer.runs.effort import Pace
from inferometer.runs.kept_request import plain_options
from inferometer.runs.loaded import LoadedWorkload
from inferometer.runs.request import RunRequest
from inferometer.runs.system import describe_system

__all__ = ["changes", "identity_of"]

_MACHINE = (
    "host",
    "processor",
    "architecture",
    "physical_cores",
    "logical_cores",
    "usable_cores",
    "memory_gib",
    "python",
)
# Settings are compared as they come out for one speed: what was guessed from the speed is kept
# with the session.
_ANY_PACE = Pace(1e-3, 1e3)


def identity_of(request: RunRequest, loaded: LoadedWorkload) -> dict[str, Any]:
    """Give what has to be the same, as plain names and values: workload, model, machine."""
    info, system = loaded.workload.info, describe_system()
    chooser = Chooser(request, info)
    machine = {name: system[name] for name in _MACHINE if name in system}
    if "memory_gib" in machine:
        # A kernel update alone changes how much of the memory is left to give.
        machine["memory_gib"] = round(machine["memory_gib"])
    chosen = plain_options(request.workload_options)
    return {
        "workload": {
            "name": info.name,
            "data set": info.data_set,
            "samples": info.sample_count,
            # Files are told by their content, wherever they lie.
            **{name: value for name, value in chosen.items() if name not in ("data", "model")},
        },
        "sha256 of the model": loaded.model_sha256,
        "backend": dict(loaded.backend_description),
        "inferometer": system.get("packages", {}).get("inferometer", ""),
        "settings": {
            scenario.value: chooser.choose(scenario, Mode.PERFORMANCE, _ANY_PACE)[0].to_mapping()
            for scenario in request.chosen_scenarios
        },
        "machine": machine,
    }


def changes(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Say what differs between two identities, each difference by its place."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from changes(before.get(key), after.get(key), f"{name} {key}".strip())
    elif _plain(before) != _plain(after):
        yield f"{name} was {_shown(before)}, is {_shown(after)}"


def _plain(value: Any) -> Any:
    """Give a value as it comes back from JSON."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | None):
        return value
    return str(value)


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
