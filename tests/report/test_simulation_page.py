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
    assert (round(near.error, 3), near.is_met) == (0.05, True)
    assert (round(far.error, 3), far.is_met) == (0.364, False)
    assert near.scatter == (9.5e6, 10.5e6)
    assert near.ratios[1] == pytest.approx(1.0556, abs=1e-3)


def test_the_page_tells_what_was_real_and_what_predicted() -> None:
    html = study_html(study())
    assert "+5.0 %" in html
    assert "+36.4 %" in html
    assert "MISSED" in html
    assert "1.06" in html
    assert "1.05 – 1.08" in html
    assert "&lt;pocket&gt;" in html
    assert "<pocket>" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_the_table_tells_the_same() -> None:
    console = Console(width=100, record=True, quiet=False, file=None)
    with console.capture() as captured:
        print_study(study(), console)
    text = captured.get()
    assert "+36.4%" in text
    assert "MET" in text
    assert "saturation of the laps" in text
