"""The HTML report: every number from the recording, hostile names as text, one file."""

from __future__ import annotations

import base64
import hashlib
import re
from fractions import Fraction
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from inferometer.loadgen import (
    Interval,
    Mode,
    Query,
    RunOptions,
    RunOutcome,
    Scenario,
    VirtualClock,
    judge,
    run_test,
)
from inferometer.report import print_session
from inferometer.report.charts import Marker, distribution_chart, timeline_chart
from inferometer.report.html import html_report
from inferometer.report.scale import linear_scale, log_scale
from inferometer.report.wording import (
    duration_text,
    exact_text,
    interval_text,
    rate_text,
    tick_text,
)
from inferometer.runs import Session, TestResult
from inferometer.runs.findings import findings_of_test
from inferometer.workloads import AccuracyResult
from tests.support import Library, System, short_settings, simulate

HOSTILE_NAMES = (
    "<script>alert('x')</script>\"&amp; {{ 7 * 7 }} ${x} </style>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</script><!--<script>",
    "model \u202e gnp.exe \u2028 \u2029 end",
    "]]></svg><b>bold",
)
HOSTILE = "<script>alert('x')</script>\"&amp; {{ 7 * 7 }} ${x} </style>"


def result_of(outcome: RunOutcome, accuracy: AccuracyResult | None = None) -> TestResult:
    recording = outcome.recording
    verdict = judge(recording)
    findings = findings_of_test(recording, verdict, accuracy)
    return TestResult(None, "quick", recording, verdict, accuracy, findings)


def session_of(*tests: TestResult, name: str = "some model") -> Session:
    return Session(
        folder=Path(),
        workload={"title": name, "name": name},
        backend={"name": name, "framework": name, "version": "1", "device": "cpu"},
        label="quick",
        system={"processor": name, "packages": {"numpy": "2"}},
        command=f"inferometer run {name}",
        started_at="2026-01-01",
        tests=tests,
    )


def accuracy_of(value: float) -> AccuracyResult:
    return AccuracyResult(
        "top-1",
        value,
        Interval(value - 0.01, value + 0.01),
        100,
        0,
        0,
        0,
        0.9,
        "x",
        int(value * 100),
    )


@pytest.fixture(scope="module")
def all_scenarios() -> list[TestResult]:
    tests = []
    for scenario in Scenario:
        if scenario is not Scenario.MULTI_STREAM_FREE:
            asked = short_settings(scenario, server_target_qps=1000.0, min_query_count=1000)
            tests.append(result_of(simulate(asked, 300_000)))
            asked = asked.replace(mode=Mode.ACCURACY)
            tests.append(result_of(simulate(asked, 1000), accuracy_of(0.95)))
    return tests


def test_the_page_is_one_file_that_lets_only_its_own_script_run(
    all_scenarios: list[TestResult],
) -> None:
    page = html_report([session_of(*all_scenarios)])
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    allowed = f"script-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert policy == [f"default-src 'none'; style-src 'unsafe-inline'; {allowed}"]
    assert not re.search(r'(src|href)="https?:', page)
    assert "@import" not in page
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "fetch("):
        assert word not in scripts[0]
    # SingleStream and MultiStream have three charts, Server five; the simulated Offline
    # answers in one lump, which has no course to draw.
    assert page.count("<figure") == page.count("<svg") == 11
    assert len(page) < 500_000


def test_every_metric_and_percentile_is_on_the_page(all_scenarios: list[TestResult]) -> None:
    page = html_report([session_of(*all_scenarios)])
    for test in all_scenarios:
        if test.verdict is None or test.verdict.metric.value is None:
            continue
        metric = test.verdict.metric
        text = duration_text if metric.unit == "ns" else rate_text
        assert text(metric.value) in page
        if test.scenario is not Scenario.OFFLINE and test.verdict.query_latency:
            for value in test.verdict.query_latency.percentiles_ns.values():
                assert duration_text(value) in page


@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.OFFLINE, Scenario.SINGLE_STREAM])
def test_token_rates_and_bounds_are_in_the_table_and_on_the_page(scenario: Scenario) -> None:
    clock = VirtualClock()

    def issue(query: Query) -> None:
        clock.advance(2_000_000)
        query.first_token()
        clock.advance(3_000_000)
        query.complete(token_counts=4)

    asked = short_settings(
        scenario,
        use_token_latencies=True,
        ttft_latency_ns=250_000_000,
        tpot_latency_ns=50_000_000,
        server_target_qps=1.0,
        min_query_count=100,
    )
    outcome = run_test(System(issue), Library(), asked, RunOptions(clock=clock))
    session = session_of(result_of(outcome))
    page = html_report([session])
    with Console(record=True, width=160, file=StringIO()) as console:
        print_session(session, console)
    for text in (page, console.export_text()):
        assert "tokens/s" in text
        assert ("each p99 1.00 ms" in text) == (scenario is not Scenario.OFFLINE)
        assert ("bounds: first 250 ms, each 50.0 ms" in text) == (scenario is Scenario.SERVER)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_stay_text(all_scenarios: list[TestResult], name: str) -> None:
    page = html_report([session_of(*all_scenarios, name=name)])
    plain = html_report([session_of(*all_scenarios)])
    for tag in ("<script", "</script", "</style", "<img", "<!--", "<svg", "<b"):
        assert page.count(tag) == plain.count(tag), tag
    root = HTMLText()
    root.feed(page)
    assert name in root.texts
    assert root.attributes == root.attributes - {"onerror", "onload"}


