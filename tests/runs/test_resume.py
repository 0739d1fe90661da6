"""Resuming: a session that was cut off is gone on with, and comes to what it would have."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inferometer.backends import BackendOptions
from inferometer.cli.run import command
from inferometer.loadgen import InferometerError, Mode, Recording, Scenario
from inferometer.logs import parse_config
from inferometer.rounds import load_round
from inferometer.runs import (
    Effort,
    Isolation,
    RunFolderError,
    Runner,
    RunRequest,
    ServingOptions,
    Session,
    SystemOptions,
    TestResult,
    load_session,
    resumed_requests,
    run_supervised,
)
from inferometer.runs.folder_lock import folder_lock
from inferometer.runs.identity import changes
from inferometer.runs.kept_request import request_from, request_mapping
from inferometer.runs.resuming import Continuation, finished_tests
from inferometer.workloads import WorkloadOptions
from tests.support import ROOT

pytestmark = pytest.mark.realtime

MODEL = """
import os, signal, time
from pathlib import Path
import numpy as np

order, calls = Path(__file__).with_name("order"), 0

def answer(x):
    global calls
    if order.exists():
        name, after = order.read_text().split()
        calls += 1
        if calls > int(after):
            order.unlink()
            calls = 0
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(0.1)
    time.sleep(0.0005)
    return np.zeros((len(x), 10), np.float32)
