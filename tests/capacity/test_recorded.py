"""Recorded searches: shown from the recordings alone, and gone on with where they were cut off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.capacity import SEARCH, Asked, Outcome, SearchError, show
from inferometer.capacity.recorded import recorded_trials, unfinished_places
from tests.capacity.recording import Recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("search")
    Recorded(place).run()
    return place


def plain(values: object) -> object:
    return json.loads(json.dumps(values, default=str))


def test_all_that_is_said_comes_from_the_recordings(folder: Path) -> None:
    kept = json.loads((folder / SEARCH).read_text("utf-8"))
    assert kept["load"] is not None
    assert plain(show(folder).to_mapping()) == kept


def test_what_search_json_says_of_the_runs_is_not_believed(folder: Path, tmp_path: Path) -> None:
    kept = json.loads((folder / SEARCH).read_text("utf-8"))
    forged = {**kept, "load": 1e6, "trials": [], "estimate": None, "outcome": "found"}
    for name in ("search", *(path.name for path in folder.glob("verified_*"))):
        (tmp_path / name).symlink_to(folder / name)
    # Links to folders are not followed, as nothing in a run folder is one.
    assert recorded_trials(tmp_path, Asked.read(folder).question) == []
    original = (folder / SEARCH).read_text("utf-8")
    try:
        (folder / SEARCH).write_text(json.dumps(forged), "utf-8")
        assert show(folder).load == kept["load"]
    finally:
        (folder / SEARCH).write_text(original, "utf-8")


@pytest.mark.parametrize("runs", [2, pytest.param(7, marks=pytest.mark.slow)])
def test_runs_before_an_interrupt_count(runs: int, tmp_path: Path, folder: Path) -> None:
    first = Recorded(tmp_path, interrupts_after=runs)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    shown = show(tmp_path)
    assert shown.outcome is Outcome.INTERRUPTED
    assert len(shown.trials) == runs
    second = Recorded(tmp_path)
    second.trials = [trial for trial, _ in recorded_trials(tmp_path, second.asked.question)]
    second.known.count(tuple(second.trials))
    found = second.run().found
    whole = show(folder)
    assert [trial.to_mapping() for trial in found.trials] == [
        trial.to_mapping() for trial in whole.trials
    ]
    assert (found.load, found.outcome) == (whole.load, whole.outcome)


def test_a_run_that_was_cut_off_is_not_counted(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Recorded(tmp_path, interrupts_after=3).run()
    before = len(show(tmp_path).trials)
    last = max((tmp_path / "search").iterdir())
    (last / "recording.npz").unlink()
    assert len(show(tmp_path).trials) == before - 1
    assert unfinished_places(tmp_path) == [last.relative_to(tmp_path)]


def test_a_folder_without_a_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="holds no search"):
        show(tmp_path)
    (tmp_path / SEARCH).write_text("{}", "utf-8")
    with pytest.raises(SearchError, match="damaged"):
        show(tmp_path)
