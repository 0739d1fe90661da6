"""Outcome of a session: whether it says something, and how fast it was offline."""

from __future__ import annotations

from inferometer.loadgen import Severity
from inferometer.runs import Session

__all__ = ["failure_of", "offline_rates"]


def failure_of(session: Session) -> str:
    """Say why a session says nothing; empty if it does."""
    for found in session.findings:
        if found.rule.severity is Severity.ERROR:
            return f"{found.rule.title} ({found.seen})"
    for test in session.tests:
        if test.has_failed:
            errors = [f for f in test.findings if f.rule.severity is Severity.ERROR]
            return f"{errors[0].rule.title} ({errors[0].seen})"
    return ""


def offline_rates(session: Session) -> list[float]:
    """Give the samples a second of its performance tests."""
    return [
        test.verdict.metric.value
        for test in session.tests
        if test.verdict is not None and test.verdict.metric.value
    ]
