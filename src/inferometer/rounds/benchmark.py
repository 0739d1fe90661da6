"""Benchmark: one model's row in the tables of a round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.loadgen import Scenario, nearest_name
from inferometer.rounds.scenarios import ScenarioRules
from inferometer.rounds.table import RoundError, Table

__all__ = ["Benchmark", "Frame", "Limit", "TokenBounds", "read_benchmark"]


@dataclass(frozen=True)
class Limit:
    """What another score of a benchmark has to lie between; ``None`` where it needn't."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class TokenBounds:
    """Bounds of models that answer token by token, in milliseconds, at the 99th percentile."""

    first_token_ms: float
    per_token_ms: float


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of a round.

    name, reference_name:
        The directory in published results, and the name in LoadGen's configuration files.
    aliases:
        Other names that the published checker takes for it; ``*`` stands for anything.
    task:
        "classification", "detection", "translation", or another word.
    dataset_size:
        Samples of the data set. ``dataset_size_without_empty`` is how many are left in the
        variant of the reference that drops images without annotations.
    accuracy_sample_count:
        Samples that an accuracy run issues, where that isn't the whole data set.
    performance_sample_count:
        The least number of samples that have to be loaded at once.
    metric, reference_value, quality, target_value:
        What the first score is called, what the reference model reaches, which share of that is
        required, and the number that comes of it; in the unit of ``accuracy.txt``.
    limits:
        Other scores that have to be met.
    server_latency_ms, interactive_latency_ms, multi_stream_interval_ms:
        Bounds at the percentile of the scenario; ``None`` where there is none.
    token_bounds:
        Bounds by scenario, "Interactive" being one of them.
    percentiles, min_query_count, least_samples, min_duration_ms:
        By scenario: the share of queries within the bound, the least number of queries, of
        samples, and the least duration.
    required:
        By kind of system ("datacenter", "edge", "datacenter,edge"): the scenarios that a closed
        submission has to have. Each is a group of names of which one is enough.
    """

    name: str
    reference_name: str
    aliases: tuple[str, ...]
    task: str
    dataset: str
    dataset_size: int
    performance_sample_count: int
    metric: str
    reference_value: float | None
    quality: float | None
    target_value: float
    percentiles: Mapping[Scenario, float]
    min_query_count: Mapping[Scenario, int]
    least_samples: Mapping[Scenario, int]
    min_duration_ms: Mapping[Scenario, int]
    dataset_size_without_empty: int | None = None
    accuracy_sample_count: Mapping[str, int] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    server_latency_ms: float | None = None
    interactive_latency_ms: float | None = None
    multi_stream_interval_ms: float | None = None
    token_bounds: Mapping[str, TokenBounds] = field(default_factory=dict)
    required: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @property
    def server_percentile(self) -> float:
        """The share of Server queries that have to stay within the bound."""
        return self.percentiles[Scenario.SERVER]

    def required_for(self, system_type: str) -> tuple[tuple[str, ...], ...]:
        """Give the scenarios that a closed submission of such a system has to have.

        Each is a group of names of which one is enough. A system of two kinds has to have what
        either needs, unless the round says otherwise.
        """
        if system_type in self.required:
            return self.required[system_type]
        kinds = sorted(system_type.split(","))
        if ",".join(kinds) in self.required:
            return self.required[",".join(kinds)]
        groups = (group for kind in kinds for group in self.required.get(kind, ()))
        return tuple(dict.fromkeys(groups))


@dataclass(frozen=True)
class Frame:
    """What a round says above its benchmarks, which they refer to or take over.

    ``scenario_names`` are those of the scenarios and of others that aren't LoadGen's.
    """

    scenarios: Mapping[Scenario, ScenarioRules]
    scenario_names: tuple[str, ...]
    system_types: tuple[str, ...]


def read_benchmark(table: Table, name: str, frame: Frame) -> Benchmark:
    """Read a benchmark; what it doesn't set by scenario is the round's.

    Raises `RoundError` for an unknown key, a wrong type, and a target that isn't the reference
    times its share.
    """
    by_default = frame.scenarios
    found = Benchmark(
        name=name,
        reference_name=table.text("reference_name"),
        aliases=table.texts("aliases", ()),
        task=table.text("task"),
        dataset=table.text("dataset"),
        dataset_size=table.count("dataset_size"),
        dataset_size_without_empty=table.optional("dataset_size_without_empty", table.count),
        accuracy_sample_count=_counts(table.table("accuracy_sample_count", may_miss=True), frame),
        performance_sample_count=table.count("performance_sample_count"),
        metric=table.text("metric"),
        reference_value=table.optional("reference_value", table.number),
        quality=table.optional("quality", table.number),
        target_value=table.number("target_value"),
        limits=tuple(_limit(limit) for limit in table.tables("limits", may_miss=True)),
        server_latency_ms=table.optional("server_latency_ms", table.number),
        interactive_latency_ms=table.optional("interactive_latency_ms", table.number),
        multi_stream_interval_ms=table.optional("multi_stream_interval_ms", table.number),
        token_bounds=_token_bounds(table.table("token_bounds", may_miss=True), frame),
        required=_required(table.table("required", may_miss=True), frame),
        percentiles={s: rules.percentile for s, rules in by_default.items()}
        | table.by_scenario("percentiles", Table.share),
        min_query_count={s: rules.min_query_count for s, rules in by_default.items()}
        | table.by_scenario("min_query_count", Table.count),
        least_samples={s: rules.least_samples for s, rules in by_default.items()}
        | table.by_scenario("least_samples", Table.count),
        min_duration_ms={s: rules.min_duration_ms for s, rules in by_default.items()}
        | table.by_scenario("min_duration_ms", Table.count),
    )
    table.finish()
    _check_target(table, found)
    return found


def _limit(table: Table) -> Limit:
    limit = Limit(
        table.text("metric"),
        table.optional("at_least", table.number),
        table.optional("at_most", table.number),
    )
    table.finish()
    return limit


def _counts(table: Table, frame: Frame) -> dict[str, int]:
    for scenario in table.names():
        _check_scenario(table, scenario, scenario, frame)
    return {scenario: table.count(scenario) for scenario in table.names()}


def _token_bounds(table: Table, frame: Frame) -> dict[str, TokenBounds]:
    bounds = {}
    for scenario in table.names():
        _check_scenario(table, scenario, scenario, frame)
        inner = table.table(scenario)
        bounds[scenario] = TokenBounds(inner.number("first_token_ms"), inner.number("per_token_ms"))
        inner.finish()
    return bounds


def _required(table: Table, frame: Frame) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Read lists of scenarios; ``A|B`` is a group of which one is enough."""
    found = {}
    for system_type in table.names():
        if system_type not in frame.system_types:
            raise RoundError(
                f"{table.where(system_type)} is no kind of system; known: "
                f"{'; '.join(frame.system_types)}"
            )
        groups = tuple(tuple(item.split("|")) for item in table.texts(system_type))
        for word in (word for group in groups for word in group):
            _check_scenario(table, system_type, word, frame)
        found[system_type] = groups
    return found


def _check_scenario(table: Table, key: str, word: str, frame: Frame) -> None:
    if word not in frame.scenario_names:
        raise RoundError(
            f"{table.where(key)}: there is no scenario {word!r}"
            f"{nearest_name(word, frame.scenario_names)}"
        )


def _check_target(table: Table, found: Benchmark) -> None:
    """Hold target, reference and share together, so that none can be mistyped alone."""
    if found.reference_value is None or found.quality is None:
        return
    product = found.reference_value * found.quality
    if abs(product - found.target_value) > 1e-9 * product:
        raise RoundError(
            f"{table.where('target_value')} is {found.target_value}; "
            f"{found.quality} of {found.reference_value} is {product:.10g}"
        )
