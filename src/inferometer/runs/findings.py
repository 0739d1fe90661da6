"""Findings of a whole test: those of its series, and those of its accuracy."""

from __future__ import annotations

from inferometer.loadgen import (
    Finding,
    Recording,
    Rule,
    Severity,
    Verdict,
    findings_of_incidents,
    findings_of_messages,
)
from inferometer.workloads import AccuracyResult

__all__ = ["findings_of_test"]

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
        found.extend(_of_accuracy(accuracy))
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    distinct = list(dict.fromkeys(found))
    return tuple(sorted(distinct, key=lambda finding: order.index(finding.rule.severity)))


def _of_accuracy(accuracy: AccuracyResult) -> list[Finding]:
    found = []
    counts = {
        "missing": accuracy.missing,
        "answered again": accuracy.repeated,
        "of no sample": accuracy.unknown,
    }
    if any(counts.values()):
        seen = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        found.append(Finding(_COVERAGE, f"of {accuracy.total} samples: {seen}"))
    if accuracy.meets_target is False:
        seen = f"{accuracy.metric} {accuracy.value:.2%}, target {accuracy.target:.2%}"
        found.append(Finding(_BELOW_TARGET, seen))
    return found
