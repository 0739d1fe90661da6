"""Resuming: a session that was cut off is gone on with, and comes to what it would have."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from inferometer.cli.run import command
from inferometer.loadgen import Mode, Recording
from inferometer.runs import (
    Runner,
    RunRequest,
    load_session,
    resumed_requests,
    run_supervised,
)
from tests.runs.sessions import (
    MODEL,
    OFFLINE,
    SINGLE,
    Quiet,
    by_the_book,
    bytes_of,
    contents,
    requests_in,
    resumed,
)
from tests.support import ROOT

pytestmark = pytest.mark.realtime


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., RunRequest]:
    return requests_in(tmp_path)


@pytest.mark.slow
def test_an_interrupted_session_comes_to_what_it_would_have(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    whole = Runner(by_the_book(request_of, "whole"), Quiet()).run()
    cut = Runner(by_the_book(request_of, "cut"), Quiet("Server performance 3", tmp_path)).run()
    assert [test.was_interrupted for test in cut.tests] == [False] * 3 + [True]
    before = bytes_of(cut)

    listener = Quiet()
    session = resumed(cut.folder, listener)
    assert listener.begun == [f"Server performance {number}" for number in (3, 4, 5)]
    assert any("3 tests, about " in note for note in listener.notes)
    assert {path: path.read_bytes() for path in before} == before, "finished tests stay as they are"
    assert not any(test.was_interrupted for test in session.tests)
    assert contents(session.folder) == contents(whole.folder)
    assert [t.title for t in session.tests] == [t.title for t in whole.tests]
    rates = {test.recording.settings.server_target_qps for test in session.tests}
    assert len(rates) == 1, "what was sized by the speed found at first stays so"

    (note,) = [note for note in session.notes if note.startswith("resumed at ")]
    assert "for the 1st time, with 3 of 6 tests finished; what was cut off is kept in" in note
    assert len(session.resumed_at) == 1
    kept = session.folder / "interrupted/1/Server/performance/run_3"
    assert any(
        m.kind == "interrupted" for m in Recording.load(kept / "recording.npz").messages
    ) or (Recording.load(kept / "recording.npz").series[0].incidents)
    again = load_session(session.folder)
    assert (again.notes, again.resumed_at) == (session.notes, session.resumed_at)
    assert (again.started_at, again.label) == (cut.started_at, cut.label)
    assert len(again.tests) == 6


@pytest.mark.slow
def test_a_session_can_be_cut_off_and_resumed_twice(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    first = Runner(request_of(), Quiet("Offline performance", tmp_path)).run()
    second = resumed(first.folder, Quiet("SingleStream performance", tmp_path))
    assert second.tests[-1].was_interrupted
    third = resumed(first.folder)
    assert not any(test.was_interrupted for test in third.tests)
    assert len(third.resumed_at) == 2
    assert "for the 2nd time, with 3 of 4 tests finished" in third.notes[-1]
    places = sorted(p.parent for p in (first.folder / "interrupted").rglob("recording.npz"))
    assert [str(place.relative_to(first.folder / "interrupted")) for place in places] == [
        "1/Offline/performance/run_1", "2/SingleStream/performance/run_1",
    ]  # fmt: skip
    listener = Quiet()
    same = resumed(first.folder, listener)
    assert listener.begun == []
    assert listener.notes == ["every test is finished; nothing is left to run"]
    assert same.notes == third.notes
    assert len(same.tests) == 4


@pytest.mark.slow
def test_after_a_crash_of_the_process_that_measures(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    request = request_of(modes=(Mode.PERFORMANCE,), scenarios=(SINGLE,))
    crashed = run_supervised(request, Quiet("SingleStream performance", tmp_path, "SIGKILL 30"))
    assert crashed.has_failed
    (again,) = resumed_requests(request.output)
    session = run_supervised(again, Quiet())
    (test,) = session.tests
    assert not session.has_failed
    assert not test.was_interrupted
    assert "The process that ran the model died: SIGKILL" in session.notes[-1]
    assert not (request.output / "crash.txt").exists()
    assert (request.output / "interrupted/1/crash.txt").exists()
    assert (request.output / "interrupted/1/SingleStream/performance/run_1/recording.npz").exists()
    assert load_session(request.output).findings == ()


@pytest.mark.slow
def test_a_crash_while_loading_anew_loses_nothing(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    cut = Runner(request_of(), Quiet("SingleStream performance", tmp_path)).run()
    model = tmp_path / "model.py"
    model.write_text("import os\nos._exit(5)\n")
    (again,) = resumed_requests(cut.folder)
    session = run_supervised(again, Quiet())
    assert session.has_failed
    assert len(session.tests) == 3
    model.write_text(MODEL)
    assert len(resumed(cut.folder).tests) == 4


@pytest.mark.slow
def test_a_run_that_never_came_to_load_its_model(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    model = tmp_path / "model.py"
    model.write_text("import os\nos._exit(5)\n")
    request = request_of(scenarios=(OFFLINE,))
    assert run_supervised(request, Quiet()).has_failed
    model.write_text(MODEL)
    assert len(resumed(request.output).tests) == 2


def start(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "inferometer.cli.main", "run", "pocket-mobilenet",
         "--model", "model.py:answer", "--output", "run", "--mode", "performance",
         "--scenario", "SingleStream", "--budget", "60", "--precision", "0.0001", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def running(folder: Path, process: subprocess.Popen[str]) -> int:
    """Wait until a test runs; give its process."""
    place = folder / "SingleStream/performance/run_1/running.json"
    deadline = time.monotonic() + 60
    while not place.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.3)
    return int(json.loads(place.read_text())["process_id"])


def shorten(folder: Path) -> None:
    """Make the rest of a run that was to last a minute short: its budget and what follows of it."""
    path = folder / "resume.json"
    kept = json.loads(path.read_text())
    kept["request"]["effort"] = {"budget_s": 0.3, "least_s": 0.1, "precision": 0.5}
    kept["identity"] = {}
    path.write_text(json.dumps(kept))


@pytest.mark.slow
def test_ctrl_c_names_the_command_that_goes_on(
    request_of: Callable[..., RunRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_of()
    with start(tmp_path) as process:
        running(tmp_path / "run", process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert out.splitlines()[-1] == "to go on: inferometer run --resume run"

    monkeypatch.chdir(tmp_path)
    shorten(Path("run"))
    found = CliRunner().invoke(command, ["--resume", "run", "--json"])
    assert found.exit_code in (0, 1), found.output
    values = json.loads(found.stdout)
    assert len(values["tests"]) == len(values["resumed_at"]) == 1
    assert "to go on" not in found.output


@pytest.mark.slow
@pytest.mark.parametrize("kills_both", [False, True])
def test_after_kill_9_of_the_parent(
    kills_both: bool, request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    request_of()
    folder = tmp_path / "run"
    with start(tmp_path) as process:
        child = running(folder, process)
        if kills_both:
            os.kill(child, signal.SIGSTOP)
        process.kill()
        if kills_both:
            os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}/cwd").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (folder / "SingleStream/performance/run_1/running.json").exists() is kills_both
    shorten(folder)
    session = resumed(folder)
    assert not session.tests[0].was_interrupted
    kept = folder / "interrupted/1/SingleStream/performance/run_1"
    assert Recording.load(kept / "recording.npz").series[0].query_count > 20
