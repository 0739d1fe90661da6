"""Markdown and JUnit XML of sessions: golden files, and harmless whatever the names hold."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.loadgen import Scenario
from inferometer.report.junit import sessions_junit
from inferometer.report.markdown import sessions_markdown
from inferometer.report.markup import pull_request_text, xml_text
from inferometer.runs import Session
from inferometer.runs.gates import GateResult, hold_gates, parse_condition
from tests.report.sessions import HOSTILE, latency_test, made_session
from tests.report.test_html import session_of

GOLDEN = Path(__file__).parent / "golden"
CONDITIONS = (
    "surely SingleStream p99 > 1 ms",
    "p99 > baseline * 1.5",
    "accuracy < 94%",
    "Offline throughput < 5",
)


@pytest.fixture(scope="module")
def session() -> Session:
    """Give a session whose Server result misses its bound."""
    return made_session(1.1, bound_ms=1)


@pytest.fixture(scope="module")
def baseline() -> Session:
    return made_session(bound_ms=1)


@pytest.fixture(scope="module")
def gates(session: Session, baseline: Session) -> list[GateResult]:
    return hold_gates(map(parse_condition, CONDITIONS), [session], [baseline])


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_markdown(session: Session, baseline: Session, gates: list[GateResult]) -> None:
    check_golden("sessions.md", sessions_markdown([session], gates, [baseline]))


def test_markdown_without_gates_or_baseline(session: Session) -> None:
    text = sessions_markdown([session])
    assert text.startswith("### ❌ Inferometer: 2 of 3 tests good\n")
    assert "gate" not in text
    assert "baseline" not in text
    good = sessions_markdown([made_session()])
    assert good.startswith("### ✅ Inferometer: 3 of 3 tests good\n")


def test_a_failed_gate_makes_the_headline_bad(gates: list[GateResult]) -> None:
    text = sessions_markdown([made_session()], gates)
    assert text.startswith("### ❌ Inferometer: 3 of 3 tests good, 3 of 5 gates passed\n")


def test_a_baseline_without_the_like_is_told(session: Session) -> None:
    other = session_of(latency_test(Scenario.SINGLE_STREAM), name="other")
    assert "| none alike | – |" in sessions_markdown([session], (), [other])


def test_hostile_names_stay_text() -> None:
    hostile = made_session(name=HOSTILE)
    gates = hold_gates([parse_condition("p99 > 1 ns")], [hostile])
    text = sessions_markdown([hostile], gates, [hostile])
    assert "<img" not in text
    assert text.count("</details>") == text.count("<details>")
    assert re.search(r"@(?!\u200b)\w|#(?!\u200b| )\w|GH-\d|://|www\.y", text) is None
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for row in rows:
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        assert cells in (9, 4), row
    assert "`c`" not in text.replace("\\`", "")
    assert "\x00" not in text
    assert "\x1b" not in text


@given(st.text())
def test_pull_request_text_is_one_line_without_active_characters(text: str) -> None:
    found = pull_request_text(text)
    assert "\n" not in found
    assert "<" not in found
    assert re.search(r"(?<!\\)(\\\\)*[|`*_\[\]]", found) is None
    assert re.search(r"[@#]\w", found) is None
    found.encode()


def test_junit(session: Session, gates: list[GateResult]) -> None:
    check_golden("sessions.xml", sessions_junit([session], gates).decode())


def test_junit_counts_what_it_holds(session: Session, gates: list[GateResult]) -> None:
    root = ElementTree.fromstring(sessions_junit([session, made_session()], gates))
    suites = list(root)
    assert [suite.get("name") for suite in suites] == [
        "mobilenet, mobilenet 1, cpu",
        "mobilenet, mobilenet 1, cpu",
        "gates",
    ]
    for suite in suites:
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    failures = len(root.findall(".//failure"))
    assert root.get("failures") == str(failures) == "3"


def test_a_session_that_died_is_a_case(session: Session) -> None:
    error = next(found for test in session.tests for found in test.findings)
    dead = dataclasses.replace(session_of(), findings=(error,))
    root = ElementTree.fromstring(sessions_junit([dead, session_of()]))
    cases = root.findall(".//testcase")
    assert [case.get("name") for case in cases] == ["session", "session"]
    assert [case.find("failure") is not None for case in cases] == [True, False]


@given(st.text(st.characters(exclude_categories=[])))
def test_xml_holds_any_text(text: str) -> None:
    session = session_of(name=text)
    gates = hold_gates([parse_condition('"x" p99 > 1 ns')], [session])
    root = ElementTree.fromstring(sessions_junit([session], gates))
    assert root[0].get("name", "").count(",") >= 1
    assert ElementTree.fromstring(f"<a>{xml_text('')}</a>").text is None


def test_hostile_names_in_junit() -> None:
    hostile = made_session(name=HOSTILE)
    root = ElementTree.fromstring(sessions_junit([hostile]))
    name = root.findall(".//testcase")[0].get("classname", "")
    assert "<img src=x onerror=alert(1)>" in name
    assert "\x1b" not in name
