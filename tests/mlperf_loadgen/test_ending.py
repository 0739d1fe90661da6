"""Tests that don't end well: errors of callbacks, silence, signals, refused settings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import InferometerError, Recording, SettingsError
from inferometer.mlperf_loadgen.adapter import LIMIT_VARIABLE
from tests.mlperf_loadgen.harness import (
    KINDS,
    MODES,
    OURS,
    OURS_V05,
    SCENARIOS,
    Seen,
    answer,
    library_of,
    logs_in,
    run,
    settings_for,
)
from tests.support import ROOT

pytestmark = pytest.mark.realtime


def works_again(folder: Path) -> bool:
    """Tell whether a test still runs after the one that ended badly."""
    seen = run(OURS, folder, settings_for(OURS, "SingleStream", "PerformanceOnly"))
    return seen.values("num_errors") == [0]


# ---- errors of callbacks


class Failing:
    """Callbacks of which one raises an error at its first call."""

    def __init__(self, place: str, error: BaseException):
        self._place, self._error = place, error

    def at(self, place: str) -> None:
        if place == self._place:
            raise self._error

    def issue(self, samples: list[Any]) -> None:
        self.at("issue")
        responses = [OURS.QuerySampleResponse(one.id, 0, 0) for one in samples]
        OURS.QuerySamplesComplete(responses, lambda _: self.at("response"))


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("load", ValueError("mine")),
        ("load", MemoryError()),
        ("issue", ValueError("mine")),
        ("issue", SystemExit(3)),
        ("response", ValueError("mine")),
        ("flush", ValueError("mine")),
        ("flush", SystemExit(3)),
        ("unload", ValueError("mine")),
    ],
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_error_of_a_callback_comes_out_of_the_test(
    scenario: str, place: str, error: BaseException, tmp_path: Path
) -> None:
    failing = Failing(place, error)
    sut = OURS.ConstructSUT(failing.issue, lambda: failing.at("flush"))
    library = OURS.ConstructQSL(
        50, 20, lambda _: failing.at("load"), lambda _: failing.at("unload")
    )
    for mode in MODES if place != "response" else ("AccuracyOnly",):
        asked = settings_for(OURS, scenario, mode)
        with pytest.raises(type(error)) as caught:
            OURS.StartTestWithLogSettings(sut, library, asked, logs_in(OURS, tmp_path))
        assert caught.value is error
        seen = Seen(tmp_path)
        assert all(seen.text(kind) for kind in KINDS)
        assert "ERROR" in seen.text("summary.txt")
        assert seen.values("effective_scenario") == [scenario]
    assert works_again(tmp_path)


def test_an_error_of_the_name_callback_comes_before_the_test(tmp_path: Path) -> None:
    error = RuntimeError("no network")

    def name() -> str:
        raise error

    sut = OURS.ConstructQDL(lambda samples: answer(OURS, samples), lambda: None, name)
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    with pytest.raises(RuntimeError) as caught:
        OURS.StartTestWithLogSettings(sut, library_of(OURS, 50, 20), asked, logs_in(OURS, tmp_path))
    assert caught.value is error
    assert works_again(tmp_path)


def test_an_error_of_the_latency_callback_comes_out_of_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = ValueError("mine")

    def report(latencies: list[int]) -> None:
        raise error

    sut = OURS_V05.ConstructSUT(lambda samples: answer(OURS_V05, samples), lambda: None, report)
    asked = settings_for(OURS_V05, "Offline", "PerformanceOnly")
    with pytest.raises(ValueError, match="mine") as caught:
        OURS_V05.StartTest(sut, library_of(OURS_V05, 50, 20), asked)
    assert caught.value is error
    assert "Scenario : Offline" in Seen(tmp_path).text("summary.txt")


# ---- silence


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_system_that_never_answers(
    scenario: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.1")
    asked = settings_for(OURS, scenario, mode)
    with pytest.raises(TimeoutError, match=r"nothing completed for 0\.1 s"):
        run(OURS, tmp_path, asked, issue=lambda samples: None)
    seen = Seen(tmp_path)
    assert "ERROR" in seen.text("summary.txt")
    assert seen.answers == []
    assert works_again(tmp_path)


def test_what_was_answered_before_the_silence_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.1")
    left = [3]

    def issue(samples: list[Any]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            answer(OURS, samples)

    with pytest.raises(TimeoutError):
        run(OURS, tmp_path, settings_for(OURS, "SingleStream", "AccuracyOnly"), issue=issue)
    assert len(Seen(tmp_path).answers) == 3


@pytest.mark.parametrize("text", ["soon", "", "-1", "nan"])
def test_a_limit_that_is_no_number_of_seconds(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    with pytest.raises(SettingsError):
        run(OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly"))


# ---- signals

SILENT = textwrap.dedent(
    """
    import sys
    import time
    from pathlib import Path
    from inferometer import mlperf_loadgen as lg
    from tests.mlperf_loadgen.harness import answer, run, settings_for

    place, folder = sys.argv[1], Path(sys.argv[2])
    issued = 0

    def issue(samples):
        global issued
        issued += 1
        if issued <= 3:
            answer(lg, samples)
        if issued == 3 and place == "between queries" or issued == 4:
            print("silent", flush=True)
            while place == "in a callback":
                time.sleep(60)

    scenario = "Server" if place == "between queries" else "SingleStream"
    # With this seed three queries come soon, and the fourth half a minute later.
    asked = settings_for(lg, scenario, "SubmissionRun", min_query_count=100)
    asked.server_target_qps = 0.1
    asked.schedule_rng_seed = 53307
    try:
        run(lg, folder, asked, issue=issue)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
)


