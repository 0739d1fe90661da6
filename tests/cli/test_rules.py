"""``inferometer rules``: the list, its filters, and a rule in full."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from inferometer.cli.catalogue import GROUP_NAMES, rule_groups
from inferometer.cli.rules import command
from inferometer.runs import RUN_RULES

ALL = [rule.id for group in rule_groups() for rule in group.rules.values()]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_every_rule_is_listed_on_a_line_of_its_own_in_its_group() -> None:
    found = run()
    assert found.exit_code == 0
    *blocks, last = found.output.split("\n\n")
    groups = rule_groups()
    assert [block.split(":")[0] for block in blocks] == list(GROUP_NAMES)
    for block, group in zip(blocks, groups, strict=True):
        title, header, *lines = block.splitlines()
        assert group.title in title
        severities = ["v0.5", "v6.1"] if group.of_rounds else ["severity"]
        assert header.split() == ["id", "kind", *severities, "title"]
        for line, rule in zip(lines, group.rules.values(), strict=True):
            assert line.split()[0] == rule.id
            assert rule.title in line
    assert last.startswith(f"{len(ALL)} rules")


def test_filters() -> None:
    late = run("--round", "v6.1").output
    assert late.splitlines()[1].split() == ["id", "kind", "v6.1", "title"]
    assert "run.interrupted" not in late
    assert "system.field-unknown" not in late
    assert "result.early-stopping" in late
    declared = json.loads(run("--kind", "declaration", "--json").output)
    assert {rule["kind"] for rule in declared} == {"declaration"}
    section = json.loads(run("--section", "V6.1 published CHECKER", "--json").output)
    assert "settings.seeds" in {rule["id"] for rule in section}
    runs = json.loads(run("--group", "runs", "--json").output)
    assert [rule["id"] for rule in runs] == list(RUN_RULES)
    assert run("--section", "no such section").output.endswith(
        "0 rules; `inferometer rules ID` explains one\n"
    )
    assert run("--round", "v9").exit_code == 2


def test_json_holds_everything() -> None:
    listed = json.loads(run("--json").output)
    assert [rule["id"] for rule in listed] == ALL
    one = json.loads(run("settings.seeds", "--json").output)
    assert one in listed
    assert one["severity"] == {"v0.5": "error", "v6.1": "error"}
    assert one["notes"]["v6.1"]["section"]
    assert one["group"] == "checks"
    assert json.loads(run("backend.crashed", "--json").output)["severity"] == {"any": "error"}


@pytest.mark.parametrize("rule_id", ALL)
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
