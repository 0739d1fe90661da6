"""Findings of building: a rule of the catalogue with what was seen in the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.loadgen import Finding, Severity
from inferometer.rounds import Round, RoundRule, load_rules

__all__ = ["Findings"]


@dataclass(frozen=True)
class Findings:
    """Makes findings of a round's rules."""

    book: Round
    rules: Mapping[str, RoundRule]

    @classmethod
    def of(cls, book: Round) -> Findings:
        """Load the catalogue for a round."""
        return cls(book, load_rules())

    def find(self, rule_id: str, seen: str) -> Finding:
        """Give the finding of a rule of building, which is named without its area."""
        return self.find_any(f"submit.{rule_id}", seen)

    def find_any(self, rule_id: str, seen: str) -> Finding:
        """Give the finding of any rule of the round."""
        return Finding(self.rules[rule_id].rule_in(self.book.name), seen)

    @staticmethod
    def refusing(findings: list[Finding]) -> tuple[Finding, ...]:
        """Give those that keep a submission from being built, each once."""
        errors = (found for found in findings if found.rule.severity is Severity.ERROR)
        return tuple(dict.fromkeys(errors))
