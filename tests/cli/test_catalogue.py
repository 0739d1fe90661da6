"""The catalogue knows every finding that any part of the program can give."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import inferometer
from inferometer.cli.catalogue import rule_groups

SOURCE = Path(inferometer.__file__).parent
KNOWN = {rule.id: rule for group in rule_groups() for rule in group.rules.values()}
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")
QUOTED_ID = re.compile(rf'"({ID.pattern.replace("(", "(?:")})"')
FILE_ENDINGS = (".config", ".json", ".txt")


@cache
def texts() -> dict[str, str]:
    return {
        path.relative_to(SOURCE).as_posix(): path.read_text("utf-8")
        for path in sorted(SOURCE.rglob("*.py"))
    }


def calls_of(name: str, below: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Give each call of a function or method of this name, with its file."""
    for file, text in texts().items():
        if not file.startswith(below) or f"{name}(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                called = node.func
                if getattr(called, "attr", getattr(called, "id", None)) == name:
                    yield file, node


def first_text(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def test_each_id_is_one_rule_with_all_that_a_reader_needs() -> None:
    counts = Counter(rule.id for group in rule_groups() for rule in group.rules.values())
    assert {rule_id for rule_id, count in counts.items() if count > 1} == set()
    for rule in KNOWN.values():
        assert ID.fullmatch(rule.id), rule.id
        assert rule.title, rule.id
        assert rule.text, rule.id
        assert rule.remedy, rule.id
        assert rule.severity, rule.id


def test_every_rule_that_code_makes_is_known() -> None:
    made = [(file, first_text(call)) for file, call in calls_of("Rule")]
    assert {rule_id for _, rule_id in made if rule_id is not None} <= set(KNOWN)
    assert len([rule_id for _, rule_id in made if rule_id is not None]) > 50
    # The others read a finding back, or take a rule from the catalogue of the rounds.
    assert {file for file, rule_id in made if rule_id is None} == {
        "rounds/rule.py",
        "runs/findings.py",
        "submission/published/row.py",
    }


def test_every_rule_that_code_names_is_known() -> None:
    areas = {rule_id.partition(".")[0] for rule_id in KNOWN}
    named = {
        text
        for source in texts().values()
        for text in QUOTED_ID.findall(source)
        if text.partition(".")[0] in areas and not text.endswith(FILE_ENDINGS)
    }
    assert named - set(KNOWN) == set()
    assert len(named) > 100


def test_every_rule_of_building_is_known() -> None:
    """Building names its rules without their area."""
    named = {
        f"submit.{rule_id}"
        for _, call in calls_of("find", below="submission/building/")
        if (rule_id := first_text(call))
    }
    assert named - set(KNOWN) == set()
    assert len(named) > 15
