"""The one catalogue of rules: what a round asks, how it is checked, what to do about it."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources

from inferometer.loadgen import Rule, Severity
from inferometer.rounds.round import round_names
from inferometer.rounds.table import RoundError, Table, read_toml

__all__ = ["RoundNote", "RoundRule", "RuleKind", "load_rules", "read_rules"]

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")


class RuleKind(enum.Enum):
    """How far a program can tell whether a rule is kept."""

    AUTOMATIC = "automatic"
    """A program decides."""
    EVIDENCE = "evidence"
    """A program gathers what speaks for or against; people decide."""
    DECLARATION = "declaration"
    """Only the submitter knows; the program asks, and keeps the answer."""
    ALLOWANCE = "allowance"
    """Nothing is asked: the rule says what is allowed."""


@dataclass(frozen=True)
class RoundNote:
    """What is different about a rule in a later round; empty texts where nothing is."""

    section: str
    text: str
    published: str


@dataclass(frozen=True)
class RoundRule:
    """A rule of one or more rounds.

    id:
        ``area.what-is-wrong``; never renamed.
    section:
        Where it comes from: the rules, a layout, a published checker.
    kind:
        "automatic", "evidence", "declaration" or "allowance".
    severity:
        By round; rounds that aren't there don't have the rule.
    published:
        How the verdict of the published checker differs; empty where it is the same.
    notes:
        By round: what is different there from section, text and published.
    """

    id: str
    title: str
    text: str
    section: str
    kind: str
    severity: Mapping[str, Severity]
    remedy: str
    published: str
    notes: Mapping[str, RoundNote] = field(default_factory=dict)

    def rule_in(self, round_name: str) -> Rule:
        """Give the rule as findings carry it; raise `RoundError` if the round doesn't have it."""
        self._check(round_name)
        return Rule(self.id, self.title, self.severity[round_name], self.remedy)

    def published_in(self, round_name: str) -> str:
        """Say how the verdict of this round's published checker differs; empty if it doesn't."""
        self._check(round_name)
        note = self.notes.get(round_name)
        return note.published if note else self.published

    def _check(self, round_name: str) -> None:
        if round_name not in self.severity:
            raise RoundError(
                f"rule {self.id} isn't one of round {round_name}; it is one of "
                f"{', '.join(self.severity)}"
            )


def load_rules() -> Mapping[str, RoundRule]:
    """Load the catalogue, by id: every TOML file of the folder ``rules``.

    Raises `RoundError` that names the file and the rule of what is wrong.
    """
    folder = resources.files("inferometer.rounds").joinpath("rules")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return read_rules(read_toml(file) for file in files if file.name.endswith(".toml"))


def read_rules(tables: Iterable[Table]) -> dict[str, RoundRule]:
    """Read rules from tables of files.

    ``[[rule]]`` is a rule; ``[[also]]`` says that a later round has a rule of another entry too,
    and what is different there. An id that is a rule twice is refused, in whichever files.
    """
    found: dict[str, RoundRule] = {}
    file_of: dict[str, str] = {}
    later: list[Table] = []
    for table in tables:
        for entry in table.tables("rule", may_miss=True):
            rule = _read_rule(entry)
            if rule.id in found:
                raise RoundError(
                    f"{entry.where('id')}: {rule.id!r} is already a rule in {file_of[rule.id]}"
                )
            found[rule.id], file_of[rule.id] = rule, table.file
        later.extend(table.tables("also", may_miss=True))
        table.finish()
    for entry in later:
        rule = _in_later_round(entry, found)
        found[rule.id] = rule
    return found


def _read_rule(table: Table) -> RoundRule:
    severities = table.table("severity")
    if not severities.names():
        raise RoundError(f"{table.where('severity')} is empty; it takes a severity by round")
    for name in severities.names():
        _check_round(severities, name, name)
    rule = RoundRule(
        id=table.text("id"),
        title=table.text("title"),
        text=table.text("text"),
        section=table.text("section"),
        kind=table.word("kind", RuleKind, "kind").value,
        severity={name: severities.word(name, Severity, "severity") for name in severities.names()},
        remedy=table.text("remedy"),
        published=table.text("published", ""),
    )
    if not _ID.fullmatch(rule.id):
        raise RoundError(
            f"{table.where('id')} is {rule.id!r}; write area.what-is-wrong in lower case"
        )
    table.finish()
    return rule


def _in_later_round(table: Table, rules: Mapping[str, RoundRule]) -> RoundRule:
    """Give a rule as it is with an ``[[also]]`` entry."""
    rule_id, round_name = table.text("id"), table.text("round")
    _check_round(table, "round", round_name)
    if rule_id not in rules:
        raise RoundError(f"{table.where('id')}: there is no rule {rule_id!r}")
    rule = rules[rule_id]
    if round_name in rule.severity:
        raise RoundError(f"{table.where('id')}: {rule_id!r} already has a severity in {round_name}")
    severity = table.word("severity", Severity, "severity")
    note = RoundNote(table.text("section"), table.text("text", ""), table.text("published", ""))
    table.finish()
    return dataclasses.replace(
        rule,
        severity={**rule.severity, round_name: severity},
        notes={**rule.notes, round_name: note},
    )


def _check_round(table: Table, key: str, name: str) -> None:
    if name not in round_names():
        raise RoundError(
            f"{table.where(key)}: there is no round {name!r}; known: {', '.join(round_names())}"
        )
