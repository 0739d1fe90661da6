"""Results of audits: passed, failed or not checkable, with what was seen."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inferometer.loadgen import Finding, Scenario
from inferometer.rounds import load_rules

__all__ = ["AuditResult", "Outcome", "failed", "not_checkable", "passed"]

_FALLBACK_ROUND = "v0.5"


class Outcome(enum.Enum):
    """What an audit came to."""

    PASS = "pass"
    FAIL = "fail"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True)
class AuditResult:
    """What one audit came to.

    ``audit`` is its id in the catalogue of rules, ``test`` the published test that it is, if it
    is one; ``seen`` says in words what was measured, and ``figures`` in numbers.
    """

    audit: str
    outcome: Outcome
    seen: str
    scenario: Scenario | None = None
    test: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Whether the audit speaks against the system."""
        return self.outcome is Outcome.FAIL

    def finding(self, round_name: str = _FALLBACK_ROUND) -> Finding | None:
        """Give the finding of a failed audit, as grave as the round takes it; else ``None``."""
        if not self.has_failed:
            return None
        rule = load_rules()[self.audit]
        name = round_name if round_name in rule.severity else _FALLBACK_ROUND
        where = f"{self.scenario.value}: " if self.scenario else ""
        return Finding(rule.rule_in(name), f"{where}{self.seen}")

    def to_mapping(self) -> dict[str, Any]:
        """Give plain names and values, ready for JSON."""
        found = self.finding()
        return {
            "audit": self.audit,
            "test": self.test,
            "scenario": self.scenario.value if self.scenario else None,
            "outcome": self.outcome.value,
            "seen": self.seen,
            "figures": dict(self.figures),
            "finding": None if found is None else found.to_mapping(),
        }


def passed(audit: str, scenario: Scenario | None, seen: str, **figures: Any) -> AuditResult:
    """Make the result of an audit that found nothing."""
    return AuditResult(audit, Outcome.PASS, seen, scenario, figures=figures)


def failed(audit: str, scenario: Scenario | None, seen: str, **figures: Any) -> AuditResult:
    """Make the result of an audit that found something."""
    return AuditResult(audit, Outcome.FAIL, seen, scenario, figures=figures)


def not_checkable(audit: str, scenario: Scenario | None, why: str) -> AuditResult:
    """Make the result of an audit that could say nothing."""
    return AuditResult(audit, Outcome.NOT_CHECKABLE, why, scenario)
