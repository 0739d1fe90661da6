"""The page of a study: what was real beside what was predicted, and nothing from elsewhere."""

from __future__ import annotations

import pytest
from rich.console import Console

from inferometer.report.simulation_page import study_html
from inferometer.report.simulation_terminal import print_study
from inferometer.simulating import LoadCheck, Study, Validation
from tests.simulating.systems import system_of


def study() -> Study:
    checks = (
        LoadCheck(0.5, 500.0, (9e6, 10e6, 11e6), (9.5e6, 10.5e6, 12.1e6)),
        LoadCheck(0.85, 850.0, (40e6, 44e6, 60e6), (60e6, 58e6, 62e6)),
    )
    system = system_of(name="<pocket>, fitted")
    return Study(system, validation=Validation("<pocket>", system, (990.0, 1010.0), checks))


def test_errors_are_of_the_median_of_the_laps() -> None:
    near, far = study().validation.checks  # type: ignore[union-attr]
    assert (round(near.error, 3), near.is_met) == (0.056, True)
    assert (round(far.error, 3), far.is_met) == (0.318, False)
    # Three laps don't tell.
    assert (near.error_interval.low, near.error_interval.high) == (None, None)
    ten = LoadCheck(
        0.5, 1.0, (10.0,) * 10, (9.0, 9.5, 10.0, 10.5, 11.0, 11.0, 11.5, 12.0, 12.5, 13)
    )
    assert ten.error == pytest.approx(0.1)
    assert ten.error_interval.low == pytest.approx(-0.04, abs=0.03)
    assert ten.error_interval.high == pytest.approx(0.23, abs=0.03)
    assert near.scatter == (9.5e6, 10.5e6)


def test_the_page_tells_what_was_real_and_what_predicted() -> None:
    html = study_html(study())
    assert "+5.6 %" in html
    assert "+31.8 %" in html
    assert "MISSED" in html
    assert "[? – ?]" in html
    assert "&lt;pocket&gt;" in html
    assert "<pocket>" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_the_table_tells_the_same() -> None:
    console = Console(width=100, record=True, quiet=False, file=None)
    with console.capture() as captured:
        print_study(study(), console)
    text = captured.get()
    assert "+31.8%" in text
    assert "MET" in text
    assert "saturation of the laps" in text
