"""Area: where a system is used, and which scenarios that use is like."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.loadgen import Scenario
from inferometer.rounds.table import RoundError, Table

__all__ = ["Area", "read_area"]


@dataclass(frozen=True)
class Area:
    """An area of use.

    scenarios:
        The scenarios that are run for it, the one that says most first.
    required:
        Those of them without which a result says nothing about the area.
    benchmarks:
        The benchmarks that stand for it.
    system_type:
        What the system description calls such a system; empty where the round doesn't ask.
    why:
        Why these scenarios are like that use.
    """

    name: str
    scenarios: tuple[Scenario, ...]
    required: tuple[Scenario, ...]
    benchmarks: tuple[str, ...]
    system_type: str
    why: str


def read_area(
    table: Table, name: str, scenarios: tuple[Scenario, ...], benchmarks: tuple[str, ...]
) -> Area:
    """Read an area; raise `RoundError` for scenarios or benchmarks that the round doesn't have."""
    found = Area(
        name=name,
        scenarios=table.scenarios("scenarios"),
        required=table.scenarios("required"),
        benchmarks=table.texts("benchmarks"),
        system_type=table.text("system_type", ""),
        why=table.text("why"),
    )
    table.finish()
    for scenario in found.scenarios:
        if scenario not in scenarios:
            raise RoundError(f"{table.where('scenarios')}: the round has no {scenario.value}")
    for scenario in found.required:
        if scenario not in found.scenarios:
            raise RoundError(
                f"{table.where('required')} names {scenario.value}, which the area doesn't run"
            )
    for benchmark in found.benchmarks:
        if benchmark not in benchmarks:
            raise RoundError(
                f"{table.where('benchmarks')} names {benchmark!r}, which is no benchmark"
            )
    return found