@pytest.mark.parametrize("place", ["in a callback", "waiting for the answer", "between queries"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 0, "interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_a_signal_ends_the_test_and_the_logs_are_written(
    number: signal.Signals, code: int, said: str, place: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SILENT, place, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "silent\n"
        child.send_signal(number)
        rest, _ = child.communicate()
    assert child.returncode == code
    assert rest == said
    seen = Seen(tmp_path)
    assert len(seen.answers) == 3
    assert "ERROR" in seen.text("summary.txt")


def test_signal_handlers_are_left_as_they_were(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert works_again(tmp_path)
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert before == after


# ---- folders


def test_a_missing_folder_is_refused_before_anything_is_issued(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    events: list[tuple[str, list[int]]] = []
    sut = OURS.ConstructSUT(lambda samples: events.append(("issue", [])), lambda: None)
    library = library_of(OURS, 50, 20, events)
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    for folder in (tmp_path / "missing", blocker):
        with pytest.raises(FileNotFoundError, match="not a folder"):
            OURS.StartTestWithLogSettings(sut, library, asked, logs_in(OURS, folder))
        assert events == []
    assert works_again(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="can't be written"):
        run(OURS, tmp_path, settings_for(OURS, "Offline", "PerformanceOnly"))


def test_logs_that_cannot_be_written_after_all_leave_the_recording(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    with pytest.raises(OSError, match="could not be written") as caught:
        run(OURS, folder, asked, flush=lambda: shutil.rmtree(folder))
    saved = Path(str(caught.value).rsplit("lies at ", 1)[1])
    assert Recording.load(saved).performance is not None
    saved.unlink()
    assert works_again(tmp_path)


# ---- one test at a time


def test_a_second_test_at_the_same_time_is_refused(tmp_path: Path) -> None:
    refused: list[BaseException] = []

    def start() -> None:
        try:
            works_again(tmp_path)
        except RuntimeError as error:
            refused.append(error)

    def issue(samples: list[Any]) -> None:
        if not refused:
            thread = threading.Thread(target=start)
            thread.start()
            thread.join()
            start()
        answer(OURS, samples)

    seen = run(OURS, tmp_path, settings_for(OURS, "MultiStream", "AccuracyOnly"), issue=issue)
    assert [str(error).split(";")[0] for error in refused] == ["a test is running already"] * 2
    assert len(seen.answers) == len(seen.ids)
    assert works_again(tmp_path)


# ---- settings and handles

# Scenario, settings, and the library's total and performance sample counts.
REFUSED: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("Offline", {"performance_issue_unique": True}, (20, 50)),
    ("MultiStream", {"multi_stream_samples_per_query": 0}, (50, 20)),
    ("Server", {"server_target_qps": 0.0}, (50, 20)),
    ("Offline", {"offline_expected_qps": 0.0}, (50, 20)),
    ("Server", {"server_target_qps": float("nan")}, (50, 20)),
    ("Server", {"server_num_issue_query_threads": 1}, (50, 20)),
    ("SingleStream", {"single_stream_expected_latency_ns": 0.0}, (50, 20)),
    *((scenario, {}, (50, 0)) for scenario in SCENARIOS),
    *((scenario, {}, (0, 20)) for scenario in SCENARIOS),
    *((scenario, {"min_query_count": 0}, (50, 20)) for scenario in SCENARIOS),
]


@pytest.mark.parametrize(("scenario", "changes", "counts"), REFUSED)
def test_settings_that_crash_or_hang_the_published_one_are_refused(
    scenario: str, changes: dict[str, Any], counts: tuple[int, int], tmp_path: Path
) -> None:
    issued: list[Any] = []
    asked = settings_for(OURS, scenario, "PerformanceOnly", **changes)
    total, performance = counts
    with pytest.raises(InferometerError) as caught:
        run(OURS, tmp_path, asked, total=total, performance=performance, issue=issued.append)
    assert isinstance(caught.value, ValueError)
    assert issued == []
    assert works_again(tmp_path)


def test_handles_and_settings_of_the_wrong_kind(tmp_path: Path) -> None:
    sut = OURS.ConstructSUT(lambda samples: answer(OURS, samples), lambda: None)
    library = library_of(OURS, 50, 20)
    asked = settings_for(OURS, "Offline", "PerformanceOnly")
    logs = logs_in(OURS, tmp_path)
    wrong_types: list[tuple[Any, ...]] = [
        (sut, library, logs, logs),
        (sut, library, asked, asked),
        (sut, library, None, logs),
    ]
    wrong_handles: list[tuple[Any, ...]] = [
        (library, library, asked, logs),
        (sut, sut, asked, logs),
        (10**9, library, asked, logs),
        (sut, 0, asked, logs),
    ]
    start: Callable[..., None] = OURS.StartTestWithLogSettings
    for arguments in wrong_types:
        with pytest.raises(TypeError):
            start(*arguments)
    for arguments in wrong_handles:
        with pytest.raises(ValueError, match="not the handle"):
            start(*arguments)
    OURS.DestroySUT(sut)
    with pytest.raises(ValueError, match="destroyed"):
        start(sut, library, asked, logs)
    assert works_again(tmp_path)


@pytest.mark.parametrize("place", ["load", "unload"])
def test_system_exit_in_the_library(place: str, tmp_path: Path) -> None:
    def leave(which: str) -> None:
        if which == place:
            raise SystemExit(3)

    sut = OURS.ConstructSUT(lambda samples: answer(OURS, samples), lambda: None)
    library = OURS.ConstructQSL(50, 20, lambda _: leave("load"), lambda _: leave("unload"))
    with pytest.raises(SystemExit):
        OURS.StartTestWithLogSettings(
            sut, library, settings_for(OURS, "Offline", "PerformanceOnly"), logs_in(OURS, tmp_path)
        )
    assert "ERROR" in Seen(tmp_path).text("summary.txt")
