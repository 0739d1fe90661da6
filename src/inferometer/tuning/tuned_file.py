"""Tuned file: TOML with the setup of each scenario, written by `tune` and read by `run`."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.backends import BackendOptions
from inferometer.loadgen import (
    InferometerError,
    Scenario,
    nearest_name,
    write_atomically,
)
from inferometer.runs import ServingOptions, SystemOptions
from inferometer.runs.folder import write_json
from inferometer.tuning.candidates import described
from inferometer.tuning.tuned import TunedScenario, Tuning

__all__ = ["TunedFile", "TunedFileError", "read_tuned_file", "write_tuned_file"]

_FORMAT = 1
_SCENARIOS = {scenario.value: scenario for scenario in Scenario}
_IDENTITY = ("workload", "backend", "device", "number_format")
_HEAD = ("format", *_IDENTITY, "made_at", "command", "machine", "versions")
_SERVINGS = ("inline", "pool")
_TABLE = ("outcome", "threads", "serving", "workers", "max_batch", "max_wait_ms")
_SUB_TABLES = ("backend_options", "gain")
_TRIALS = ".trials.json"


class TunedFileError(InferometerError):
    """A tuned file is missing, or something in it is wrong; the message names the line."""


@dataclass(frozen=True)
class TunedFile:
    """What a tuned file says: setups, and where and for what they were found."""

    path: Path
    identity: Mapping[str, str]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    setups: Mapping[Scenario, SystemOptions] = field(default_factory=dict)


def write_tuned_file(path: Path, tuning: Tuning) -> Path:
    """Write the TOML file, and every trial beside it as JSON, whose path is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    trials = path.with_name(path.stem + _TRIALS)
    write_atomically(path, _text(tuning, trials.name).encode("utf-8"))
    write_json(
        trials,
        {
            found.scenario.value: [trial.to_mapping() for trial in found.trials]
            for found in tuning.scenarios
        },
    )
    return trials


def _text(tuning: Tuning, trials: str) -> str:
    lines = [
        "# Written by `inferometer tune`; `inferometer run` takes it as --tuned FILE.",
        f"# Every trial, those of the fresh runs too, is in {trials}.",
    ]
    lines += _assignments(
        {
            "format": _FORMAT,
            **tuning.identity,
            "made_at": tuning.made_at,
            "command": tuning.command,
        }
    )
    lines += ["", "[machine]", *_assignments(tuning.machine)]
    lines += ["", "[versions]", *_assignments(tuning.versions)]
    for found in tuning.scenarios:
        lines += ["", *_scenario_lines(found)]
    return "\n".join(lines) + "\n"


def _scenario_lines(found: TunedScenario) -> list[str]:
    name, options = found.scenario.value, found.options
    lines = [f"# {found.summary}"]
    if found.found is not None and found.options != found.found:
        lines.append(f"# the best that was found: {described(found.found)}")
    lines += [f"[{name}]"]
    lines += _assignments(
        {
            "outcome": found.outcome.value,
            "threads": options.backend.threads or 1,
            "serving": options.serving.kind,
            "workers": options.serving.workers,
            "max_batch": options.serving.max_batch_size,
            "max_wait_ms": options.serving.max_wait_ms,
        }
    )
    if options.backend.extra:
        lines += ["", f"[{name}.backend_options]", *_assignments(options.backend.extra)]
    if found.gain is not None:
        lines += [
            "",
            f"# how many times as good as the defaults, in {found.gain.pairs} pairs of fresh runs",
            f"[{name}.gain]",
        ]
        lines += _assignments(
            {
                "value": round(found.gain.value, 4),
                "low": round(found.gain.low, 4),
                "high": round(found.gain.high, 4),
                "pairs": found.gain.pairs,
                "metric": found.metric,
                "unit": found.unit,
                "defaults_median": found.default_value,
                "found_median": found.found_value,
            }
        )
    return lines


def _assignments(values: Mapping[str, Any]) -> list[str]:
    return [
        f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None
    ]


def _key(name: str) -> str:
    is_bare = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if is_bare else _value(name)


