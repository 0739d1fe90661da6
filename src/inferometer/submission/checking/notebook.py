"""Notebook: where the checks of a result write down what they saw."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from inferometer.loadgen import Rule
from inferometer.rounds import load_rules
from inferometer.submission.checking.outcome import Check, Outcome
from inferometer.submission.tree import shown

__all__ = ["Notebook", "rules_of"]


@functools.cache
def rules_of(round_name: str) -> Mapping[str, Rule]:
    """Give the rules of a round as findings carry them, by id."""
    return {
        rule.id: rule.rule_in(round_name)
        for rule in load_rules().values()
        if round_name in rule.severity
    }


class Notebook:
    """Collects checks. Places are given in parts below the root of the tree.

    What isn't a rule of the round is passed over.
    """

    def __init__(self, round_name: str):
        self.checks: list[Check] = []
        self._rules = rules_of(round_name)

    def passes(self, rule_id: str, where: tuple[str, ...], seen: str = "") -> None:
        """Note that a rule is kept."""
        self._note(rule_id, Outcome.PASS, where, seen)

    def fails(self, rule_id: str, where: tuple[str, ...], seen: str) -> None:
        """Note that a rule is broken."""
        self._note(rule_id, Outcome.FAIL, where, seen)

    def cannot(self, rule_id: str, where: tuple[str, ...], why: str) -> None:
        """Note that a rule can't be checked, and why."""
        self._note(rule_id, Outcome.NOT_CHECKABLE, where, why)

    def declares(self, rule_id: str, where: tuple[str, ...], what: str) -> None:
        """Note what the submitter says, where nothing else is to be had."""
        self._note(rule_id, Outcome.DECLARED, where, what)

    def judge(self, rule_id: str, where: tuple[str, ...], is_kept: bool, seen: str) -> bool:
        """Note whether a rule is kept, and give that back."""
        self._note(rule_id, Outcome.PASS if is_kept else Outcome.FAIL, where, seen)
        return is_kept

    def _note(self, rule_id: str, outcome: Outcome, where: tuple[str, ...], seen: str) -> None:
        if rule_id not in self._rules:
            return
        self.checks.append(
            Check(self._rules[rule_id], outcome, shown("/".join(where)), shown(seen))
        )
