"""What a round asks of a scenario, whatever the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds.table import Table

__all__ = ["ScenarioRules", "read_scenarios"]


@dataclass(frozen=True)
class ScenarioRules:
    """The round's numbers for one scenario.

    runs:
        Performance runs of a submission.
    percentile:
        The share of queries that the metric, or the bound, is about.
    samples_per_query:
        Samples of a query; ``None`` where the submitter chooses, or the scenario decides.
    """

    runs: int
    percentile: float
    min_duration_ms: int
    min_query_count: int
    least_samples: int
    samples_per_query: int | None
    metric: str


def read_scenarios(table: Table) -> dict[Scenario, ScenarioRules]:
    """Read the table of scenarios, in the order of the file."""
    found = {}
    for scenario in table.scenario_keys():
        inner = table.table(scenario.value)
        found[scenario] = ScenarioRules(
            runs=inner.count("runs"),
            percentile=inner.share("percentile"),
            min_duration_ms=inner.count("min_duration_ms"),
            min_query_count=inner.count("min_query_count"),
            least_samples=inner.count("least_samples", 0),
            samples_per_query=inner.optional("samples_per_query", inner.count),
            metric=inner.text("metric"),
        )
        inner.finish()
    return found
