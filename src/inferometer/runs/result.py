"""Results: a test as it was judged, and the session that it belongs to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.loadgen import (
    Finding,
    Mode,
    PhaseSplit,
    Recording,
    Scenario,
    Severity,
    Verdict,
)
from inferometer.runs.energy import EnergyUsage, energy_of
from inferometer.workloads import AccuracyResult

__all__ = ["Session", "TestResult"]

MODE_WORDS = {
    Mode.ACCURACY: "accuracy",
    Mode.PERFORMANCE: "performance",
    Mode.SUBMISSION: "submission",
    Mode.FIND_PEAK: "find-peak",
}
"""What a mode is called in folders and reports."""

OPEN = "open"
"""The division in which a model of one's own is measured, whatever its accuracy."""

_LEFT_OUT = ("findings", "scenario", "stopping", "first_token_stopping")
_FAILURES = ("sut.failed", "library.failed", "run.responses-not-kept", "run.outstanding-limit")
_PAIRING = ("sample_scores", "replicates")


@dataclass(frozen=True)
class TestResult:
    """One test: a recording with its verdict or its accuracy.

    ``label`` says how it was run: quick, by the book of a round, or with settings of its
    own.
    """

    __test__ = False

    folder: Path | None
    label: str
    recording: Recording
    verdict: Verdict | None
    accuracy: AccuracyResult | None
    findings: tuple[Finding, ...]

    @property
    def scenario(self) -> Scenario:
        """The scenario of the test."""
        return self.recording.settings.scenario

    @property
    def mode(self) -> Mode:
        """The mode of the test."""
        return self.recording.settings.mode

    @property
    def title(self) -> str:
        """Name of the test: its scenario and what it was for."""
        return f"{self.scenario.value} {MODE_WORDS[self.mode]}"

    @property
    def is_valid(self) -> bool | None:
        """Whether the performance counts: its verdict, and no error found around it."""
        if self.verdict is None:
            return None
        return self.verdict.is_valid and not _has_error(self.findings)

    @property
    def phases(self) -> PhaseSplit | None:
        """Where the time of the performance went; ``None`` if the system didn't tell."""
        series = self.recording.performance
        return None if series is None else PhaseSplit.of(series)

    @property
    def energy(self) -> EnergyUsage | None:
        """Component energy of the performance; ``None`` where nothing counts it."""
        return energy_of(self.recording)

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against the result: VALID, accurate enough, no error."""
        if _has_error(self.findings) or self.is_valid is False:
            return False
        if self.recording.notes.get("division") == OPEN:
            # There the accuracy is told, and reaches nothing.
            return True
        return self.accuracy is None or self.accuracy.meets_target is not False

    @property
    def was_interrupted(self) -> bool:
        """Whether a signal ended the test."""
        return any(found.rule.id == "run.interrupted" for found in self.findings)

    @property
    def has_failed(self) -> bool:
        """Whether the test ended because something failed, and not because it was done."""
        return any(found.rule.id in _FAILURES for found in self.findings)

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON."""
        values: dict[str, Any] = {
            "scenario": self.scenario.value,
            "mode": self.mode.value,
            "label": self.label,
            "good": self.is_good,
            "findings": [found.to_mapping() for found in self.findings],
        }
        if self.verdict is not None:
            values["performance"] = _verdict_mapping(self.verdict)
            values["phases"] = plain(self.phases)
            values["energy"] = _energy_mapping(self.energy)
        if self.accuracy is not None:
            values["accuracy"] = {
                name: value for name, value in plain(self.accuracy).items() if name not in _PAIRING
            }
        return values


@dataclass(frozen=True)
class Session:
    """Tests that were run together, with what they have in common."""

    folder: Path
    workload: Mapping[str, Any]
    backend: Mapping[str, Any]
    label: str
    system: Mapping[str, Any]
    command: str
    started_at: str
    tests: tuple[TestResult, ...] = ()
    notes: tuple[str, ...] = field(default=())
    findings: tuple[Finding, ...] = ()
    """What speaks against the session as a whole, such as a process that died."""
    round: str = ""
    """Name of the round that it was run by the book of; empty for none."""
    division: str = ""
    area: str = ""
    resumed_at: tuple[str, ...] = ()
    """When it was gone on with after it had been cut off, one time for each resumption."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What stayed the same while it was measured: threads, affinity, hashes of data and code."""

    @property
    def has_failed(self) -> bool:
        """Whether an error ended the session itself, beside what its tests came to."""
        return _has_error(self.findings)

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against the session or any of its tests."""
        return not self.has_failed and all(test.is_good for test in self.tests)

    def tests_of(self, scenario: Scenario) -> list[TestResult]:
        """Give the tests of one scenario."""
        return [test for test in self.tests if test.scenario is scenario]

    @property
    def scenarios(self) -> list[Scenario]:
        """The scenarios that were run, in the field's order."""
        return [scenario for scenario in Scenario if self.tests_of(scenario)]

    def to_mapping(self) -> dict[str, Any]:
        """Give names and plain values, ready for JSON, without the tests."""
        return {
            "workload": dict(self.workload),
            "backend": dict(self.backend),
            "label": self.label,
            "system": dict(self.system),
            "context": dict(self.context),
            "command": self.command,
            "round": self.round,
            "division": self.division,
            "area": self.area,
            "started_at": self.started_at,
            "resumed_at": list(self.resumed_at),
            "notes": list(self.notes),
            "findings": [found.to_mapping() for found in self.findings],
        }


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(found.rule.severity is Severity.ERROR for found in findings)


def _verdict_mapping(verdict: Verdict) -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(verdict) if f.name not in _LEFT_OUT]
    return {name: plain(getattr(verdict, name)) for name in names}


def _energy_mapping(energy: EnergyUsage | None) -> dict[str, Any] | None:
    if energy is None:
        return None
    return {
        "source": energy.source,
        "joules": energy.joules,
        "watts": energy.watts,
        "joules_per_sample": energy.joules_per_sample,
        "parts_j": dict(energy.parts_j),
    }


def plain(value: Any) -> Any:
    """Turn dataclasses into mappings; fractions as keys become percentiles."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _key(key: Any) -> str:
    return f"p{key * 100:g}" if isinstance(key, float) else str(key)
