"""Kept request: what a session was asked to do as plain JSON, written and read back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from inferometer.backends import BackendOptions
from inferometer.loadgen import Mode, Scenario
from inferometer.logs import ConfigTable
from inferometer.rounds import load_round
from inferometer.runs.effort import Effort
from inferometer.runs.request import Isolation, RunRequest, ServingOptions, SystemOptions
from inferometer.workloads import WorkloadOptions

__all__ = ["plain_options", "request_from", "request_mapping"]

_PATHS = ("data", "model")
_MEMBER = ":"
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class _KeptSettings:
    """Settings as they were given by the request that was kept."""

    by_scenario: Mapping[str, Mapping[str, Any]]

    def __call__(self, scenario: Scenario) -> Mapping[str, Any]:
        """Give what overrides the settings of a scenario."""
        return self.by_scenario.get(scenario.value, {})


def request_mapping(request: RunRequest) -> dict[str, Any]:
    """Give a request as plain names and values, ready for JSON, without its folder."""
    return {
        "workload": request.workload,
        "workload_options": plain_options(request.workload_options),
        "working_folder": str(Path.cwd()),
        "backend": request.backend,
        "backend_options": _fields(request.backend_options),
        "serving": _fields(request.serving),
        "tuned": {scenario.value: _setup(setup) for scenario, setup in request.tuned.items()},
        "isolation": None if request.isolation is None else _fields(request.isolation),
        "scenarios": [scenario.value for scenario in request.scenarios],
        "modes": [mode.value for mode in request.modes],
        "accuracy_scenarios": None
        if request.accuracy_scenarios is None
        else [scenario.value for scenario in request.accuracy_scenarios],
        "effort": _fields(request.effort),
        "round": None if request.round is None else request.round.name,
        "division": request.division,
        "area": request.area,
        "remarks": list(request.remarks),
        "session_id": request.session_id,
        "user_conf": None if request.user_conf is None else _fields(request.user_conf),
        "enable_trace": request.enable_trace,
        "settings": {
            scenario.value: {name: _plain(v) for name, v in request.settings(scenario).items()}
            for scenario in request.chosen_scenarios
        },
        "command": request.command,
    }


def request_from(values: Mapping[str, Any], output: Path, *, resumes: bool) -> RunRequest:
    """Read a request that was kept, for a session in a folder, or to go on with one there.

    Raises `KeyError`, `TypeError` or `ValueError` for one that isn't whole.
    """
    isolation, user_conf = values["isolation"], values["user_conf"]
    accuracy = values["accuracy_scenarios"]
    return RunRequest(
        workload=str(values["workload"]),
        output=output,
        workload_options=_workload_options(values["workload_options"], values["working_folder"]),
        backend=str(values["backend"]),
        backend_options=_made(BackendOptions, values["backend_options"]),
        serving=_made(ServingOptions, values["serving"]),
        tuned={
            Scenario(word): SystemOptions(
                _made(BackendOptions, setup["backend"]), _made(ServingOptions, setup["serving"])
            )
            for word, setup in values["tuned"].items()
        },
        isolation=None if isolation is None else _made(Isolation, isolation),
        scenarios=_scenarios(values["scenarios"]),
        modes=tuple(Mode(word) for word in values["modes"]),
        accuracy_scenarios=None if accuracy is None else _scenarios(accuracy),
        effort=_made(Effort, values["effort"]),
        round=None if values["round"] is None else load_round(str(values["round"])),
        division=str(values["division"]),
        area=str(values["area"]),
        remarks=tuple(values["remarks"]),
        session_id=str(values["session_id"]),
        resumes=resumes,
        user_conf=None if user_conf is None else _made(ConfigTable, user_conf),
        enable_trace=bool(values["enable_trace"]),
        settings=_KeptSettings({word: dict(row) for word, row in values["settings"].items()}),
        command=str(values["command"]),
    )


def plain_options(options: WorkloadOptions) -> dict[str, Any]:
    """Give what the user chose about the workload, as JSON takes it; defaults are left out."""
    default = WorkloadOptions()
    return {
        field.name: _plain(value)
        for field in dataclasses.fields(options)
        if (value := getattr(options, field.name)) != getattr(default, field.name)
    }


def _workload_options(values: Mapping[str, Any], working_folder: str) -> WorkloadOptions:
    """Read the options of a workload; its files are looked for from where the run began."""
    options = dict(values)
    for name in _PATHS:
        if options.get(name) is not None:
            options[name] = _from_folder(Path(options[name]), Path(working_folder))
    return _made(WorkloadOptions, options)


def _made(kind: type[_Made], values: Mapping[str, Any]) -> _Made:
    """Make an object of values that were read; raise `TypeError` if one is of another type."""
    for name, hint in get_type_hints(kind).items():
        if name not in values:
            continue
        value = values[name]
        choices = [get_origin(choice) or choice for choice in get_args(hint) or [hint]]
        if get_origin(hint) not in (None, UnionType):
            choices = [get_origin(hint)]
        # Numbers that happen to be whole come back as integers; a flag is no number.
        is_whole = float in choices and isinstance(value, int)
        is_flag = isinstance(value, bool) and bool not in choices
        if is_flag or not (is_whole or isinstance(value, tuple(choices))):
            raise TypeError(f"{name} is {value!r}")
    return kind(**values)


def _from_folder(path: Path, folder: Path) -> Path:
    """Give a path as it was meant in a folder, where it names something there."""
    if path.is_absolute() or Path.cwd() == folder:
        return path
    meant = folder / path
    # A function is named behind the file that it stands in.
    file = Path(str(meant).partition(_MEMBER)[0]) if ".py:" in str(meant) else meant
    return meant if file.exists() else path


def _scenarios(words: list[str]) -> tuple[Scenario, ...]:
    return tuple(Scenario(word) for word in words)


def _setup(setup: SystemOptions) -> dict[str, Any]:
    return {"backend": _fields(setup.backend), "serving": _fields(setup.serving)}


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    """Give a value as JSON takes it: words for members of enumerations, texts for paths."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return getattr(value, "value", value)
