"""Rounds: the rules as data. Code here only loads and validates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources

from inferometer.loadgen import Era, Scenario, Settings, SettingsError, nearest_name
from inferometer.logs import apply_config, builtin_config
from inferometer.rounds.area import Area, read_area
from inferometer.rounds.audit import Audit, read_audit
from inferometer.rounds.benchmark import Benchmark, Frame, read_benchmark
from inferometer.rounds.query_counts import QueryCounts, read_query_counts
from inferometer.rounds.scenarios import ScenarioRules, read_scenarios
from inferometer.rounds.table import RoundError, Table, read_toml
from inferometer.rounds.tree_rules import (
    RequiredFiles,
    SystemKeys,
    read_files,
    read_system_keys,
)

__all__ = ["Round", "Seeds", "load_round", "read_round", "round_names"]

_FILES = {"v0.5": "v0_5.toml", "v6.1": "v6_1.toml"}


@dataclass(frozen=True)
class Seeds:
    """Seeds that the round prescribes, unsigned 64-bit numbers."""

    qsl: int
    sample_index: int
    schedule: int


@dataclass(frozen=True)
class Round:
    """A published round: its benchmarks, and everything that its rules fix by a number.

    scenario_rules:
        What holds for each scenario, whatever the benchmark, in the order of the rules.
    number_formats:
        Formats of weights and activations in the closed division, each with the words that
        mean it; empty where the round doesn't restrict them.
    loadgen_revisions:
        Commits of LoadGen that may be used, by how they begin; empty where none are named.
    divisions, system_types:
        The words that a submission may use; no system types where the round doesn't ask.
    retired_names:
        Names that the published checker takes for benchmarks that the round no longer has,
        whatever a submitter means by them.
    """

    name: str
    era: Era
    scenario_rules: Mapping[Scenario, ScenarioRules]
    query_counts: QueryCounts
    seeds: Seeds
    divisions: tuple[str, ...]
    system_types: tuple[str, ...]
    files: RequiredFiles
    system_keys: SystemKeys
    measurement_keys: tuple[str, ...]
    number_formats: Mapping[str, tuple[str, ...]]
    loadgen_revisions: tuple[str, ...]
    retired_names: tuple[str, ...]
    benchmarks: Mapping[str, Benchmark]
    areas: Mapping[str, Area]
    audits: Mapping[str, Audit]

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios of the round, in the order of its rules."""
        return tuple(self.scenario_rules)

    @property
    def runs(self) -> Mapping[Scenario, int]:
        """How many performance runs a scenario has to be submitted with."""
        return {scenario: rules.runs for scenario, rules in self.scenario_rules.items()}

    @property
    def least_samples(self) -> Mapping[Scenario, int]:
        """Samples that a run has to process at least, whatever the benchmark."""
        return {s: rules.least_samples for s, rules in self.scenario_rules.items()}

    def number_format_of(self, word: str) -> str | None:
        """Give the format of the closed division that a word means; ``None`` for none."""
        for name, words in self.number_formats.items():
            if word.lower() in words:
                return name
        return None

    def benchmark_of(self, name: str) -> Benchmark | None:
        """Give the benchmark that the published checker takes a name for; ``None`` for none.

        The official name decides, then the longest alias that fits.
        """
        if name in self.benchmarks:
            return self.benchmarks[name]
        fitting = [
            (len(alias), benchmark)
            for benchmark in self.benchmarks.values()
            for alias in benchmark.aliases
            if fnmatchcase(name, alias)
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def settings(self, scenario: Scenario, benchmark: str) -> Settings:
        """Give the settings that the round prescribes for a benchmark and a scenario.

        A name that the built-in configuration has is looked up there as it is, another one as
        the benchmark that it stands for; one that the round doesn't know gets what holds for all.
        """
        table = builtin_config(self.era)
        known = self.benchmark_of(benchmark)
        has_rows = any(path.startswith(f"{benchmark}.") for path in table.values)
        settings, errors = apply_config(
            Settings(era=self.era, scenario=scenario),
            table,
            known.reference_name if known and not has_rows else benchmark,
            scenario.value,
            takes_seeds=True,
        )
        if errors:
            raise SettingsError(f"round {self.name}: {'; '.join(errors)}")
        least_samples = known.least_samples if known else self.least_samples
        least = least_samples.get(scenario, 0)
        if scenario is Scenario.OFFLINE and least:
            settings = settings.replace(min_query_count=max(least, settings.min_query_count))
        return settings

    def scenarios_for(self, area: str, benchmark: str, *, is_closed: bool) -> tuple[Scenario, ...]:
        """Give the scenarios to run for an area, in the order of the rules.

        Those of the area, and for the closed division those that a benchmark has to be submitted
        with on such a system. Raises `SettingsError` for an unknown area.
        """
        if area not in self.areas:
            hint = nearest_name(area, self.areas)
            raise SettingsError(f"there is no area {area!r}{hint}; known: {', '.join(self.areas)}")
        chosen = self.areas[area]
        wanted = {scenario.value for scenario in chosen.scenarios}
        known = self.benchmark_of(benchmark)
        groups = known.required_for(chosen.system_type) if known and is_closed else ()
        for group in groups:
            if wanted.isdisjoint(group):
                wanted.add(group[0])
        return tuple(scenario for scenario in self.scenarios if scenario.value in wanted)


def round_names() -> list[str]:
    """Give the names of the rounds that are known."""
    return sorted(_FILES)


def load_round(name: str) -> Round:
    """Load a round; raise `SettingsError` for an unknown one, suggesting the nearest."""
    if name not in _FILES:
        hint = nearest_name(name, _FILES)
        raise SettingsError(f"there is no round {name!r}{hint}; known: {', '.join(round_names())}")
    return read_round(read_toml(resources.files("inferometer.rounds").joinpath(_FILES[name])))


def read_round(table: Table) -> Round:
    """Read a round; raise `RoundError` that names the file and the key of what is wrong."""
    scenarios = read_scenarios(table.table("scenarios"))
    names = tuple(scenario.value for scenario in scenarios) + table.texts("other_scenarios", ())
    frame = Frame(scenarios, names, table.texts("system_types", ()))
    rows = table.table("benchmarks")
    benchmarks = {name: read_benchmark(rows.table(name), name, frame) for name in rows.names()}
    known = (tuple(scenarios), tuple(benchmarks))
    areas, audits = table.table("areas"), table.table("audits")
    formats = table.table("number_formats", may_miss=True)
    found = Round(
        name=table.text("name"),
        era=table.word("era", Era, "era"),
        scenario_rules=scenarios,
        query_counts=read_query_counts(table.table("query_counts")),
        seeds=_seeds(table.table("seeds")),
        divisions=table.texts("divisions"),
        system_types=frame.system_types,
        files=read_files(table.table("files")),
        system_keys=read_system_keys(table.table("system_keys")),
        measurement_keys=table.texts("measurement_keys"),
        number_formats={name: formats.texts(name) for name in formats.names()},
        loadgen_revisions=table.texts("loadgen_revisions"),
        retired_names=table.texts("retired_names", ()),
        benchmarks=benchmarks,
        areas={name: read_area(areas.table(name), name, *known) for name in areas.names()},
        audits={name: read_audit(audits.table(name), name, *known) for name in audits.names()},
    )
    table.finish()
    return found


def _seeds(table: Table) -> Seeds:
    seeds = Seeds(table.count("qsl"), table.count("sample_index"), table.count("schedule"))
    table.finish()
    for key, seed in vars(seeds).items():
        if seed >= 2**64:
            raise RoundError(f"{table.where(key)} is {seed}; seeds are below 2^64")
    return seeds
