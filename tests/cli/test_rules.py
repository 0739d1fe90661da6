"""``inferometer rules``: the list, its filters, and a rule in full."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.rules import command
from inferometer.loadgen import RULES
from inferometer.rounds import load_rules


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_every_rule_is_listed_on_a_line_of_its_own() -> None:
    found = run()
    assert found.exit_code == 0
    lines = found.output.splitlines()
    rules = load_rules()
    assert len(lines) == len(rules) + 2
    assert lines[0].split() == ["id", "kind", "v0.5", "v6.1", "title"]
    for line, rule in zip(lines[1:], rules.values(), strict=False):
        assert line.split()[0] == rule.id
        assert rule.title in line
    assert lines[-1].startswith(f"{len(rules)} rules")


def test_filters() -> None:
    late = run("--round", "v6.1").output
    assert late.splitlines()[0].split() == ["id", "kind", "v6.1", "title"]
    assert "system.field-unknown" not in late
    assert "result.early-stopping" in late
    declared = json.loads(run("--kind", "declaration", "--json").output)
    assert {rule["kind"] for rule in declared} == {"declaration"}
    section = json.loads(run("--section", "V6.1 published CHECKER", "--json").output)
    assert "settings.seeds" in {rule["id"] for rule in section}
    assert run("--section", "no such section").output.endswith(
        "0 rules; `inferometer rules ID` explains one\n"
    )
    assert run("--round", "v9").exit_code == 2


def test_json_holds_everything() -> None:
    rules = load_rules()
    listed = json.loads(run("--json").output)
    assert [rule["id"] for rule in listed] == list(rules)
    one = json.loads(run("settings.seeds", "--json").output)
    assert one in listed
    assert one["severity"] == {"v0.5": "error", "v6.1": "error"}
    assert one["notes"]["v6.1"]["section"]


@pytest.mark.parametrize("rule_id", [*load_rules(), *RULES])
def test_every_rule_can_be_explained(rule_id: str) -> None:
    found = run(rule_id)
    assert found.exit_code == 0
    lines = found.output.splitlines()
    assert lines[0].startswith(f"{rule_id}  ")
    assert all(len(line) <= 80 for line in lines[1:])
    assert {"kind", "section", "severity", "remedy"} <= {line.split()[0] for line in lines[1:]}


def test_a_rule_in_full() -> None:
    text = " ".join(run("accuracy.hash-missing").output.split())
    assert "severity v6.1 error" in text
    assert "published in the open division logs a line and passes it" in text
    shared = " ".join(run("settings.min-duration").output.split())
    assert "in v6.1 v6.1 published checker, performance, duration. The minimum duration" in shared


def test_an_unknown_id_suggests_the_nearest() -> None:
    found = run("setings.seed")
    assert found.exit_code == 2
    assert "no rule 'setings.seed'; did you mean 'settings.seeds'?" in found.output
    assert run("settings.seeds", "--kind", "evidence").exit_code == 2