class HTMLText(HTMLParser):
    """Takes the texts and the names of attributes from a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: set[str] = set()

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}


def test_invalid_results_say_why(all_scenarios: list[TestResult]) -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, server_target_latency_ns=10)
    bad = result_of(simulate(asked), None)
    page = html_report([session_of(bad, *all_scenarios)])
    assert "INVALID" in page
    assert "criteria.latency-bound" in page
    low = html_report(
        [session_of(result_of(simulate(short_settings(mode=Mode.ACCURACY), 10), accuracy_of(0.5)))]
    )
    assert "run.below-target" in low


def test_runs_that_recorded_little_or_nothing_still_make_a_page() -> None:
    for count in (1, 2, 9):
        asked = short_settings(Scenario.SERVER, min_query_count=count, server_target_qps=1e3)
        assert "Server" in html_report([session_of(result_of(simulate(asked)))])
    silent = simulate(short_settings(outstanding_limit_s=1), lambda query: 10**18)
    assert "sut.incomplete" in html_report([session_of(result_of(silent))])
    assert "Inferometer" in html_report([session_of()])


def bars_of(svg: str) -> int:
    root = ElementTree.fromstring(svg)
    titles = [e.findtext("title") or "" for e in root.iter() if e.get("class") == "bar"]
    return sum(int(title.rsplit(": ", 1)[1].replace(",", "")) for title in titles)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=400), st.integers(1, 10**12))
@settings(max_examples=80, deadline=None)
def test_histograms_hold_every_latency_once(latencies: list[int], bound: int) -> None:
    svg = distribution_chart(
        np.array(latencies, np.int64), [Marker(float(bound), "bound", "bound")], "latency"
    )
    assert bars_of(str(svg)) == len(latencies)


@given(
    st.lists(st.tuples(st.integers(0, 10**11), st.integers(0, 10**11)), min_size=1, max_size=300)
)
@settings(max_examples=60, deadline=None)
def test_timelines_are_well_formed_for_any_recording(points: list[tuple[int, int]]) -> None:
    at, latency = (np.array(column, np.int64) for column in zip(*points, strict=True))
    root = ElementTree.fromstring(str(timeline_chart(at, latency, None, "latency")))
    lines = [
        e for e in root.iter() if (e.get("class") or "").startswith("line") and e.get("points")
    ]
    assert len(lines) == 2
    for line in lines:
        for point in (line.get("points") or "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 540
            assert 0 <= y <= 250


@given(st.floats(1e-6, 1e15), st.floats(1.0, 1e9))
def test_scales_cover_their_values_with_round_ticks(low: float, factor: float) -> None:
    for scale in (linear_scale(low * factor, 0, 100), log_scale(low, low * factor, 0, 100)):
        assert scale.low <= max(low, 1e-12) * (1 + 1e-9) or not scale.is_log
        assert scale.high >= low * factor * (1 - 1e-9)
        assert 1 <= len(scale.ticks) <= 40
        assert 0 <= scale.pixel(low) <= 100


@pytest.mark.parametrize(
    ("value", "text", "tick"),
    [
        (0, "0 ns", "0"),
        (999, "999 ns", "999 ns"),
        (999_600, "1.00 ms", "0.9996 ms"),
        (1000, "1.00 µs", "1 µs"),
        (12_345, "12.3 µs", "12.345 µs"),
        (1_500_000, "1.50 ms", "1.5 ms"),
        (123_456_789, "123 ms", "123.457 ms"),
        (5_000_000_000, "5.00 s", "5 s"),
        (1.2e13, "12,000 s", "12000 s"),
    ],
)
def test_durations(value: float, text: str, tick: str) -> None:
    assert duration_text(value) == text
    assert tick_text(value) == tick


@given(st.integers(0, 10**15))
@settings(deadline=None)
def test_exact_durations_lose_no_digit(value: int) -> None:
    number, unit = exact_text(value).replace(",", "").split()
    size = {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9}[unit]
    assert Fraction(number) * size == value


def test_intervals_use_one_unit() -> None:
    assert interval_text(Interval(950_000, 1_050_000), "ns") == "0.95 – 1.05 ms"
    assert interval_text(Interval(None, 1_050_000), "ns") == "… – 1.05 ms"
    assert interval_text(Interval(12.0, None), "1/s") == "12.0 – …/s"
    assert interval_text(Interval(None, None), "ns") == "… – …"
    assert interval_text(None, "ns") == ""
