"""The real clock: signals, hangs, interpreter state. Nothing here asserts how fast."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import (
    IncidentKind,
    MonotonicClock,
    Query,
    Recording,
    RunOptions,
    Scenario,
    TimingOptions,
    judge,
    run_test,
)
from tests.support import ROOT, Library, System, short_settings

pytestmark = pytest.mark.realtime


def test_nothing_is_issued_before_it_is_due() -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=500.0)
    outcome = run_test(System(Query.complete), Library(), asked)
    series = outcome.recording.performance
    assert series is not None
    assert series.query_count == 100
    assert (series.lateness_ns >= 0).all()
    assert bool(series.is_complete.all())


def test_completion_by_another_thread_wakes_the_issue_thread() -> None:
    def later(query: Query) -> None:
        threading.Timer(0.001, query.complete).start()

    outcome = run_test(System(later), Library(), short_settings(min_query_count=20))
    series = outcome.recording.performance
    assert series is not None
    assert series.query_count == 20
    assert (series.latency_ns >= 900_000).all()


def test_interpreter_state_is_set_and_restored() -> None:
    seen: dict[str, Any] = {}

    def look(query: Query) -> None:
        seen["collecting"] = gc.isenabled()
        seen["interval"] = sys.getswitchinterval()
        query.complete()

    before = sys.getswitchinterval()
    timing = TimingOptions(switch_interval_s=0.0007)
    run_test(System(look), Library(), short_settings(), RunOptions(timing=timing))
    assert seen == {"collecting": False, "interval": pytest.approx(0.0007)}
    assert gc.isenabled()
    assert sys.getswitchinterval() == pytest.approx(before)
    assert gc.get_freeze_count() == 0


def test_garbage_collection_may_stay_on() -> None:
    seen = []

    def look(query: Query) -> None:
        seen.append(gc.isenabled())
        query.complete()

    timing = TimingOptions(collect_garbage=True)
    run_test(System(look), Library(), short_settings(), RunOptions(timing=timing))
    assert all(seen)


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.SERVER])
def test_a_system_that_never_answers_is_given_up(scenario: Scenario) -> None:
    asked = short_settings(
        scenario, outstanding_limit_s=0.3, server_target_qps=1e4, min_query_count=5
    )
    outcome = run_test(System(lambda query: None), Library(), asked)
    series = outcome.recording.performance
    assert series is not None
    assert series.happened(IncidentKind.OUTSTANDING_LIMIT) == 1


@pytest.mark.slow
def test_a_callback_that_never_returns_is_left_behind() -> None:
    release = threading.Event()

    def hang(query: Query) -> None:
        if query.id == 3:
            release.wait()
        query.complete()

    outcome = run_test(System(hang), Library(), short_settings(outstanding_limit_s=0.2))
    release.set()
    series = outcome.recording.performance
    assert series is not None
    assert series.happened(IncidentKind.OUTSTANDING_LIMIT) == 1
    assert series.query_count == 4
    assert int(series.is_complete.sum()) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_keeps_what_was_recorded(number: signal.Signals) -> None:
    count = 0

    def answer(query: Query) -> None:
        nonlocal count
        count += 1
        if count == 50:
            os.kill(os.getpid(), number)
        time.sleep(0.001)
        query.complete()

    asked = short_settings(min_query_count=100_000)
    before = signal.getsignal(number)
    outcome = run_test(System(answer), Library(), asked)
    assert signal.getsignal(number) is before
    series = outcome.recording.performance
    assert series is not None
    assert 50 <= series.query_count < 5000
    verdict = judge(outcome.recording)
    assert verdict is not None
    assert not verdict.is_valid
    assert "run.interrupted" in {found.rule.id for found in verdict.findings}
    assert number.name in next(f.seen for f in verdict.findings if f.rule.id == "run.interrupted")


def test_a_second_signal_abandons_a_callback_that_hangs() -> None:
    """In a process of its own, where waiting for ever was asked for."""
    script = textwrap.dedent(
        """
        import os, signal, sys, threading, time
        sys.path.insert(0, %r)
        from inferometer.loadgen import run_test
        from tests.support import Library, System, short_settings

        def hang(query):
            print("hanging", flush=True)
            threading.Event().wait()

        outcome = run_test(System(hang), Library(), short_settings(outstanding_limit_s=0))
        print([kind.value for kind in outcome.recording.performance.incident_counts], flush=True)
        os._exit(0)
        """
    ) % str(ROOT)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "hanging\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert "interrupted" in out


def test_a_killed_process_leaves_its_times_in_the_journal(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        sys.path.insert(0, %r)
        from inferometer.loadgen import Journal, RunOptions, run_test
        from tests.support import Library, System, short_settings

        def answer(query):
            time.sleep(0.001)
            query.complete()
            if query.id == 100:
                print(journal.folder, flush=True)

        library, asked = Library(), short_settings(min_query_count=100_000)
        journal = Journal.of_test(asked, "system", library)
        run_test(System(answer), library, asked, RunOptions(journal=journal))
        """
    ) % str(ROOT)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        folder = process.stdout.readline().strip()
        process.kill()
    if folder == "None":
        pytest.skip("no shared memory on this machine")

    from inferometer.loadgen import Journal, recover

    recording = recover(Path(folder))
    series = recording.performance
    assert series is not None
    assert series.query_count >= 101
    assert series.happened(IncidentKind.INTERRUPTED) == 1
    assert (series.latency_ns >= 1_000_000).all()
    verdict = judge(recording)
    assert verdict is not None
    assert not verdict.is_valid
    saved = recording.save(tmp_path / "recording.npz")
    assert Recording.load(saved).performance is not None
    Journal.discard(Path(folder))
    assert not Path(folder).exists()


def test_the_clock_sleeps_at_least_until_due() -> None:
    clock = MonotonicClock()
    for ahead_ns in (0, 1000, 200_000, 2_000_000):
        due = clock.now_ns() + ahead_ns
        assert clock.sleep_until(due, lambda: False) >= due


def test_a_long_sleep_can_be_interrupted() -> None:
    clock = MonotonicClock()
    due = clock.now_ns() + 3_600_000_000_000
    stop_at = clock.now_ns() + 100_000_000
    assert clock.sleep_until(due, lambda: clock.now_ns() > stop_at) < due
