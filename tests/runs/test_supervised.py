"""Supervised runs: real processes that crash, hang, leak or are killed cost only themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.cli.run import _run_all, exit_code
from inferometer.loadgen import Mode, Scenario, keep_core
from inferometer.runs import (
    Effort,
    RunRequest,
    Session,
    TestResult,
    load_session,
    run_supervised,
    supervised,
    usable_cores,
)
from inferometer.workloads import WorkloadOptions
from tests.support import ROOT

pytestmark = pytest.mark.realtime

MODELS = """
import atexit, ctypes, os, signal, sys, time
import numpy as np

calls, kept = 0, []

def answer(x):
    return np.zeros((len(x), 10), np.float32)

def slow(x):
    global calls
    calls += 1
    time.sleep(0.002)
    return answer(x)

def crash(x):
    if calls > 600:
        print("about to fall", flush=True)
        ctypes.string_at(0)
    return slow(x)

def leave(x):
    if calls > 600:
        os._exit(7)
    return slow(x)

def hold(x):
    if calls > 600:
        ctypes.PyDLL(None).sleep(1000)  # with the interpreter lock
    return slow(x)

def chatty(x):
    if not calls:
        print("a word on standard output")
        atexit.register(os.kill, os.getpid(), signal.SIGSEGV)
    return slow(x)

def leak(x):
    kept.append(np.ones(50_000))
    return slow(x)

class Knot:
    pass

def cycle(x):
    knot = Knot()
    knot.itself, knot.data = knot, np.ones(50_000)
    return slow(x)
"""


class Notes:
    """A listener that remembers what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, text: str) -> None:
        self.heard.append(f"note {text}")

    def begin(self, name: str, expected_s: float) -> None:
        self.heard.append(f"begin {name}")

    def progress(self, progress: Any) -> None:
        self.heard.append("progress")

    def end(self, result: TestResult) -> None:
        self.heard.append(f"end {result.title}")


Request = Callable[..., RunRequest]


@pytest.fixture
def request_of(tmp_path: Path) -> Request:
    def make(function: str, *, more: str = "", budget_s: float = 60.0) -> RunRequest:
        path = tmp_path / f"model_{function}.py"
        path.write_text(f"{MODELS}\n{more}")
        return RunRequest(
            workload="pocket-mobilenet",
            output=tmp_path / function,
            workload_options=WorkloadOptions(model=Path(f"{path}:{function}")),
            backend="python",
            scenarios=(Scenario.SINGLE_STREAM,),
            modes=(Mode.PERFORMANCE,),
            effort=Effort(budget_s=budget_s, least_s=min(1.5, budget_s), precision=1e-4),
            command="inferometer run",
        )

    return make


def only_finding(session: Session) -> str:
    (found,) = session.findings
    assert exit_code(session) == 3
    assert not session.is_good
    assert f"{found.rule.title}: {found.seen}" in (session.folder / "crash.txt").read_text()
    again = load_session(session.folder)
    assert again.findings == session.findings
    assert len(again.tests) == len(session.tests)
    return f"{found.rule.id}: {found.seen}"


def test_what_is_measured_is_what_comes_back(request_of: Request) -> None:
    listener = Notes()
    session = run_supervised(request_of("slow", budget_s=0.6), listener)
    assert exit_code(session) == 0
    assert not session.notes
    assert not session.findings
    assert listener.heard[0] == "begin SingleStream performance"
    assert "progress" in listener.heard
    assert listener.heard[-1] == "end SingleStream performance"
    (test,) = session.tests
    (again,) = load_session(session.folder).tests
    assert again.verdict == test.verdict
    assert again.findings == test.findings
    assert test.recording.notes["process_id"] != os.getpid()
    assert test.recording.notes["memory"] == again.recording.notes["memory"]


