"""Comparison: what came out, as plain values: pairs, what was measured, what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.comparing.circumstances import FactRow
from inferometer.comparing.measurement import Measurement
from inferometer.comparing.option_record import OptionRecord
from inferometer.comparing.pair import PairResult
from inferometer.loadgen import Finding, Interval, Scenario, Severity
from inferometer.runs.result import plain
from inferometer.workloads import AccuracyResult

__all__ = [
    "Comparison",
    "GroupResult",
    "OptionResult",
    "ScenarioResult",
]


@dataclass(frozen=True)
class OptionResult:
    """One option in one scenario: the middle of its runs, with the interval of that middle.

    Of a single run the interval is that of its recording.
    """

    label: str
    value: float | None
    interval: Interval | None
    measurements: tuple[Measurement, ...]

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "option": self.label,
            "value": self.value,
            "interval": None if self.interval is None else plain(self.interval),
            "runs": [
                {
                    "block": one.block,
                    "value": one.value,
                    "valid": one.is_valid,
                    "folder": None if one.folder is None else str(one.folder),
                }
                for one in self.measurements
            ],
        }


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario: its options and every pair of them."""

    scenario: Scenario
    metric: str
    unit: str
    higher_is_better: bool
    asked: Mapping[str, Any]
    options: tuple[OptionResult, ...]
    pairs: tuple[PairResult, ...]
    findings: tuple[Finding, ...]

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "scenario": self.scenario.value,
            "metric": self.metric,
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "asked": dict(self.asked),
            "options": [one.to_mapping() for one in self.options],
            "pairs": [pair.to_mapping() for pair in self.pairs],
            "findings": [found.to_mapping() for found in self.findings],
        }


@dataclass(frozen=True)
class GroupResult:
    """Options that were compared with each other, usually on one workload.

    facts, seen:
        What stayed the same while each was measured, and what the machine did meanwhile.
    """

    name: str
    title: str
    options: tuple[OptionRecord, ...]
    scenarios: tuple[ScenarioResult, ...]
    facts: tuple[FactRow, ...]
    seen: tuple[FactRow, ...]
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Whether they can't be compared."""
        return not self.scenarios

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "options": [
                {
                    "label": one.label,
                    "asked": dict(one.asked),
                    "accuracy": _accuracy_mapping(one.accuracy),
                    "failure": one.failure,
                    "lost_runs": one.lost_runs,
                }
                for one in self.options
            ],
            "scenarios": [one.to_mapping() for one in self.scenarios],
            "circumstances": {row.name: list(row.values) for row in (*self.facts, *self.seen)},
            "findings": [found.to_mapping() for found in self.findings],
        }


@dataclass(frozen=True)
class Comparison:
    """Everything that one command compared.

    comparisons:
        How many ratios are told; their intervals hold together at 95 %.
    confidence:
        Of each interval alone.
    blocks:
        How often each option was run; 0 where runs were recorded at different times.
    is_complete:
        Whether everything that was planned was run.
    """

    groups: tuple[GroupResult, ...]
    comparisons: int
    confidence: float
    blocks: int
    is_complete: bool = True
    command: str = ""
    started_at: str = ""
    seed: int | None = None
    seconds: float | None = None
    folder: Path | None = field(default=None, compare=False)

    @property
    def is_interleaved(self) -> bool:
        """Whether the options took turns."""
        return self.blocks > 0

    @property
    def is_refused(self) -> bool:
        """Whether something could not be compared at all."""
        return any(
            found.rule.severity is Severity.ERROR
            for group in self.groups
            for found in (*group.findings, *(f for one in group.scenarios for f in one.findings))
        )

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        return {
            "interleaved": self.is_interleaved,
            "blocks": self.blocks,
            "complete": self.is_complete,
            "comparisons": self.comparisons,
            "confidence_of_each": self.confidence,
            "confidence_of_all": 0.95,
            "seed": self.seed,
            "seconds": self.seconds,
            "command": self.command,
            "started_at": self.started_at,
            "folder": None if self.folder is None else str(self.folder),
            "groups": [group.to_mapping() for group in self.groups],
        }


def _accuracy_mapping(accuracy: AccuracyResult | None) -> dict[str, Any] | None:
    if accuracy is None:
        return None
    return {
        "metric": accuracy.metric,
        "value": accuracy.value,
        "interval": plain(accuracy.interval),
        "samples": accuracy.total,
        "target": accuracy.target,
        "meets_target": accuracy.meets_target,
    }
