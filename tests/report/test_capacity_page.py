"""Capacity page: what was found, every run as a mark and as a row, and no script."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from inferometer.capacity import Found, Observation, Outcome
from inferometer.report.capacity_page import capacity_html, write_capacity
from inferometer.report.capacity_wording import answer_of, found_lines
from tests.capacity.recording import Recorded


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return Recorded(tmp_path_factory.mktemp("search")).run().found


def test_every_run_is_a_mark_and_a_row(found: Found, tmp_path: Path) -> None:
    page = write_capacity(found, tmp_path / "search.html").read_text("utf-8")
    assert page.count('<g class="run ') == len(found.trials)
    assert page.count('<th scope="row">') == len(found.trials)
    assert page.count('class="ring"') == found.verified > 0
    assert f"{found.load:,.6g}" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_names_are_text(found: Found) -> None:
    request = dataclasses.replace(found.asked.request, workload="<b>mine</b>")
    named = dataclasses.replace(found, asked=dataclasses.replace(found.asked, request=request))
    assert "<b>mine" not in capacity_html(named)


def test_nothing_run_is_said(found: Found) -> None:
    empty = dataclasses.replace(
        found,
        trials=(),
        load=None,
        estimate=None,
        verified=0,
        verified_folder=None,
        outcome=Outcome.INTERRUPTED,
    )
    page = capacity_html(empty)
    assert "nothing was run" in page
    assert "no load is given: interrupted" in page


def test_an_infinite_latency_is_drawn_at_the_top(found: Found) -> None:
    slow = Observation(900.0, float("inf"), None, has_met=False, length=0.01, was_stopped=True)
    trials = (*found.trials, dataclasses.replace(found.trials[0], observation=slow))
    assert 'class="run stopped"' in capacity_html(dataclasses.replace(found, trials=trials))


def test_shares_are_never_rounded_up(found: Found) -> None:
    assert "at least 88%" in answer_of(dataclasses.replace(found, sure_pass_share=0.8899))
    assert "not verified" in answer_of(dataclasses.replace(found, verified=0))


def test_an_interval_that_reaches_well_above_is_said(found: Found) -> None:
    assert found.estimate is not None
    assert found.load is not None
    wide = dataclasses.replace(found.estimate, high=found.load * 4)
    lines = found_lines(dataclasses.replace(found, estimate=wide))
    assert any("the interval reaches 4.0 times" in line for line in lines)
