"""``inferometer search`` as a user meets it: one short search, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.runs import load_session
from inferometer.runs.folder import load_test
from tests.cli.test_cli import inferometer
from tests.runs.test_remote_runs import served

pytestmark = pytest.mark.realtime


@pytest.mark.slow
def test_a_search_is_recorded_and_can_be_recomputed(tmp_path: Path) -> None:
    # The bound is far beyond what a busy machine adds.
    words = ["search", "pocket-mobilenet", "--count", "100", "--bound-ms", "400"]
    asked = ["--percentile", "0.9", "--run-s", "0.5", "--budget", "15", "--verify", "2"]
    found = inferometer(*words, *asked, "--output", "out", "--json", cwd=tmp_path)
    assert found.returncode in (0, 1), found.stderr
    values = json.loads(found.stdout)
    kept = json.loads((tmp_path / "out/search.json").read_text("utf-8"))
    assert {**kept, "folder": "out", "report": "out/search.html"} == values
    assert values["unit"] == "queries/s"
    assert values["runs"] == len(values["trials"]) > 0
    for trial in values["trials"]:
        assert (tmp_path / "out" / trial["folder"] / "recording.npz").is_file()
    if values["load"] is not None:
        verified = load_session(tmp_path / "out" / values["verified_folder"])
        assert len(verified.tests) == 2
        assert all(test.is_valid for test in verified.tests)
    shown = inferometer("search", "--show", "out", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout) == values
    assert "<svg" in (tmp_path / "out/search.html").read_text("utf-8")
    (tmp_path / "out" / values["trials"][-1]["folder"] / "recording.npz").unlink()
    resumed = inferometer("search", "--resume", "out", "--json", cwd=tmp_path)
    assert resumed.returncode in (0, 1), resumed.stderr
    again = json.loads(resumed.stdout)["trials"]
    assert again[: len(values["trials"]) - 1] == values["trials"][:-1]
    assert len(again) >= len(values["trials"])


@pytest.mark.slow
def test_a_server_is_searched_with_many_requests_in_flight(tmp_path: Path) -> None:
    words = ["search", "pocket-mobilenet", "--count", "50", "--bound-ms", "400", "--backend"]
    asked = ["--percentile", "0.9", "--run-s", "0.5", "--budget", "3", "--verify", "1"]
    with served("pocket-mobilenet") as (_, url, _grpc):
        by = ["remote", "--backend-option", f"url={url}", "--serving", "in-flight"]
        found = inferometer(*words, *by, *asked, "--output", "out", "--json", cwd=tmp_path)
    assert found.returncode in (0, 1), found.stderr
    first = tmp_path / "out" / json.loads(found.stdout)["trials"][0]["folder"]
    assert load_test(first).recording.notes["serving"]["kind"] == "in-flight"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "Offline"], "no load to search"),
        (["--scenario", "MultiStream"], "--bound-ms"),
    ],
)
def test_what_can_not_be_searched(words: list[str], said: str, tmp_path: Path) -> None:
    found = inferometer("search", "pocket-mobilenet", "--count", "10", *words, cwd=tmp_path)
    assert found.returncode == 2
    assert said in found.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give a WORKLOAD, or --resume FOLDER, or --show FOLDER"),
        (["pocket-mobilenet", "--show", "x"], "give a WORKLOAD"),
        (["--show", "nowhere"], "nowhere holds no search"),
        (["--resume", "nowhere"], "nowhere holds no search"),
    ],
)
def test_one_folder_or_one_workload(words: list[str], said: str, tmp_path: Path) -> None:
    found = inferometer("search", *words, cwd=tmp_path)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr
