"""Words of the page: sentences, rows of text, and what each test may bring into the page."""

from __future__ import annotations

import dataclasses

import pytest

from inferometer.loadgen import Mode, Recording, Scenario, Severity
from inferometer.report.html import html_report
from inferometer.report.page import budget as page_budget
from inferometer.report.page.budget import budgets
from inferometer.report.page.flat_rows import flat_rows
from inferometer.report.page.in_short import in_short
from inferometer.runs import TestResult
from tests.report.test_html import accuracy_of, result_of, session_of
from tests.support import short_settings, simulate


def server(**changes: object) -> TestResult:
    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, **changes)
    return result_of(simulate(asked, 300_000))


def single(queries: int) -> TestResult:
    return result_of(simulate(short_settings(min_query_count=queries), 300_000))


def test_a_good_session_says_what_was_asked_and_what_happened() -> None:
    told = in_short(session_of(single(100)))
    assert told.asked == (
        (
            "SingleStream performance",
            "One sample a query, one query after the other; at least 100 queries and 0 s.",
        ),
    )
    title, happened = told.happened[0]
    assert title == "SingleStream performance"
    assert happened.startswith("90 % of 100 queries were answered within 300 µs")
    assert happened.endswith(": VALID.")
    assert told.verdict == "Nothing was found that speaks against these results."


def test_what_speaks_against_a_session_comes_gravest_first_with_its_place() -> None:
    low = result_of(simulate(short_settings(mode=Mode.ACCURACY), 10), accuracy_of(0.5))
    late = server(server_target_latency_ns=10)
    told = in_short(session_of(single(100), low, late))
    errors = sum(doubt.finding.rule.severity is Severity.ERROR for doubt in told.doubts)
    assert told.verdict.startswith(f"{errors} errors")
    assert told.verdict.endswith("an error makes a result INVALID.")
    places = {doubt.finding.rule.id: (doubt.place, doubt.test) for doubt in told.doubts}
    assert places["criteria.latency-bound"] == ("Server performance", 2)
    severities = [doubt.finding.rule.severity.value for doubt in told.doubts]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    words = dict(told.happened)
    assert "100 of them over the latency bound: INVALID." in words["Server performance"]
    assert "target 90.00% missed" in words["SingleStream accuracy"]


def test_nested_values_become_rows() -> None:
    values = {"cpu": {"governor": "performance", "cores": [1, 2]}, "disks": [{"name": "a"}], "n": 1}
    assert flat_rows(values) == [
        ("cpu: governor", "performance"),
        ("cpu: cores", "1, 2"),
        ("disks 1: name", "a"),
        ("n", "1"),
    ]


def with_notes(test: TestResult, **notes: object) -> TestResult:
    recording: Recording = dataclasses.replace(test.recording, notes=notes)
    return dataclasses.replace(test, recording=recording)


def test_context_is_shown_whatever_it_holds() -> None:
    test = with_notes(single(20), context={"thermal": {"hottest_c": 71}})
    page = html_report([session_of(test)])
    assert '<th scope="row"><bdi>thermal: hottest c</bdi></th><td><bdi>71</bdi></td>' in page
    assert "thermal" not in html_report([session_of(single(20))])
    assert "thermal" not in html_report([session_of(with_notes(single(20), context="thermal"))])


def test_energy_is_told_where_it_was_counted() -> None:
    test = single(2000)
    start_s = test.recording.series[0].wall_start_s
    counter = {"name": "package", "taken_uj": [0, 20_000_000]}
    note = {"times_s": [start_s, start_s + 2.0], "counters": [counter]}
    page = html_report([session_of(with_notes(test, energy=note))])
    assert "<dt>mean power of package</dt><dd>10 W</dd>" in page
    assert "<dt>component energy a sample</dt><dd>0.003 J</dd>" in page
    assert "mean power" not in html_report([session_of(test)])


def test_short_tests_are_the_first_to_bring_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_budget, "_RAW_ROWS", 300)
    tests = [single(200), single(100), single(60)]
    found = budgets(tests)
    assert [one.has_raw for one in found] == [False, True, True]
    assert {one.windows for one in found} == {40_000}
    assert {one.windows for one in budgets(tests * 4)} == {13_333}
    page = html_report([session_of(*tests)])
    assert page.count("too many to be in this page") == 1