@pytest.mark.skipif(usable_cores() < 2, reason="keeping a core takes two")
def test_core_that_is_kept_here_is_the_generator_s_there(request_of: Request) -> None:
    with keep_core() as core:
        session = run_supervised(request_of("answer", budget_s=0.2), Notes())
    (test,) = session.tests
    assert test.recording.series[0].timing["core"] == core
    assert core not in session.context["affinity"]


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        ("crash", "SIGSEGV during SingleStream performance, in string_at (ctypes/__init__.py:"),
        pytest.param(
            "leave", "exit code 7 during SingleStream performance", marks=pytest.mark.slow
        ),
    ],
)
def test_a_crash_in_a_test_keeps_what_was_recorded(
    function: str, seen: str, request_of: Request, capfd: pytest.CaptureFixture[str]
) -> None:
    listener = Notes()
    session = run_supervised(request_of(function), listener)
    assert only_finding(session).startswith(f"backend.crashed: {seen}")
    (test,) = session.tests
    assert test.recording.series[0].query_count > 100
    assert listener.heard[-1] == "end SingleStream performance"
    assert test.folder is not None
    assert not (test.folder / "running.json").exists()
    if function == "crash":
        assert "about to fall" in capfd.readouterr().err
        assert "about to fall" in (session.folder / "crash.txt").read_text()


def test_a_crash_while_loading_leaves_a_session_without_tests(
    request_of: Request, tmp_path: Path
) -> None:
    more = "os.kill(os.getpid(), signal.SIGABRT)"
    session = run_supervised(request_of("answer", more=more), Notes())
    found = only_finding(session)
    assert found.startswith("backend.crashed: SIGABRT while loading the model, in <module> (")
    assert "/model_answer.py:" in found
    assert session.tests == ()
    printed = inferometer("report", str(session.folder), cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "The process that ran the model died" in printed.stdout
    assert "SIGABRT while loading the model" in (session.folder / "report.html").read_text()


def test_a_model_that_hangs_while_loading_is_ended(request_of: Request) -> None:
    session = run_supervised(request_of("answer", more="time.sleep(1000)"), Notes(), 1.0)
    found = only_finding(session)
    seen = "no sign of life for 1 s while loading the model, in <module> ("
    assert found.startswith(f"backend.hung-at-load: {seen}")
    assert "/model_answer.py:" in found


@pytest.mark.slow
def test_a_call_that_holds_the_interpreter_lock_is_ended(
    request_of: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "_SILENCE_LIMIT_S", 3.0)
    session = run_supervised(request_of("hold"), Notes(), load_limit_s=3.0)
    found = only_finding(session)
    assert found.startswith("backend.stood-still: no sign of life for 3 s during SingleStream")
    (test,) = session.tests
    assert test.recording.series[0].query_count > 100


def test_a_process_killed_from_outside(request_of: Request) -> None:
    request = request_of("slow")
    thread = threading.Thread(target=lambda: os.kill(running(request.output), signal.SIGKILL))
    thread.start()
    session = run_supervised(request, Notes())
    thread.join()
    found = only_finding(session)
    assert found.startswith("backend.crashed: SIGKILL, as when memory runs out (it had up to ")
    (test,) = session.tests
    assert test.was_interrupted


@pytest.mark.slow
def test_a_suite_goes_on_after_a_crash(request_of: Request) -> None:
    first = request_of("answer", more="os._exit(1)")
    sessions = []
    options = {"in_process": False, "load_limit_s": 60.0}
    for request in (first, request_of("slow", budget_s=0.6)):
        sessions += _run_all([request], Notes(), options)  # type: ignore[arg-type]
    assert [exit_code(session) for session in sessions] == [3, 0]


def running(output: Path) -> int:
    """Wait for a series to run for a while; give its process."""

    def wait_for(found: Callable[[], list[Path]]) -> Path:
        deadline = time.monotonic() + 60
        while not found():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found()[0]

    values = json.loads(wait_for(lambda: list(output.rglob("running.json"))).read_text())
    if values["journal"] is None:
        pytest.skip("no shared memory on this machine")
    wait_for(lambda: list(Path(values["journal"]).glob("series-0/issued.i64")))
    time.sleep(0.4)
    return int(values["process_id"])


def inferometer(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferometer.cli.main", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def started(request: RunRequest, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "inferometer.cli.main", "run", "pocket-mobilenet", "--quiet",
         "--model", str(request.workload_options.model), "--output", str(request.output),
         "--scenario", "SingleStream", "--mode", "performance", "--budget", "60",
         "--precision", "0.0001"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, **options,
    )  # fmt: skip


@pytest.mark.slow
def test_a_terminal_that_interrupts_both_processes_asks_once(request_of: Request) -> None:
    """A second signal would abandon the system before its last query is answered."""
    request = request_of("slow")
    with started(request, start_new_session=True) as process:
        running(request.output)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Traceback" not in out
    (test,) = load_session(request.output).tests
    assert test.was_interrupted
    assert test.recording.series[0].is_complete.all()


@pytest.mark.slow
def test_a_run_whose_parent_is_killed_ends_in_order(request_of: Request) -> None:
    request = request_of("slow")
    with started(request) as process:
        child = running(request.output)
        process.kill()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    (test,) = load_session(request.output).tests
    assert test.was_interrupted
    assert test.folder is not None
    assert not (test.folder / "running.json").exists()


@pytest.mark.parametrize("is_deaf", [False, True])
def test_an_interrupt_while_loading_ends_the_run(
    is_deaf: bool, request_of: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can't be heard, such as within a long native call, is asked twice, then ended."""
    monkeypatch.setattr(supervised, "_ABANDON_LIMIT_S", 0.3)
    loading = tmp_path / "loading"
    mask = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])"
    more = f"{mask if is_deaf else ''}\nopen({str(loading)!r}, 'w')\ntime.sleep(1000)"
    request = request_of("answer", more=more)

    def interrupt() -> None:
        while not loading.exists():
            time.sleep(0.02)
        for _ in range(1 + is_deaf):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_supervised(request, Notes())
    thread.join()


