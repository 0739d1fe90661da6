"""Settings files of our own: TOML, where an unknown name is an error."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from inferometer.loadgen import Scenario, Settings, SettingsError, nearest_name

__all__ = ["parse_assignment", "read_settings_file"]

_SCENARIO_WORDS = tuple(scenario.value for scenario in Scenario)


def read_settings_file(path: Path, scenario: Scenario) -> dict[str, Any]:
    """Read the settings that a TOML file gives for a scenario.

    Names at the top hold for every scenario; a table named after a scenario holds for it
    and comes second::

        min_duration_ms = 60000
        [Server]
        server_target_qps = 500

    Raises `SettingsError` that names the file, the line and the nearest right name.
    """
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from error
    merged: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            if name not in _SCENARIO_WORDS:
                hint = nearest_name(name, _SCENARIO_WORDS)
                place = _place(path, text, rf"\[\s*{re.escape(name)}\s*\]")
                raise SettingsError(
                    f"{place}: there is no scenario {name!r}{hint}; tables are "
                    f"{', '.join(_SCENARIO_WORDS)}"
                )
            _check(path, text, value)
        else:
            _check(path, text, {name: value})
            merged[name] = value
    merged.update(data.get(scenario.value, {}))
    return merged


def _check(path: Path, text: str, values: dict[str, Any]) -> None:
    """Check each name and value by itself, so that the message can name its line."""
    for name, value in values.items():
        try:
            Settings.check_names({name: value})
            # Scenario and era decide what else may be set, so those are checked later.
            Settings.check_value(name, value)
        except SettingsError as error:
            place = _place(path, text, rf"{re.escape(name)}\s*=")
            raise SettingsError(f"{place}: {error}") from None


def _place(path: Path, text: str, pattern: str) -> str:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"\s*\"?{pattern}", line):
            return f"{path}, line {number}"
    return str(path)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Parse ``name=value`` from the command line; the value is TOML, or else plain text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{text!r} is not an assignment; write name=value")
    name = name.strip()
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    Settings.check_names({name: parsed})
    return name, parsed
