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
from inferometer.workloads import AccuracyResult, in_unit

__all__ = ["CRASHED", "HUNG_AT_LOAD", "STOOD_STILL", "findings_of_test"]

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
        found.extend(_of_accuracy(accuracy, max(0, asked - accuracy.total)))
    found.extend(_of_notes(recording.notes))
    found.extend(_of_memory(recording))
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    distinct = list(dict.fromkeys(found))
    return tuple(sorted(distinct, key=lambda finding: order.index(finding.rule.severity)))


def _of_accuracy(accuracy: AccuracyResult, asked_again: int) -> list[Finding]:
    """Look at coverage and target; the last query may have been filled up with repetitions."""
    found = []
    counts = {
        "missing": accuracy.missing,
        "answered again": max(0, accuracy.repeated - asked_again),
        "of no sample": accuracy.unknown,
    }
    if any(counts.values()):
        seen = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        found.append(Finding(_COVERAGE, f"of {accuracy.total} samples: {seen}"))
    if accuracy.meets_target is False:
        value, target = (
            in_unit(number, accuracy.unit) for number in (accuracy.value, accuracy.target)
        )
        found.append(Finding(_BELOW_TARGET, f"{accuracy.metric} {value}, target {target}"))
    return found


def _of_notes(notes: Mapping[str, Any]) -> list[Finding]:
    """Give what the run noted about its workload that weakens or spoils its results."""
    found = []
    if "not_scored" in notes:
        rule = _NOT_MEASURED_IN_ROUND if "round" in notes else _NOT_MEASURED
        found.append(Finding(rule, str(notes["not_scored"])))
    if "preview" in notes and "round" in notes:
        found.append(Finding(_PREVIEW_IN_ROUND, str(notes["preview"])))
    return found


def _of_memory(recording: Recording) -> list[Finding]:
    """Say that a performance test kept more and more memory."""
    if recording.settings.mode is not Mode.PERFORMANCE:
        return []
    seen = steady_growth(recording)
    return [Finding(_MEMORY_GROWS, seen)] if seen else []