@pytest.mark.slow
def test_what_a_model_prints_stays_out_of_the_json(request_of: Request, tmp_path: Path) -> None:
    """And one that dies once everything is measured costs nothing."""
    request = request_of("chatty")
    found = inferometer(
        "run", "pocket-mobilenet", "--model", str(request.workload_options.model),
        "--output", str(request.output), "--scenario", "SingleStream", "--mode", "performance",
        "--budget", "0.3", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode in (0, 1), found.stderr
    values = json.loads(found.stdout)
    assert "a word on standard output" in found.stderr
    assert values["findings"] == []
    assert "then the process that ran the model ended by SIGSEGV" in values["notes"][0]
    assert load_session(request.output).notes == tuple(values["notes"])


def test_an_error_that_is_not_ours_says_where_it_was_raised(request_of: Request) -> None:
    request = request_of("slow", more="def slow(x):\n    raise RuntimeError('what for?')")
    with pytest.raises(RuntimeError, match=r"what for\?") as caught:
        run_supervised(request, Notes())
    assert "model_slow.py" in "".join(caught.value.__notes__)


@pytest.mark.slow
@pytest.mark.parametrize(("function", "grows"), [("leak", True), ("cycle", False)])
def test_memory_that_a_model_keeps_is_found(
    function: str, grows: bool, request_of: Request
) -> None:
    """Cycles are only freed late, because the collector rests during a test: that's no leak.

    A fresh process: what counts is a share of what the process held before.
    """
    session = run_supervised(request_of(function, budget_s=1.5), Notes())
    (test,) = session.tests
    rules = [found.rule.id for found in test.findings]
    assert ("backend.memory-grows" in rules) is grows
    note = test.recording.notes["memory"]
    assert len(note["during_bytes"]) >= 3
    assert note["during_bytes"][-1] - note["during_bytes"][0] > 64 * 2**20
