"""Own core: the issue thread has it for itself, and all get their cores back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from inferometer.loadgen import (
    CoreError,
    Query,
    RunOptions,
    Scenario,
    TimingOptions,
    keep_core,
    kept_core,
    run_test,
)
from inferometer.loadgen.cores import usable_cores
from tests.support import Library, System, short_settings

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or usable_cores() < 2,
    reason="keeping a core takes Linux and two cores",
)


def _cores() -> set[int]:
    return os.sched_getaffinity(0)


def answers_into(seen: list[set[int]]) -> Callable[[Query], None]:
    """Give what answers at once, and notes the cores of the thread that it does so on."""

    def answer(query: Query) -> None:
        seen.append(_cores())
        query.complete()

    return answer


@pytest.fixture
def early() -> Iterator[Callable[[], set[int]]]:
    """Give what tells the cores of a thread that runs already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_cores).result()
        yield lambda: pool.submit(_cores).result()


def test_all_other_threads_leave_the_core_and_may_use_it_again(
    early: Callable[[], set[int]],
) -> None:
    before = _cores()
    with keep_core() as core:
        assert core == max(before)
        assert kept_core() == core
        assert early() == _cores() == before - {core}
        assert usable_cores() == len(before) - 1
        with ThreadPoolExecutor(1) as late:
            assert late.submit(_cores).result() == before - {core}
            child = subprocess.check_output(
                [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"],
                text=True,
            )
            assert child.strip() == str(sorted(before - {core}))
    assert kept_core() is None
    assert early() == _cores() == before


def test_thread_that_is_bound_to_the_core_stays_and_others_get_back_what_they_had() -> None:
    before = _cores()
    core = max(before)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: os.sched_setaffinity(0, {core})).result()
        with keep_core(core):
            assert pool.submit(_cores).result() == {core}
        assert pool.submit(_cores).result() == {core}
    assert _cores() == before


def test_core_is_free_again_after_an_error() -> None:
    before = _cores()
    with pytest.raises(ZeroDivisionError), keep_core():
        _ = 1 / 0
    assert kept_core() is None
    assert _cores() == before


def test_issue_thread_has_the_core_for_itself_and_the_recording_says_so() -> None:
    issuing: list[set[int]] = []
    answering: list[set[int]] = []

    def issue(query: Query) -> None:
        issuing.append(_cores())
        pool.submit(answer, query)

    answer = answers_into(answering)
    everywhere = _cores()
    asked = short_settings(Scenario.SERVER, server_target_qps=500.0)
    with keep_core() as core, ThreadPoolExecutor(1) as pool:
        pool.submit(_cores).result()
        series = run_test(System(issue), Library(), asked).recording.performance
        assert _cores() == everywhere - {core}
    assert series is not None
    assert series.timing["core"] == core
    assert set(map(frozenset, issuing)) == {frozenset({core})}
    assert set(map(frozenset, answering)) == {frozenset(everywhere - {core})}


def test_threads_that_the_issue_thread_starts_leave_its_core() -> None:
    answering: list[set[int]] = []

    answer = answers_into(answering)
    everywhere = _cores()
    asked = short_settings(Scenario.SERVER, server_target_qps=500.0)
    with keep_core() as core, ThreadPoolExecutor(1) as pool:
        run_test(System(lambda query: pool.submit(answer, query)), Library(), asked)
    assert answering[-1] == everywhere - {core}


def test_issue_thread_goes_anywhere_where_no_core_is_kept() -> None:
    issuing: list[set[int]] = []
    series = run_test(
        System(answers_into(issuing)), Library(), short_settings()
    ).recording.performance
    assert series is not None
    assert series.timing["core"] is None
    assert set(map(frozenset, issuing)) == {frozenset(_cores())}


def test_timing_options_name_another_core() -> None:
    issuing: list[set[int]] = []
    core = min(_cores())
    run_test(
        System(answers_into(issuing)),
        Library(),
        short_settings(),
        RunOptions(timing=TimingOptions(core=core)),
    )
    assert set(map(frozenset, issuing)) == {frozenset({core})}


def test_core_that_the_process_stays_off_already_is_kept() -> None:
    everywhere = _cores()
    core = max(everywhere)
    issuing: list[set[int]] = []
    os.sched_setaffinity(0, everywhere - {core})
    try:
        with keep_core(core):
            run_test(System(answers_into(issuing)), Library(), short_settings())
        assert _cores() == everywhere - {core}
    finally:
        os.sched_setaffinity(0, everywhere)
    assert set(map(frozenset, issuing)) == {frozenset({core})}


def test_second_core_or_an_unknown_one_is_refused() -> None:
    with keep_core() as core, pytest.raises(CoreError, match=f"core {core} is kept"), keep_core():
        pass
    with pytest.raises(CoreError, match=r"core 99999 can't be kept .* may use 0"), keep_core(99999):
        pass
    assert kept_core() is None


def test_single_core_is_refused() -> None:
    said: list[str] = []

    def keep() -> None:
        os.sched_setaffinity(0, {min(_cores())})
        with pytest.raises(CoreError) as raised, keep_core():
            pass
        said.append(str(raised.value))

    thread = threading.Thread(target=keep)
    thread.start()
    thread.join()
    assert said == ["a core for the generator takes one more for the system; there is 1"]
