"""Findings of a whole test: those of its series, and those of its accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inferometer.loadgen import (
    Finding,
    Mode,
    Recording,
    Rule,
    Severity,
    Verdict,
    findings_of_incidents,
    findings_of_messages,
)
from inferometer.runs.llm_findings import findings_of_llm
from inferometer.runs.memory import steady_growth
from inferometer.runs.remote_findings import findings_of_remote
from inferometer.runs.result import OPEN
from inferometer.runs.rules import (
    BELOW_ROUND_TARGET,
    BELOW_TARGET,
    BELOW_TARGET_IN_OPEN,
    COVERAGE,
    MEMORY_GROWS,
    NOT_MEASURED,
    NOT_MEASURED_IN_ROUND,
    OTHER_DATA_SET,
    PREVIEW_IN_ROUND,
)
from inferometer.workloads import AccuracyResult, in_unit

__all__ = ["finding_from", "findings_of_test"]


def findings_of_test(
    recording: Recording, verdict: Verdict | None, accuracy: AccuracyResult | None
) -> tuple[Finding, ...]:
    """Give everything that speaks against a test, the gravest first."""
    found: list[Finding] = findings_of_messages(recording)
    if verdict is not None:
        found.extend(verdict.findings)
    for series in recording.accuracy:
        found.extend(findings_of_incidents(series))
    if accuracy is not None:
        asked = sum(series.sample_count for series in recording.accuracy)
        found.extend(_of_coverage(accuracy, max(0, asked - accuracy.total)))
        found.extend(_of_target(accuracy, recording.notes))
    found.extend(_of_notes(recording.notes))
    found.extend(findings_of_remote(recording.notes))
    found.extend(findings_of_llm(recording.notes))
    found.extend(_of_memory(recording))
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    distinct = list(dict.fromkeys(found))
    return tuple(sorted(distinct, key=lambda finding: order.index(finding.rule.severity)))


def finding_from(values: Mapping[str, str]) -> Finding:
    """Read a finding as it was written, whatever the catalogue says today."""
    severity = Severity(values["severity"])
    rule = Rule(values["rule"], values["title"], severity, values["remedy"])
    return Finding(rule, values["seen"])


def _of_coverage(accuracy: AccuracyResult, asked_again: int) -> list[Finding]:
    """Look at coverage; the last query may have been filled up with repetitions."""
    counts = {
        "missing": accuracy.missing,
        "answered again": max(0, accuracy.repeated - asked_again),
        "of no sample": accuracy.unknown,
    }
    if not any(counts.values()):
        return []
    seen = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return [Finding(COVERAGE, f"of {accuracy.total} samples: {seen}")]


def _of_target(accuracy: AccuracyResult, notes: Mapping[str, Any]) -> list[Finding]:
    """Hold the accuracy against the workload's target, then against the round's."""
    if accuracy.meets_target is False:
        value, target = (
            in_unit(number, accuracy.unit) for number in (accuracy.value, accuracy.target)
        )
        rule = BELOW_TARGET_IN_OPEN if notes.get("division") == OPEN else BELOW_TARGET
        return [Finding(rule, f"{accuracy.metric} {value}, target {target}")]
    wanted = notes.get("round_target")
    if wanted is None:
        return []
    # The round's targets are in the unit of accuracy.txt.
    printed = accuracy.value * 100 if accuracy.unit == "%" else accuracy.value
    if printed >= wanted:
        return []
    return [Finding(BELOW_ROUND_TARGET, f"{accuracy.metric} {printed:.5g}, target {wanted:g}")]


def _of_notes(notes: Mapping[str, Any]) -> list[Finding]:
    """Give what the run noted about its workload that weakens or spoils its results."""
    found = []
    if "not_scored" in notes:
        rule = NOT_MEASURED_IN_ROUND if "round" in notes else NOT_MEASURED
        found.append(Finding(rule, str(notes["not_scored"])))
    if "preview" in notes and "round" in notes:
        found.append(Finding(PREVIEW_IN_ROUND, str(notes["preview"])))
    if "other_data_set" in notes:
        found.append(Finding(OTHER_DATA_SET, str(notes["other_data_set"])))
    found.extend(finding_from(values) for values in notes.get("breaches", ()))
    return found


def _of_memory(recording: Recording) -> list[Finding]:
    """Say that a performance test kept more and more memory."""
    if recording.settings.mode is not Mode.PERFORMANCE:
        return []
    seen = steady_growth(recording)
    return [Finding(MEMORY_GROWS, seen)] if seen else []
