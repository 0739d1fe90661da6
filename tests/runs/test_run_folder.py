"""A real run into a folder: complete, recomputable, recoverable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inferometer.loadgen import Mode, Recording, ResponseReader, Scenario, judge
from inferometer.logs import read_accuracy_log, read_detail, read_summary
from inferometer.runs import (
    Effort,
    RunFolderError,
    Runner,
    RunRequest,
    Session,
    load_session,
    recover_test,
)
from inferometer.runs.recorder import scored_answers
from inferometer.workloads import get_workload
from tests.support import ROOT

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.realtime


class Quiet:
    def note(self, text: str) -> None: ...
    def begin(self, name: str, expected_s: float) -> None: ...
    def progress(self, progress: object) -> None: ...
    def end(self, result: object) -> None: ...


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    request = RunRequest(
        workload="pocket-mobilenet",
        output=tmp_path_factory.mktemp("run"),
        effort=Effort(budget_s=0.5, least_s=0.2),
        command="inferometer run",
    )
    return Runner(request, Quiet()).run()


def test_every_scenario_in_both_modes(session: Session) -> None:
    run = {(test.scenario, test.mode) for test in session.tests}
    scenarios = [s for s in Scenario if s is not Scenario.MULTI_STREAM_FREE]
    assert run == {(s, m) for s in scenarios for m in (Mode.ACCURACY, Mode.PERFORMANCE)}
    for scenario in scenarios:
        modes = [test.mode for test in session.tests_of(scenario)]
        assert modes == [Mode.ACCURACY, Mode.PERFORMANCE], "accuracy comes first"


def test_accuracy_is_the_same_in_every_scenario_and_reaches_its_target(session: Session) -> None:
    scored = [test.accuracy for test in session.tests if test.accuracy is not None]
    assert len(scored) == 4
    reference = get_workload("pocket-mobilenet").info.reference_accuracy
    for accuracy in scored:
        assert accuracy.value == pytest.approx(reference, abs=0.001)
        assert accuracy.meets_target
        assert (accuracy.missing, accuracy.repeated, accuracy.unknown) == (0, 0, 0)


def test_every_number_can_be_recomputed_from_the_saved_recording(session: Session) -> None:
    workload = get_workload("pocket-mobilenet")
    for test in session.tests:
        assert test.folder is not None
        recording = Recording.load(test.folder / "recording.npz")
        assert judge(recording) == test.verdict
        if test.accuracy is not None:
            responses = ResponseReader(test.folder / "responses.bin")
            assert workload.score(scored_answers(recording, responses)) == test.accuracy
            line = (test.folder / "accuracy.txt").read_text().strip()
            assert line == test.accuracy.line


def test_a_folder_reads_back_as_it_was(session: Session) -> None:
    again = load_session(session.folder)
    assert {t.title for t in again.tests} == {t.title for t in session.tests}
    for test in session.tests:
        (same,) = [t for t in again.tests if t.folder == test.folder]
        assert same.verdict == test.verdict
        assert same.accuracy == test.accuracy
        assert same.findings == test.findings
        assert same.label == "quick"


def test_the_log_files_say_the_same(session: Session) -> None:
    for test in session.tests:
        assert test.folder is not None
        detail = read_detail(test.folder / "mlperf_log_detail.txt")
        summary = read_summary(test.folder / "mlperf_log_summary.txt")
        assert detail.problems == ()
        assert detail.first("effective_scenario") == test.scenario.value
        if test.verdict is not None:
            assert summary.is_valid == test.verdict.is_valid_as_published
        else:
            entries = list(read_accuracy_log(test.folder / "mlperf_log_accuracy.json"))
            assert len({entry.qsl_idx for entry in entries}) == 10_000
        assert not (test.folder / "running.json").exists()


def test_results_are_json_for_machines(session: Session) -> None:
    for test in session.tests:
        assert test.folder is not None
        values = json.loads((test.folder / "result.json").read_text())
        assert values["scenario"] == test.scenario.value
        assert values["good"] == test.is_good


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"has no session\.json"):
        load_session(tmp_path)
    (tmp_path / "session.json").write_text("{")
    with pytest.raises(RunFolderError, match="damaged"):
        load_session(tmp_path)
    with pytest.raises(RunFolderError, match="no test that was cut off"):
        recover_test(tmp_path)


def test_an_unwritable_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    request = RunRequest("pocket-mobilenet", blocker / "run", scenarios=(Scenario.OFFLINE,))
    with pytest.raises(RunFolderError, match="can't be written"):
        Runner(request, Quiet()).run()


def start_run(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "inferometer.cli.main", "run", "pocket-mobilenet",
         "--output", str(folder),
         "--scenario", "SingleStream", "--mode", "performance", "--budget", "60",
         "--precision", "0.0001", "--quiet", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(1.0)


def test_a_killed_run_is_recovered(tmp_path: Path) -> None:
    test = tmp_path / "SingleStream/performance/run_1"
    with start_run(tmp_path, "--in-process") as process:
        wait_for(test / "running.json", process)
        with pytest.raises(RunFolderError, match="still runs"):
            recover_test(test)
        process.kill()
    if json.loads((test / "running.json").read_text())["journal"] is None:
        pytest.skip("no shared memory on this machine")
    result = recover_test(test)
    assert result.recording.performance is not None
    assert result.recording.performance.query_count > 100
    assert result.was_interrupted
    assert not result.is_good
    assert (test / "recording.npz").exists()
    assert not (test / "running.json").exists()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_a_run_with_its_report(number: signal.Signals, tmp_path: Path) -> None:
    test = tmp_path / "SingleStream/performance/run_1"
    with start_run(tmp_path) as process:
        wait_for(test / "running.json", process)
        os.kill(process.pid, number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "interrupted" in out
    assert (tmp_path / "report.html").exists()
    (only,) = load_session(tmp_path).tests
    assert only.was_interrupted
    series = only.recording.performance
    assert series is not None
    assert series.query_count > 100
