"""Audit: a compliance test of a round, as far as it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds.table import RoundError, Table

__all__ = ["Audit", "read_audit"]

_ALL = "all"


@dataclass(frozen=True)
class Audit:
    """An audit: why it is made, what ``audit.config`` holds, how far results may differ.

    config:
        Lines by scenario, such as ``*.Server.mode = 2``; none where the audit changes the data
        and not the settings.
    config_of:
        Lines by benchmark that come besides, such as ``*.*.accuracy_log_sampling_target = 64``.
    tolerance:
        The share by which the performance may differ from the submitted one; ``None`` where
        performance isn't compared.
    short_tolerance, short_latency_ns:
        The share that holds instead where the submitted latency is at most so many ns.
    is_two_sided:
        Whether a better performance counts as a difference too.
    accuracy_tolerance, accuracy_tolerance_of:
        The share by which accuracy may differ where answers aren't the same byte for byte, and
        another one for some benchmarks.
    logged_samples:
        Answers that a log should hold at least, by benchmark; "all" for the others.
    files:
        What has to be in the audit's folder.
    required_for:
        Benchmarks for which a closed submission has to have it; none where nobody has to.
    exempt:
        Benchmarks that it doesn't suit.
    """

    name: str
    purpose: str
    config: Mapping[Scenario, tuple[str, ...]]
    config_of: Mapping[str, tuple[str, ...]]
    tolerance: float | None
    short_tolerance: float | None
    short_latency_ns: Mapping[Scenario, int]
    is_two_sided: bool
    accuracy_tolerance: float | None
    accuracy_tolerance_of: Mapping[str, float]
    logged_samples: Mapping[str, int]
    files: tuple[str, ...]
    required_for: tuple[str, ...]
    exempt: tuple[str, ...]

    def config_text(self, scenario: Scenario, benchmark: str) -> str:
        """Give the text of ``audit.config``; empty where the audit needs none."""
        lines = (*self.config.get(scenario, ()), *self.config_of.get(benchmark, ()))
        return "".join(f"{line}\n" for line in lines)

    def tolerance_at(self, scenario: Scenario, latency_ns: float | None) -> float | None:
        """Give the share that holds for a submitted latency; ``None`` for the others' metric."""
        short_ns = self.short_latency_ns.get(scenario)
        if short_ns is not None and latency_ns is not None and latency_ns <= short_ns:
            return self.short_tolerance
        return self.tolerance


def read_audit(
    table: Table, name: str, scenarios: tuple[Scenario, ...], benchmarks: tuple[str, ...]
) -> Audit:
    """Read an audit; raise `RoundError` for a benchmark that the round doesn't have."""
    of_benchmark = table.table("config_of", may_miss=True)
    samples = table.table("logged_samples", may_miss=True)
    tolerances = table.table("accuracy_tolerance_of", may_miss=True)
    found = Audit(
        name=name,
        purpose=table.text("purpose"),
        config=_config(table.table("config", may_miss=True), scenarios),
        config_of={
            key: tuple(f"*.*.{line}" for line in _lines(of_benchmark.table(key)))
            for key in of_benchmark.names()
        },
        tolerance=table.optional("tolerance", table.share),
        short_tolerance=table.optional("short_tolerance", table.share),
        short_latency_ns=table.by_scenario("short_latency_ns", Table.count),
        is_two_sided=table.flag("is_two_sided", True),
        accuracy_tolerance=table.optional("accuracy_tolerance", table.share),
        accuracy_tolerance_of={key: tolerances.share(key) for key in tolerances.names()},
        logged_samples={key: samples.count(key) for key in samples.names()},
        files=table.texts("files", ()),
        required_for=table.texts("required_for", ()),
        exempt=table.texts("exempt", ()),
    )
    table.finish()
    named = {
        "config_of": tuple(found.config_of),
        "accuracy_tolerance_of": tuple(found.accuracy_tolerance_of),
        "logged_samples": tuple(key for key in found.logged_samples if key != _ALL),
        "required_for": found.required_for,
        "exempt": found.exempt,
    }
    for key, names in named.items():
        for benchmark in names:
            if benchmark not in benchmarks:
                raise RoundError(f"{table.where(key)} names {benchmark!r}, which is no benchmark")
    return found


def _config(table: Table, scenarios: tuple[Scenario, ...]) -> dict[Scenario, tuple[str, ...]]:
    """Read settings: those for all scenarios come first in each."""
    common = _lines(table.table(_ALL, may_miss=True))
    own = {scenario: _lines(table.table(scenario.value, may_miss=True)) for scenario in scenarios}
    table.finish()
    return {
        scenario: tuple(f"*.{scenario.value}.{line}" for line in (*common, *lines))
        for scenario, lines in own.items()
        if common or lines
    }


def _lines(table: Table) -> tuple[str, ...]:
    return tuple(f"{key} = {table.count(key)}" for key in table.names())
