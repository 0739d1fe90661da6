"""Sessions made on the virtual clock, the same each time, for tests of what is written of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from inferometer.loadgen import Mode, Query, Scenario
from inferometer.runs import Session, TestResult
from inferometer.runs.folder import write_json
from inferometer.workloads import AccuracyResult
from tests.report.test_html import accuracy_of, result_of, session_of
from tests.support import short_settings, simulate

HOSTILE = (
    "a|b `c` <img src=x onerror=alert(1)> @team #12 GH-7 org/repo#3 https://x.example\n"
    "www.y.example | new | row | [l](u) \\ $x$ ~s~ \x00\x1b[31m\ud800 </details> &amp; ]]> =cmd()"
)


def spread(factor: float = 1.0) -> Callable[[Query], int]:
    """Give service times that differ, from 1 to about 2 ms times the factor."""
    return lambda query: int(factor * (1_000_000 + 1000 * (query.sample_ids[0] * 37 % 997)))


def latency_test(scenario: Scenario, factor: float = 1.0, bound_ms: int = 50) -> TestResult:
    asked = short_settings(
        scenario,
        min_query_count=1000,
        server_target_qps=100.0,
        server_target_latency_ns=bound_ms * 1_000_000,
    )
    return result_of(simulate(asked, spread(factor)))


def scored_test(accuracy: AccuracyResult | None, scenario: Scenario) -> TestResult:
    return result_of(simulate(short_settings(scenario, mode=Mode.ACCURACY), 1000), accuracy)


def made_session(factor: float = 1.0, name: str = "mobilenet", bound_ms: int = 50) -> Session:
    """Give a session with an accuracy and two performance tests."""
    return session_of(
        scored_test(accuracy_of(0.95), Scenario.SINGLE_STREAM),
        latency_test(Scenario.SINGLE_STREAM, factor),
        latency_test(Scenario.SERVER, factor, bound_ms),
        name=name,
    )


def written(session: Session, folder: Path) -> Session:
    """Write a session as `inferometer run` does, as far as it is read back."""
    tests = []
    for test in session.tests:
        is_scored = test.mode is Mode.ACCURACY
        place = folder / test.scenario.value / ("accuracy" if is_scored else "performance/run_1")
        place.mkdir(parents=True)
        test.recording.save(place / "recording.npz")
        write_json(place / "result.json", {"label": test.label, **test.to_mapping()})
        tests.append(dataclasses.replace(test, folder=place))
    session = dataclasses.replace(session, folder=folder, tests=tuple(tests))
    write_json(folder / "session.json", session.to_mapping())
    return session
