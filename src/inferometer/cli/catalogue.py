"""Catalogue: everything that any part of the program may find, in groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inferometer.comparing import COMPARISON_RULES
from inferometer.loadgen import RULES, Rule
from inferometer.rounds import RoundRule, RuleKind, load_rules
from inferometer.runs import RUN_RULES
from inferometer.runs.gates import GATE_RULES
from inferometer.submission.published import READING_RULES

__all__ = ["ANY_ROUND", "GROUP_NAMES", "RuleGroup", "rule_groups"]

ANY_ROUND = "any"
"""What stands in the place of a round where a rule doesn't come from one."""

_OF_ROUNDS = {
    "rulebook": "what a round asks of a submitter",
    "checks": "what `inferometer check` looks at in a submission",
    "building": "what `inferometer submit` asks of recorded runs",
    "audits": "what `inferometer audit` finds out about a system",
}
_OF_ANY_ROUND: Mapping[str, tuple[str, Mapping[str, Rule]]] = {
    "measuring": ("what is seen while a test is measured, whatever the round", RULES),
    "runs": ("what is found about a test and its model, whatever the round", RUN_RULES),
    "gates": ("what is found of the gates of `--fail-if`", GATE_RULES),
    "comparing": ("what speaks against a comparison of `inferometer compare`", COMPARISON_RULES),
    "results": ("what is odd about a result that `inferometer results` reads", READING_RULES),
}
GROUP_NAMES = (
    "rulebook",
    "checks",
    "building",
    "measuring",
    "runs",
    "gates",
    "comparing",
    "audits",
    "results",
)
"""The groups in their order."""

_GROUP_OF_AREA = {"rule": "rulebook", "submit": "building", "audit": "audits"}


@dataclass(frozen=True)
class RuleGroup:
    """Rules that belong together; ``of_rounds`` says whether their severity is by round."""

    name: str
    title: str
    rules: Mapping[str, RoundRule]
    of_rounds: bool


def rule_groups() -> list[RuleGroup]:
    """Gather the rules of all rooms: first what is asked of a submission, then what is found."""
    groups = {
        name: RuleGroup(
            name,
            title,
            {rule.id: _found(rule, f"This is {title}.") for rule in rules.values()},
            of_rounds=False,
        )
        for name, (title, rules) in _OF_ANY_ROUND.items()
    }
    by_group: dict[str, dict[str, RoundRule]] = {name: {} for name in _OF_ROUNDS}
    for rule in load_rules().values():
        by_group[_GROUP_OF_AREA.get(rule.id.partition(".")[0], "checks")][rule.id] = rule
    for name, title in _OF_ROUNDS.items():
        groups[name] = RuleGroup(name, title, by_group[name], of_rounds=True)
    return [groups[name] for name in GROUP_NAMES]


def _found(rule: Rule, text: str) -> RoundRule:
    """Give a rule that no round asks for the form of those that one does."""
    return RoundRule(
        id=rule.id,
        title=rule.title,
        text=text,
        section="Inferometer",
        kind=RuleKind.AUTOMATIC.value,
        severity={ANY_ROUND: rule.severity},
        remedy=rule.remedy,
        published="",
    )
