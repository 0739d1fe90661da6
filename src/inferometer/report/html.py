"""HTML report: one self-contained file for one or more sessions, without network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inferometer.loadgen import write_atomically
from inferometer.report.page.budget import Budget, budgets
from inferometer.report.page.flat_rows import flat_rows
from inferometer.report.page.in_short import in_short
from inferometer.report.page.measured_part import context_rows, measured_part
from inferometer.report.summary import backend_text, summary_rows
from inferometer.report.templating import page_environment, page_script
from inferometer.report.wording import (
    accuracy_text,
    duration_text,
    exact_text,
    interval_text,
    rate_text,
)
from inferometer.runs import Session, TestResult
from inferometer.workloads import in_unit

__all__ = ["html_report", "write_html"]

_SCRIPTS = (
    "start",
    "elements",
    "numbers",
    "packing",
    "scales",
    "drawing",
    "gestures",
    "plot",
    "timeline",
    "distribution",
    "over_time",
    "page",
)


def write_html(sessions: Sequence[Session], path: Path) -> Path:
    """Write the report of some sessions into one file; give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, html_report(sessions, path.parent).encode("utf-8"))
    return path


def html_report(sessions: Sequence[Session], beside: Path | None = None) -> str:
    """Give the report as a page. Links to raw files are relative to the folder ``beside``.

    Everything stands in the page as text and pictures. The script, by whose hash alone the
    page lets anything run, makes charts zoom and filters work; nothing is loaded from
    anywhere.
    """
    environment = page_environment()
    environment.filters.update(
        duration=duration_text,
        exact=exact_text,
        rate=rate_text,
        interval=interval_text,
        accuracy=accuracy_text,
        unit=in_unit,
    )
    tests = [_in_order(session) for session in sessions]
    shares = iter(budgets([test for some in tests for test in some]))
    script, script_hash = page_script(*(f"report/{name}.js" for name in _SCRIPTS))
    return environment.get_template("report.html.j2").render(
        sessions=[
            _session(session, number, some, [next(shares) for _ in some], beside)
            for number, (session, some) in enumerate(zip(sessions, tests, strict=True), 1)
        ],
        script=script,
        script_hash=script_hash,
    )


def _in_order(session: Session) -> list[TestResult]:
    return [test for scenario in session.scenarios for test in session.tests_of(scenario)]


def _session(
    session: Session,
    number: int,
    tests: Sequence[TestResult],
    shares: Sequence[Budget],
    beside: Path | None,
) -> dict[str, Any]:
    parts = [
        measured_part(test, _anchor(test, number, place), beside, share)
        for place, (test, share) in enumerate(zip(tests, shares, strict=True), 1)
    ]
    return {
        "number": number,
        "session": session,
        "backend": backend_text(session),
        "rows": summary_rows(session),
        "short": in_short(session),
        "tests": parts,
        "anchors": [part["anchor"] for part in parts],
        "system": flat_rows(session.system),
        "context": context_rows(getattr(session, "context", None)),
    }


def _anchor(test: TestResult, number: int, place: int) -> str:
    return f"{test.scenario.value}-{test.title.split()[-1]}-{number}-{place}"