def _value(value: Any) -> str:
    # JSON and TOML write whole numbers, finite numbers and strings alike, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_tuned_file(path: Path) -> TunedFile:
    """Read a tuned file; raise `TunedFileError` naming file, line and what is right."""
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise TunedFileError(
            f"{path}: {error.strerror or error}; `inferometer tune` writes such a file"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TunedFileError(f"{path}: not a TOML file: {error}") from error
    return _Reader(path, text, data).read()


class _Reader:
    """Takes a file apart, knowing where each name stands."""

    def __init__(self, path: Path, text: str, data: dict[str, Any]):
        self._path, self._text, self._data = path, text, data

    def read(self) -> TunedFile:
        found = self._data.get("format")
        if found != _FORMAT:
            raise TunedFileError(
                f"{self._at('format')}: format is {found!r}, and {_FORMAT} was expected; make the "
                "file again with `inferometer tune`"
            )
        self._check_names(self._data, (*_HEAD, *_SCENARIOS))
        return TunedFile(
            path=self._path,
            identity={name: self._word(self._data, name) for name in _IDENTITY},
            machine=self._table(self._data, "machine"),
            versions=self._table(self._data, "versions"),
            setups={
                scenario: self._setup(name, self._table(self._data, name))
                for name, scenario in _SCENARIOS.items()
                if name in self._data
            },
        )

    def _setup(self, scenario: str, table: Mapping[str, Any]) -> SystemOptions:
        self._check_names(table, (*_TABLE, *_SUB_TABLES), scenario)
        extra = self._table(table, "backend_options")
        kind = self._word(table, "serving", scenario)
        if kind not in _SERVINGS:
            raise self._wrong("serving", kind, " or ".join(_SERVINGS), scenario)
        for name, value in extra.items():
            if not isinstance(value, str):
                raise self._wrong(name, value, "a string", f"{scenario}.backend_options")
        return SystemOptions(
            BackendOptions(threads=self._count(table, "threads", scenario), extra=extra),
            ServingOptions(
                kind=kind,
                workers=self._count(table, "workers", scenario),
                max_batch_size=self._count(table, "max_batch", scenario),
                max_wait_ms=self._wait_ms(table, scenario),
            ),
        )

    def _check_names(
        self, values: Mapping[str, Any], known: tuple[str, ...], section: str = ""
    ) -> None:
        for name in values:
            if name not in known:
                hint = nearest_name(name, known)
                raise TunedFileError(
                    f"{self._at(name, section)}: there is no {name!r}{hint}; known: "
                    f"{', '.join(known)}"
                )

    def _table(self, values: Mapping[str, Any], name: str) -> dict[str, Any]:
        found = values.get(name, {})
        if not isinstance(found, dict):
            raise self._wrong(name, found, "a table")
        return found

    def _word(self, values: Mapping[str, Any], name: str, section: str = "") -> str:
        found = values.get(name)
        if not isinstance(found, str):
            raise self._wrong(name, found, "a string", section)
        return found

    def _count(self, values: Mapping[str, Any], name: str, section: str) -> int:
        found = values.get(name)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise self._wrong(name, found, "a whole number from 1 up", section)
        return found

    def _wait_ms(self, values: Mapping[str, Any], section: str) -> float:
        found = values.get("max_wait_ms", 0.0)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        if not is_number or not 0 <= found < math.inf:
            raise self._wrong("max_wait_ms", found, "a number from 0 up", section)
        return float(found)

    def _wrong(self, name: str, found: Any, expected: str, section: str = "") -> TunedFileError:
        seen = "is missing" if found is None else f"is {found!r}"
        return TunedFileError(f"{self._at(name, section)}: {name} {seen}; it has to be {expected}")

    def _at(self, name: str, section: str = "") -> str:
        """Give the file, with the line of a name or table in a section if it stands there."""
        current, heading = "", str(self._path)
        for number, line in enumerate(self._text.splitlines(), start=1):
            words, here = line.strip(), f"{self._path}, line {number}"
            if words.startswith("["):
                current = words.strip("[] ")
                if current == (section or name):
                    heading = here
            elif current == section and words.partition("=")[0].strip().strip('"') == name:
                return here
        return heading
