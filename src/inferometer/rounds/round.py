"""Rounds: the rules as data. Code here only loads and validates."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from inferometer.loadgen import Era, Scenario, Settings, SettingsError, nearest_name
from inferometer.logs import apply_config, builtin_config

__all__ = ["Round", "load_round", "round_names"]

_FILES = {"v0.5": "v0_5.toml"}


@dataclass(frozen=True)
class Round:
    """A published round: era, scenarios, and how often each has to be run."""

    name: str
    era: Era
    scenarios: tuple[Scenario, ...]
    runs: Mapping[Scenario, int]
    least_samples: Mapping[Scenario, int]

    def settings(self, scenario: Scenario, benchmark: str) -> Settings:
        """Give the settings that the round prescribes for a benchmark and a scenario."""
        asked = Settings(era=self.era, scenario=scenario)
        settings, errors = apply_config(
            asked, builtin_config(self.era), benchmark, scenario.value, takes_seeds=True
        )
        if errors:
            raise SettingsError(f"round {self.name}: {'; '.join(errors)}")
        least = self.least_samples.get(scenario)
        if scenario is Scenario.OFFLINE and least:
            settings = settings.replace(min_query_count=max(least, settings.min_query_count))
        return settings


def round_names() -> list[str]:
    """Give the names of the rounds that are known."""
    return sorted(_FILES)


def load_round(name: str) -> Round:
    """Load a round; raise `SettingsError` for an unknown one, suggesting the nearest."""
    if name not in _FILES:
        hint = nearest_name(name, _FILES)
        raise SettingsError(f"there is no round {name!r}{hint}; known: {', '.join(round_names())}")
    text = resources.files("inferometer.rounds").joinpath(_FILES[name]).read_text("utf-8")
    data = tomllib.loads(text)
    return Round(
        name=data["name"],
        era=Era(data["era"]),
        scenarios=tuple(Scenario(word) for word in data["scenarios"]),
        runs={Scenario(word): count for word, count in data["runs"].items()},
        least_samples={Scenario(word): count for word, count in data["least_samples"].items()},
    )
