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
from inferometer.runs.memory import steady_growth
from inferometer.runs.result import OPEN
from inferometer.workloads import AccuracyResult, in_unit

__all__ = ["CRASHED", "HUNG_AT_LOAD", "STOOD_STILL", "finding_from", "findings_of_test"]

_COVERAGE = Rule(
    "accuracy.coverage",
    "The accuracy run didn't answer every sample exactly once",
    Severity.ERROR,
    "complete every sample of the data set once; missing ones count as wrong",
)
_BELOW_TARGET = Rule(
    "accuracy.below-target",
    "The accuracy is below its target",
    Severity.ERROR,
    "use a better model, a wider number format, or a better calibration",
)
_BELOW_TARGET_IN_OPEN = Rule(
    "round.open-accuracy",
    "The accuracy is below that of the closed division",
    Severity.INFO,
    "the open division takes any accuracy; it is told beside the result",
)
_BELOW_ROUND_TARGET = Rule(
    "round.below-target",
    "The accuracy is below the round's target",
    Severity.ERROR,
    "use a wider number format or a better calibration, or run for the open division",
)
_OTHER_DATA_SET = Rule(
    "round.other-data-set",
    "The data set isn't the benchmark's",
    Severity.WARNING,
    "a result that is submitted needs the benchmark's own data set: `inferometer fetch`",
)
_NOT_MEASURED = Rule(
    "accuracy.not-measured",
    "The accuracy was not measured",
    Severity.INFO,
    "run it with the published weights and data (`inferometer fetch`), or with your own",
)
_NOT_MEASURED_IN_ROUND = Rule(
    "round.accuracy-not-measured",
    "A result without accuracy counts in no round",
    Severity.ERROR,
    "run it with weights and data whose accuracy can be measured",
)
_PREVIEW_IN_ROUND = Rule(
    "round.part-of-data-set",
    "A result on a part of the data set counts in no round",
    Severity.ERROR,
    "run it on the whole data set: leave out --count",
)
_MEMORY_GROWS = Rule(
    "backend.memory-grows",
    "Memory grew as long as the test ran",
    Severity.WARNING,
    "find out what is kept from call to call; a longer run may not fit in memory",
)

CRASHED = Rule(
    "backend.crashed",
    "The process that ran the model died",
    Severity.ERROR,
    "try another version, other options or another backend, or keep the model in a process of "
    "its own with --isolate; crash.txt in the run folder says where it died",
)
HUNG_AT_LOAD = Rule(
    "backend.hung-at-load",
    "The model was not ready within the limit",
    Severity.ERROR,
    "see in crash.txt in the run folder where it stood still; if it only needs longer, raise "
    "--load-limit-s (0 waits for ever)",
)
STOOD_STILL = Rule(
    "backend.stood-still",
    "The process that ran the model stood still",
    Severity.ERROR,
    "see in crash.txt in the run folder where; a call that holds the interpreter lock keeps "
    "everything else from running: give such a backend a process of its own with --isolate",
)


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
    return [Finding(_COVERAGE, f"of {accuracy.total} samples: {seen}")]


def _of_target(accuracy: AccuracyResult, notes: Mapping[str, Any]) -> list[Finding]:
    """Hold the accuracy against the workload's target, then against the round's."""
    if accuracy.meets_target is False:
        value, target = (
            in_unit(number, accuracy.unit) for number in (accuracy.value, accuracy.target)
        )
        rule = _BELOW_TARGET_IN_OPEN if notes.get("division") == OPEN else _BELOW_TARGET
        return [Finding(rule, f"{accuracy.metric} {value}, target {target}")]
    wanted = notes.get("round_target")
    if wanted is None:
        return []
    # The round's targets are in the unit of accuracy.txt.
    printed = accuracy.value * 100 if accuracy.unit == "%" else accuracy.value
    if printed >= wanted:
        return []
    return [Finding(_BELOW_ROUND_TARGET, f"{accuracy.metric} {printed:.5g}, target {wanted:g}")]


def _of_notes(notes: Mapping[str, Any]) -> list[Finding]:
    """Give what the run noted about its workload that weakens or spoils its results."""
    found = []
    if "not_scored" in notes:
        rule = _NOT_MEASURED_IN_ROUND if "round" in notes else _NOT_MEASURED
        found.append(Finding(rule, str(notes["not_scored"])))
    if "preview" in notes and "round" in notes:
        found.append(Finding(_PREVIEW_IN_ROUND, str(notes["preview"])))
    if "other_data_set" in notes:
        found.append(Finding(_OTHER_DATA_SET, str(notes["other_data_set"])))
    found.extend(finding_from(values) for values in notes.get("breaches", ()))
    return found


def _of_memory(recording: Recording) -> list[Finding]:
    """Say that a performance test kept more and more memory."""
    if recording.settings.mode is not Mode.PERFORMANCE:
        return []
    seen = steady_growth(recording)
    return [Finding(_MEMORY_GROWS, seen)] if seen else []
