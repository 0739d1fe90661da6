"""Option record: everything that was measured of one option, and under which circumstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.comparing.facts import facts_of, seen_facts
from inferometer.comparing.measurement import Measurement, measurement_of
from inferometer.loadgen import Scenario
from inferometer.runs import Session
from inferometer.workloads import AccuracyResult

__all__ = ["OptionRecord", "accuracy_of", "record_of"]


@dataclass(frozen=True)
class OptionRecord:
    """One option with its measurements.

    asked:
        In which words it was asked for.
    facts, seen:
        What stayed the same while it was measured, and what was seen of the machine.
    failure:
        Why it can't be compared; empty if it can.
    lost_runs:
        Runs that failed or were cut off, and don't count.
    """

    label: str
    asked: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    measurements: tuple[Measurement, ...] = ()
    accuracy: AccuracyResult | None = None
    failure: str = ""
    lost_runs: int = 0

    def measured_in(self, scenario: Scenario) -> list[Measurement]:
        """Give the measurements in one scenario, in the order of their blocks."""
        found = [one for one in self.measurements if one.scenario is scenario]
        return sorted(found, key=lambda one: one.block)


def record_of(
    label: str,
    sessions: Sequence[tuple[int, Session]],
    accuracy: AccuracyResult | None,
    asked: Mapping[str, str] | None = None,
    failure: str = "",
) -> OptionRecord:
    """Make the record of an option from its sessions, each with the number of its block.

    Where a session ran a scenario several times, each run counts as one of its own.
    """
    measurements: list[Measurement] = []
    lost = 0
    for block, session in sessions:
        runs: dict[Scenario, int] = {}
        for test in session.tests:
            if test.verdict is None:
                continue
            number = runs.get(test.scenario, 0)
            runs[test.scenario] = number + 1
            found = measurement_of(test, block + number)
            if found is None:
                lost += 1
            else:
                measurements.append(found)
    whole = next((session for _, session in sessions if session.tests), None)
    return OptionRecord(
        label=label,
        asked=dict(asked or {}),
        facts={} if whole is None else facts_of(whole),
        seen=seen_facts(measurements),
        title="" if whole is None else str(whole.workload.get("title", "")),
        measurements=tuple(measurements),
        accuracy=accuracy,
        failure=failure,
        lost_runs=lost,
    )


def accuracy_of(sessions: Sequence[Session]) -> AccuracyResult | None:
    """Give the first accuracy that was measured."""
    tests = [test for session in sessions for test in session.tests]
    return next((test.accuracy for test in tests if test.accuracy is not None), None)
