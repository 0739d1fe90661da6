"""Run requests from the command line's words: everything that `inferometer run` is asked."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from inferometer.backends import BackendOptions, computed_format, stored_format
from inferometer.loadgen import Era, Mode, Scenario, SettingsError
from inferometer.logs import ConfigTable, ignored_keys, read_config
from inferometer.rounds import Round, load_round
from inferometer.runs import (
    Effort,
    Isolation,
    RunRequest,
    ServingOptions,
    breaches,
    for_division_and_area,
    parse_assignment,
    read_settings_file,
)
from inferometer.tuning import TunedFile, differences, read_tuned_file, with_tuned
from inferometer.workloads import WorkloadOptions, get_workload, suite_or_workload

__all__ = [
    "MODES",
    "backend_options_of",
    "named_value",
    "requests_of",
    "scenarios_of",
    "usual_backend",
    "workload_options_of",
]

_SCENARIOS = {scenario.value.lower(): scenario for scenario in Scenario}
MODES = {
    "both": (Mode.ACCURACY, Mode.PERFORMANCE),
    "accuracy": (Mode.ACCURACY,),
    "performance": (Mode.PERFORMANCE,),
    "submission": (Mode.SUBMISSION,),
    "find-peak": (Mode.FIND_PEAK,),
}
_PYTHON = ".py:"


def requests_of(options: dict[str, Any], output: Path) -> list[RunRequest]:
    """Give a request for each workload that was asked for, each with a folder of its own.

    Raises `SettingsError` for what the closed division doesn't take.
    """
    tuned = read_tuned_file(options["tuned"]) if options["tuned"] else None
    if tuned is not None and options["backend"] is None:
        options = {**options, "backend": tuned.identity["backend"]}
    names = suite_or_workload(options["workload"])
    chosen_round = load_round(options["round_name"]) if options["round_name"] else None
    user_conf = _user_conf(options["user_conf"], chosen_round)
    requests = [
        _request(
            options, name, output if len(names) == 1 else output / name, chosen_round, user_conf
        )
        for name in names
    ]
    if tuned is not None:
        requests = [_tuned(request, tuned) for request in requests]
    return [_accepted(for_division_and_area(request)) for request in requests]


def _accepted(request: RunRequest) -> RunRequest:
    """Give a request that its division takes, as far as that is known before it is run."""
    if not request.is_closed:
        return request
    info = get_workload(request.workload, request.workload_options).info
    found = [f"{one.seen} ({one.rule.id})" for one in breaches(request, info)]
    if found:
        assert request.round is not None
        raise SettingsError(
            f"the {request.division} division of round {request.round.name} doesn't take this of "
            f"{request.workload}: {'; '.join(found)}. Leave it out, or run with --division open; "
            "`inferometer rules ID` explains each rule"
        )
    return request


def _tuned(request: RunRequest, tuned: TunedFile) -> RunRequest:
    """Apply a tuned file below what the user set; say on stderr what doesn't fit it."""
    for text in differences(request, tuned):
        click.echo(f"{tuned.path}: {text}", err=True)
    context = click.get_current_context()
    explicit = [
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    return with_tuned(request, tuned, explicit)


def _request(
    options: dict[str, Any],
    workload: str,
    output: Path,
    chosen_round: Round | None,
    user_conf: ConfigTable | None,
) -> RunRequest:
    return RunRequest(
        workload=workload,
        output=output,
        workload_options=workload_options_of(options),
        backend=usual_backend(options),
        backend_options=backend_options_of(options),
        isolation=_isolation(options),
        serving=ServingOptions(
            kind=options["serving"],
            workers=options["workers"],
            max_batch_size=options["max_batch"],
            max_wait_ms=options["max_wait_ms"],
            extra=dict(named_value(text) for text in options["serving_extra"]),
        ),
        scenarios=scenarios_of(options),
        modes=MODES[options["mode"]],
        effort=Effort(
            budget_s=options["budget"],
            least_s=min(1.0, options["budget"] / 2),
            precision=options["precision"],
            decides=options["decide"],
            error_rate=options["error_rate"],
            bound_ns=_bound_ns(options),
        ),
        round=chosen_round,
        division=options["division"] or "",
        area=options["area"] or "",
        user_conf=user_conf,
        enable_trace=options["trace"],
        settings=_overrides(options),
        command=shlex.join(["inferometer", *sys.argv[1:]]),
    )


def _bound_ns(options: dict[str, Any]) -> int | None:
    """Give the bound of the user's own; a round's rules hold as they are."""
    asked = "--decide" if options["decide"] else "--bound-ms" if options["bound_ms"] else ""
    if asked and options["round_name"]:
        raise click.UsageError(
            f"{asked} is for quick runs, and --round {options['round_name']} runs by the book; "
            "leave one of them out"
        )
    return round(options["bound_ms"] * 1e6) if options["bound_ms"] else None


def _isolation(options: dict[str, Any]) -> Isolation | None:
    """Give how the model runs apart, if it was asked to; a number of processes asks for it."""
    if not (options["isolate"] or options["processes"] or options["memory_limit_mib"]):
        return None
    limit_mib = options["memory_limit_mib"]
    return Isolation(options["processes"] or 1, limit_mib and limit_mib << 20)


def workload_options_of(options: dict[str, Any]) -> WorkloadOptions:
    """Give what the options of `workload_options` say."""
    return WorkloadOptions(
        data=options["data"],
        model=options["model"],
        weights=options["weights"],
        number_format=stored_format(options["number_format"]),
        count=options["count"],
        extra=dict(named_value(text) for text in options["workload_extra"]),
    )


def backend_options_of(options: dict[str, Any]) -> BackendOptions:
    """Give what the options of `backend_options` say, with the threads and the number format."""
    return BackendOptions(
        threads=options["threads"],
        device=options["device"],
        precision=computed_format(options["number_format"]),
        extra=dict(named_value(text) for text in options["extra"]),
    )


def usual_backend(options: dict[str, Any]) -> str:
    """Give the backend: a function in a Python file needs no naming of its own."""
    if options["backend"] is not None:
        return str(options["backend"])
    is_function = options["model"] is not None and _PYTHON in str(options["model"])
    return "python" if is_function else "onnxruntime"


def _user_conf(path: Path | None, chosen_round: Round | None) -> ConfigTable | None:
    """Read a user.conf; say on stderr what in it has no effect."""
    if path is None:
        return None
    table = read_config(path)
    if table.errors:
        raise SettingsError(f"{path}: {'; '.join(table.errors)}")
    era = chosen_round.era if chosen_round else Era.CURRENT
    for text in ignored_keys(table, era):
        click.echo(f"{path}: {text}", err=True)
    return table


def _overrides(options: dict[str, Any]) -> _Overrides:
    """Give what overrides the settings: the file, then single settings, then --target-qps."""
    single = dict(parse_assignment(text) for text in options["assignments"])
    if options["target_qps"] is not None:
        single["server_target_qps"] = options["target_qps"]
    return _Overrides(options["settings_file"], single)


@dataclass(frozen=True)
class _Overrides:
    """Settings from a file and single ones; a class, so that another process can be given it."""

    path: Path | None
    single: Mapping[str, Any]

    def __call__(self, scenario: Scenario) -> Mapping[str, Any]:
        """Give what overrides the settings of a scenario."""
        from_file = read_settings_file(self.path, scenario) if self.path else {}
        return {**from_file, **self.single}


def named_value(text: str) -> tuple[str, str]:
    """Split ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not an option; write name=value")
    return name.strip(), value.strip()


def scenarios_of(options: dict[str, Any]) -> tuple[Scenario, ...]:
    """Give the scenarios asked for, in any spelling; none for all."""
    return tuple(_scenario(word) for word in options["scenarios"])


def _scenario(word: str) -> Scenario:
    plain = word.lower().replace("-", "").replace("_", "")
    if plain not in _SCENARIOS:
        names = ", ".join(scenario.value for scenario in Scenario)
        raise click.BadParameter(f"there is no scenario {word!r}; known: {names}")
    return _SCENARIOS[plain]