"""
SINGLE, SERVER, OFFLINE = Scenario.SINGLE_STREAM, Scenario.SERVER, Scenario.OFFLINE
SHORT = {"min_duration_ms": 20, "min_query_count": 20, "performance_sample_count_override": 50}


class Quiet:
    """A listener that orders the model to send a signal within the test of a name."""

    def __init__(self, test: str = "", folder: Path | None = None, order: str = "SIGINT 2"):
        self._test, self._folder, self._order = test, folder, order
        self.begun: list[str] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, name: str, expected_s: float) -> None:
        self.begun.append(name)
        if name == self._test:
            assert self._folder is not None
            order = self._folder / "order.new"
            order.write_text(self._order)
            order.rename(self._folder / "order")

    def progress(self, progress: Any) -> None: ...
    def end(self, result: TestResult) -> None: ...


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., RunRequest]:
    return requests_in(tmp_path)


def requests_in(folder: Path) -> Callable[..., RunRequest]:
    model = folder / "model.py"
    model.write_text(MODEL)

    def make(name: str = "run", **more: Any) -> RunRequest:
        values: dict[str, Any] = {
            "workload": "pocket-mobilenet",
            "output": folder / name,
            "workload_options": WorkloadOptions(model=Path(f"{model}:answer"), count=60),
            "backend": "python",
            "scenarios": (OFFLINE, SINGLE),
            "effort": Effort(budget_s=0.3, least_s=0.1),
            "command": "inferometer run",
            **more,
        }
        return RunRequest(**values)

    return make


def resumed(folder: Path, listener: Quiet | None = None) -> Session:
    (request,) = resumed_requests(folder)
    return Runner(request, listener or Quiet()).run()


def contents(folder: Path) -> dict[str, list[str]]:
    """Give the files of each test of a session that count, and the names in its header."""
    found = {
        str(path.parent.relative_to(folder)): sorted(file.name for file in path.parent.iterdir())
        for path in folder.rglob("recording.npz")
        if "interrupted" not in path.parts
    }
    return {**found, "header": sorted(json.loads((folder / "session.json").read_text()))}


def bytes_of(session: Session) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for test in session.tests
        if test.folder is not None and not test.was_interrupted
        for path in test.folder.iterdir()
    }


def by_the_book(request_of: Callable[..., RunRequest], name: str) -> RunRequest:
    book = load_round("v0.5")
    return request_of(
        name, round=book, division="open", scenarios=(SERVER,), settings=lambda _: SHORT
    )


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


def change_kept(*path: str, to: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "resume.json"
        kept = json.loads(file.read_text())
        inner = kept
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to
        file.write_text(json.dumps(kept))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            change_kept("identity", "sha256 of the model", "model", to="0f"),
            "sha256 of the model model was 0f, is [0-9a-f]{64}",
        ),
        (change_kept("identity", "backend", "version", to="2.7.18"), "backend version was 2.7.18"),
        (change_kept("identity", "machine", "host", to="hare"), "machine host was hare, is "),
        (change_kept("request", "workload_options", "count", to=50), "workload samples was 60"),
        (
            change_kept("request", "settings", "Offline", to={"min_query_count": 9}),
            "settings Offline min_query_count was .*, is 9",
        ),
        (change_kept("request", "workload", to="nothing"), "there is no workload"),
        (change_kept("request", "effort", to={"haste": 1}), "can't be read"),
        (change_kept("request", "effort", "budget_s", to="long"), "budget_s is 'long'"),
        (change_kept("request", "serving", "workers", to=True), "workers is True"),
        (change_kept("request", "backend_options", "extra", to=[]), "extra is \\[\\]"),
        (change_kept("request", "tuned", to=[]), "can't be read"),
        (change_kept("request", "modes", to=["fast"]), "can't be read"),
        (change_kept("request", "settings", "Offline", to={"speed": 1}), "unknown setting"),
        (change_kept("request", "round", to="v9"), "can't be read"),
        (change_kept("identity", to=[1]), "resume.json: damaged"),
        (change_kept("format", to=2), "another version of Inferometer wrote it"),
    ],
)
def test_what_has_changed_is_named_and_nothing_is_touched(
    change: Callable[[Path], None], message: str, cut_off: Path
) -> None:
    change(cut_off)
    header = (cut_off / "session.json").read_bytes()
    with pytest.raises(InferometerError, match=message):
        resumed(cut_off)
    assert (cut_off / "session.json").read_bytes() == header
    assert not (cut_off / "interrupted").exists()
    assert len(load_session(cut_off).tests) == 2


def test_another_model_under_the_same_name_is_refused(cut_off: Path, cut_off_once: Path) -> None:
    model = cut_off_once.parent / "model.py"
    model.write_text(f"{MODEL}\n# another\n")
    try:
        with pytest.raises(RunFolderError, match="sha256 of the model"):
            resumed(cut_off)
    finally:
        model.write_text(MODEL)


@pytest.fixture(scope="module")
def cut_off_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut-off")
    request = requests_in(folder)(scenarios=(OFFLINE,))
    session = Runner(request, Quiet("Offline performance", folder)).run()
    assert [test.was_interrupted for test in session.tests] == [False, True]
    return request.output


@pytest.fixture
def cut_off(cut_off_once: Path, tmp_path: Path) -> Path:
    """Give the folder of a session whose second and last test was interrupted."""
    return Path(shutil.copytree(cut_off_once, tmp_path / "run"))


def test_a_folder_that_is_in_use_is_refused(cut_off: Path) -> None:
    with folder_lock(cut_off), pytest.raises(RunFolderError, match="still writing here"):
        resumed(cut_off)


def test_a_test_that_can_not_be_read_is_kept_and_run_again(cut_off: Path) -> None:
    damaged = cut_off / "Offline/accuracy/recording.npz"
    damaged.write_bytes(b"nothing")
    assert len(resumed(cut_off).tests) == 2
    kept = cut_off / "interrupted/1/Offline/accuracy/recording.npz"
    assert kept.read_bytes() == b"nothing"


@pytest.mark.slow
def test_tests_of_another_session_in_the_folder_are_not_taken_for_finished(
    request_of: Callable[..., RunRequest], tmp_path: Path
) -> None:
    Runner(request_of(), Quiet()).run()
    other = request_of()
    session = Runner(other, Quiet("Offline performance", tmp_path)).run()
    finished = finished_tests(other.output, other.session_id)
    assert [test.title for test in finished] == ["Offline accuracy"]
    assert len(resumed(session.folder).tests) == 4


def test_every_part_of_a_request_comes_back(tmp_path: Path) -> None:
    serving = ServingOptions("pool", 3, 16, 1.5)
    request = RunRequest(
        workload="pocket-gnmt",
        output=tmp_path,
        workload_options=WorkloadOptions(count=7, extra={"a": "b"}, number_format="int8"),
        backend="null",
        backend_options=BackendOptions(threads=2, device="cuda", extra={"x": "y"}),
        serving=serving,
        tuned={SERVER: SystemOptions(BackendOptions(threads=3), serving)},
        isolation=Isolation(2, 1 << 30),
        scenarios=(SERVER, OFFLINE),
        modes=(Mode.SUBMISSION,),
        accuracy_scenarios=(OFFLINE,),
        effort=Effort(1.0, 0.5, 0.1),
        round=load_round("v6.1"),
        division="open",
        area="cloud",
        remarks=("first",),
        user_conf=parse_config("*.Server.target_qps = 5\n"),
        enable_trace=True,
        settings=lambda scenario: {"min_query_count": len(scenario.value)},
        command="inferometer run pocket-gnmt",
    )
    plain = json.loads(json.dumps(request_mapping(request)))
    again = request_from(plain, tmp_path, resumes=True)
    assert again.session_id == request.session_id
    assert again.settings(SERVER) == {"min_query_count": 6}
    assert dataclasses.replace(again, settings=request.settings, resumes=False) == request


def test_files_are_looked_for_from_where_the_run_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.py").write_text("")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    options = WorkloadOptions(model=Path("model.py:answer"), data=Path("synthetic"))
    plain = request_mapping(RunRequest("pocket-gnmt", tmp_path, options))
    assert request_from(plain, tmp_path, resumes=True).workload_options == options
    monkeypatch.chdir("elsewhere")
    found = request_from(plain, tmp_path, resumes=True).workload_options
    assert (found.model, found.data) == (tmp_path / "model.py:answer", Path("synthetic"))


def test_differences_are_named_by_their_place() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    assert list(changes(before, {"a": {"b": 1, "c": (1, 2)}, "d": 2})) == []
    assert list(changes(before, {"a": {"b": 3}, "d": 2, "e": "x"})) == [
        "a b was 1, is 3", "a c was [1, 2], is nothing", "e was nothing, is x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "nowhere"], "nowhere holds no run that can be gone on with"),
        (["pocket-gnmt", "--resume", "nowhere"], "leave out workload"),
        (["--resume", "nowhere", "--count", "5"], "leave out --count"),
    ],
)
def test_wrong_use(arguments: list[str], message: str) -> None:
    found = CliRunner().invoke(command, arguments)
    assert message in found.output + str(found.exception)
    assert found.exit_code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "suite.json: damaged"),
        ('{"format": 1}', "names no workloads"),
        ('{"format": 1, "requests": [5]}', "damaged"),
        ('{"format": 1, "requests": [{"folder": "..", "request": {}}]}', "is no folder"),
        ('{"format": 1, "requests": [{"folder": "a", "request": []}]}', "can't be read"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_suites_that_are_no_suites(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text(text)
    with pytest.raises(RunFolderError, match=message):
        resumed_requests(tmp_path)


@pytest.mark.slow
def test_a_suite_goes_on_with_each_workload_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One workload is finished, one was begun, and the others were not."""
    arguments = ["--output", str(tmp_path), "--scenario", "Offline", "--mode", "performance",
                 "--backend", "null", "--budget", "0.1", "--in-process", "--quiet"]  # fmt: skip
    seen: list[RunRequest] = []

    def stop(request: RunRequest, listener: Any) -> Any:
        seen.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr("inferometer.cli.run.Runner", stop)
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 130
    assert "to go on" not in found.output, "nothing was begun"
    Continuation.of(seen[0]).write(seen[0].output)
    names = [one.workload for one in resumed_requests(tmp_path)]
    assert names == ["pocket-mobilenet", "pocket-resnet", "pocket-ssd-mobilenet",
                     "pocket-ssd-resnet", "pocket-gnmt"]  # fmt: skip
    assert [one.resumes for one in resumed_requests(tmp_path)] == [True, *[False] * 4]
    assert resumed_requests(tmp_path)[3].output == tmp_path / "pocket-ssd-resnet"
