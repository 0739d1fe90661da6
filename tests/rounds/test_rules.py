"""The catalogue of rules: complete, well-formed, and strict about its files."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inferometer.loadgen import Rule, Severity
from inferometer.rounds import RoundError, RoundRule, RuleKind, load_rules, round_names
from inferometer.rounds.rule import read_rules
from inferometer.rounds.table import Table

RULES = load_rules()
BY_KIND = {
    "automatic": Severity.ERROR,
    "evidence": Severity.WARNING,
    "declaration": Severity.INFO,
    "allowance": Severity.INFO,
}


def entry(**changes: Any) -> dict[str, Any]:
    rule = {
        "id": "tree.crooked",
        "title": "The tree is crooked",
        "text": "Trees stand upright.",
        "section": "v0.5 rules",
        "kind": "automatic",
        "severity": {"v0.5": "error"},
        "remedy": "put it upright",
    }
    return {key: value for key, value in {**rule, **changes}.items() if value is not None}


def catalogue(
    *entries: dict[str, Any], also: list[dict[str, Any]] | None = None
) -> dict[str, RoundRule]:
    first = Table({"rule": list(entries)}, "first.toml")
    return read_rules([first, Table({"also": also or []}, "second.toml")])


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_is_complete(rule: RoundRule) -> None:
    assert rule.severity
    assert set(rule.severity) <= set(round_names())
    assert rule.kind in {kind.value for kind in RuleKind}
    # A title is no sentence; a text is some of them; a remedy is what somebody does.
    assert not rule.title.endswith(".")
    assert len(rule.title) <= 80
    assert rule.text.endswith(".")
    assert len(re.findall(r"[.:;] ", rule.text)) <= 5
    assert not rule.remedy.endswith(".")
    assert rule.remedy[0].islower()
    for name in rule.severity:
        found = rule.rule_in(name)
        assert found == Rule(rule.id, rule.title, rule.severity[name], rule.remedy)


def test_the_rulebook_has_the_forty_rules() -> None:
    book = [rule for rule in RULES.values() if rule.id.startswith("rule.")]
    assert len(book) == 40
    assert all("v0.5" in rule.severity for rule in book)
    kinds = {kind: sum(rule.kind == kind for rule in book) for kind in BY_KIND}
    assert kinds == {"automatic": 22, "evidence": 10, "declaration": 6, "allowance": 2}
    # How figures are rounded spoils no result.
    exceptions = {"rule.significant-figures": Severity.WARNING}
    for rule in book:
        expected = exceptions.get(rule.id, BY_KIND[rule.kind])
        assert set(rule.severity.values()) == {expected}, rule.id


@pytest.mark.parametrize(
    "rule_id",
    [
        # What the published v6.1 checker lets pass by accident.
        "result.invalid",
        "result.duration",
        "log.errors",
        "tree.file-missing",
        "tree.extra-file",
        "tree.no-results",
        "accuracy.hash-missing",
        "accuracy.differs",
        "compliance.performance-failed",
        "compliance.accuracy-failed",
    ],
)
def test_where_the_published_checker_is_lax_it_is_said(rule_id: str) -> None:
    assert RULES[rule_id].published_in("v6.1")


def test_what_one_checker_passes_the_other_may_not() -> None:
    seeds = RULES["settings.seeds"]
    assert seeds.published_in("v0.5")
    assert seeds.published_in("v6.1") == ""
    assert seeds.severity["v6.1"] is Severity.ERROR


def test_a_round_that_does_not_have_the_rule() -> None:
    rule = RULES["system.field-unknown"]
    with pytest.raises(
        RoundError, match=r"system.field-unknown isn't one of round v6.1; it is.* v0"
    ):
        rule.rule_in("v6.1")
    with pytest.raises(RoundError):
        rule.published_in("v6.1")


def test_an_entry() -> None:
    (rule,) = catalogue(entry(published="looks away")).values()
    assert rule.severity == {"v0.5": Severity.ERROR}
    assert rule.published_in("v0.5") == rule.published == "looks away"


def test_a_later_round_has_the_rule_too() -> None:
    note = {"id": "tree.crooked", "round": "v6.1", "severity": "info", "section": "v6.1 rules"}
    (rule,) = catalogue(entry(published="looks away"), also=[note]).values()
    assert rule.severity == {"v0.5": Severity.ERROR, "v6.1": Severity.INFO}
    assert rule.published_in("v0.5") == "looks away"
    assert rule.published_in("v6.1") == ""
    assert rule.notes["v6.1"].section == "v6.1 rules"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "Tree.crooked"}, r"first.toml: rule 1.id is 'Tree.crooked'; write area.what-is"),
        ({"id": "crooked"}, "write area.what-is-wrong"),
        ({"kind": "auto"}, "rule 1.kind: there is no kind 'auto'; did you mean 'automatic'"),
        ({"severity": {}}, "rule 1.severity is empty"),
        ({"severity": "error"}, "rule 1.severity is 'error'; it takes a table"),
        ({"severity": {"v9": "error"}}, "no round 'v9'; known: v0.5, v6.1"),
        ({"severity": {"v0.5": "fatal"}}, r"severity\.v0\.5: there is no severity 'fatal'"),
        ({"text": ""}, "rule 1.text is empty"),
        ({"remedy": None}, "rule 1.remedy is missing"),
        ({"remedie": "x"}, "remedie is not a known key; did you mean 'remedy'"),
    ],
)
def test_a_wrong_entry_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RoundError, match=message):
        catalogue(entry(**changes))


def test_an_id_stands_once() -> None:
    tables = [Table({"rule": [entry()]}, name) for name in ("first.toml", "second.toml")]
    with pytest.raises(RoundError, match=r"second.toml: .*already a rule in first.toml"):
        read_rules(tables)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "tree.bent"}, "second.toml: also 1.id: there is no rule 'tree.bent'"),
        ({"round": "v0.5"}, "already has a severity in v0.5"),
        ({"round": "v9"}, "no round 'v9'"),
        ({"remedy": "x"}, "remedy is not a known key"),
    ],
)
def test_a_wrong_note_is_refused(changes: dict[str, str], message: str) -> None:
    note = {"id": "tree.crooked", "round": "v6.1", "severity": "info", "section": "x", **changes}
    with pytest.raises(RoundError, match=message):
        catalogue(entry(), also=[note])
