"""Places of results: which folders are some, and what their names mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.loadgen import Scenario
from inferometer.submission import ResultPlace, Tree, result_places, scenario_of


def test_places_are_the_folders_five_levels_down(tmp_path: Path) -> None:
    for path in (
        "open/B/results/sys/resnet/Server/accuracy",
        "closed/A/results/sys/gnmt/Offline",
        "closed/A/systems/results/sys/gnmt/Offline",
        "other/A/results/sys/gnmt/Offline",
        "closed/A/results/empty",
    ):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "closed/A/results/sys/gnmt/file.txt").write_text("")
    assert list(result_places(Tree(tmp_path))) == [
        ResultPlace("closed", "A", "sys", "gnmt", "Offline"),
        ResultPlace("open", "B", "sys", "resnet", "Server"),
    ]


def test_a_place_knows_its_folders() -> None:
    place = ResultPlace("closed", "A", "sys", "gnmt", "Offline")
    assert place.parts == ("closed", "A", "results", "sys", "gnmt", "Offline")
    assert place.submitter_parts == ("closed", "A")
    assert str(place) == "closed/A/results/sys/gnmt/Offline"


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("SingleStream", Scenario.SINGLE_STREAM),
        ("singlestream", Scenario.SINGLE_STREAM),
        ("Single Stream", Scenario.SINGLE_STREAM),
        ("multi-stream", Scenario.MULTI_STREAM),
        ("SERVER", Scenario.SERVER),
        ("offline", Scenario.OFFLINE),
        ("MultiStreamFree", None),
        ("", None),
        ("Servers", None),
    ],
)
def test_scenarios_in_any_spelling(name: str, scenario: Scenario | None) -> None:
    assert scenario_of(name) is scenario
