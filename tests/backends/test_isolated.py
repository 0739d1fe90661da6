"""Isolation: answers, arrays of any size, faults of every kind, and nothing left behind."""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.backends import (
    BackendError,
    BackendOptions,
    ModelFile,
    UnsupportedModelError,
)
from inferometer.backends.isolation.isolated import BackendFault, load_isolated
from inferometer.serving.shared_arrays import SharedArrays
from tests.backends.misbehaving import MIB, PLACE

MODEL = ModelFile(Path("none.onnx"), "onnx")
IMAGE = np.arange(28 * 28, dtype=np.float32).reshape(1, 28, 28, 1)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes end by Linux's means")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Two processes that nothing happens to."""
    session = load(processes=2, memory_limit_bytes=10**10, call_timeout_s=60)
    yield session
    session.close()


def load(deed: str = "", **limits: Any) -> Any:
    return load_isolated(PLACE, MODEL, BackendOptions(extra={"load": deed}), **limits)


def call(session: Any, deed: str) -> Any:
    return session.run({"input": IMAGE, "deed": np.array(deed)})


def wait_for_end(descriptor: int) -> bool:
    found, _, _ = select.select([descriptor], [], [], 20)
    os.close(descriptor)
    return bool(found)


def test_a_session_runs_in_other_processes(session: Any) -> None:
    doubled, process = session.run({"input": IMAGE})
    np.testing.assert_array_equal(doubled, IMAGE * 2)
    assert int(process) in session.process_ids
    assert os.getpid() not in session.process_ids
    assert session.input_names == ("input", "deed")
    assert session.output_names == ("doubled", "process")
    assert session.description == {
        "framework": "none",
        "precision": "fp32",
        "isolation": "process",
        "processes": 2,
    }


def test_arrays_of_any_size_type_and_order_come_and_stay(session: Any) -> None:
    numbers = np.random.default_rng(1)
    arrays: list[Any] = [
        numbers.random((batch, 3, 64, 64), np.float32) for batch in (1, 2, 64, 3, 128, 1)
    ]
    arrays += [
        np.empty((0, 5), np.int64),
        np.array(7, np.int8),
        numbers.integers(0, 100, (5, 7)).astype(np.uint8).T,
        numbers.random((4, 6))[::2, ::-1],
        np.array([1 + 2j]),
    ]
    answers = [session.run({"input": array})[0] for array in arrays for _ in range(2)]
    for array, answer in zip([array for array in arrays for _ in range(2)], answers, strict=True):
        assert answer.dtype == array.dtype
        assert answer.flags.writeable
        np.testing.assert_array_equal(answer, array * 2)


def test_more_layouts_than_are_kept_come_through() -> None:
    ours = SharedArrays.made("test")
    theirs = SharedArrays(os.dup(ours.descriptor))
    for size in (*range(600), 1):
        array = np.full(size, size, np.int32)
        found = theirs.views(ours.put({"one": array, "two": array + 1}))
        np.testing.assert_array_equal(found["one"], array)
        np.testing.assert_array_equal(found["two"], array + 1)
    ours.close()
    theirs.close()


def test_calls_run_in_as_many_processes_as_there_are(session: Any) -> None:
    arrays = [np.full((size, 100), size, np.float32) for size in range(1, 41)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda array: session.run({"input": array}), arrays))
    for array, (doubled, _) in zip(arrays, answers, strict=True):
        np.testing.assert_array_equal(doubled, array * 2)
    assert {int(process) for _, process in answers} == set(session.process_ids)


@pytest.mark.parametrize(
    ("deed", "kind", "message"),
    [
        ("complain", BackendError, "the model is of wood"),
        ("lack", UnsupportedModelError, "no FFT here"),
        ("value", ValueError, "a shape is wrong"),
        ("foreign", BackendError, "ForeignError: kernel 5 failed"),
    ],
)
def test_errors_of_calls_are_raised_as_in_one_process(
    session: Any, deed: str, kind: type[Exception], message: str
) -> None:
    for _ in range(3):
        with pytest.raises(kind) as caught:
            call(session, deed)
        assert type(caught.value) is kind
        assert str(caught.value) == message
        assert getattr(caught.value, "operators", ("FFT",)) == ("FFT",)
    assert len(session.run({"input": IMAGE})) == 2


def test_errors_of_loading_are_raised_as_in_one_process() -> None:
    with pytest.raises(UnsupportedModelError, match=r"^no FFT here$"):
        load("lack")
    with pytest.raises(BackendError, match=r"no\.such:Class can't be loaded"):
        load_isolated("no.such:Class", MODEL, BackendOptions())
    with pytest.raises(BackendError, match="processes is 0"):
        load(processes=0)


def test_what_cannot_be_shared_is_told(session: Any) -> None:
    with pytest.raises(BackendError, match="input is of the type object"):
        session.run({"input": np.array([None])})
    assert len(session.run({"input": IMAGE})) == 2


@pytest.mark.parametrize("deed", ["interrupt", "chatter"])
def test_interrupts_and_much_output_harm_nobody(
    session: Any, deed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(4):
        assert len(call(session, deed)) == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("deed", "kind", "ending", "printed"),
    [
        ("segfault", "crashed", "SIGSEGV", "in do"),
        ("hang", "hung-at-load", "SIGABRT", "in wait"),
        ("hoard", "out-of-memory", "SIGKILL", ""),
    ],
)
def test_faults_while_loading_say_how_the_process_ended(
    deed: str, kind: str, ending: str, printed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    limit_s = 1.0 if deed == "hang" else None
    with pytest.raises(BackendFault, match="while loading the model") as caught:
        load(deed, load_timeout_s=limit_s, memory_limit_bytes=120 * MIB)
    fault = pickle.loads(pickle.dumps(caught.value))
    assert (fault.kind, fault.ending) == (kind, ending)
    assert printed in fault.printed
    assert fault.printed in str(fault)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("deed", "kind", "ending", "printed"),
    [
        ("print and die", "crashed", "exit code 7", "on standard output\ncannot go on"),
        ("hang", "hung", "SIGABRT", "in wait"),
        ("hoard", "out-of-memory", "SIGKILL", ""),
        ("memory", "out-of-memory", "SIGKILL", ""),
    ],
)
def test_faults_in_calls_say_how_the_process_ended(
    deed: str, kind: str, ending: str, printed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    session = load(call_timeout_s=0.1 if deed == "hang" else None, memory_limit_bytes=120 * MIB)
    with ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(lambda _: pool.submit(call, session, deed).exception(), range(2)))
    session.close()
    for fault in errors:
        assert isinstance(fault, BackendFault)
        assert (fault.kind, fault.ending) == (kind, ending)
        assert printed in fault.printed
        assert "that ran the model for Misbehaving" in str(fault)
        assert "in a call" in str(fault)
    assert capfd.readouterr() == ("", "")


def test_closing_ends_all_processes_also_one_that_hangs() -> None:
    before = len(os.listdir("/proc/self/fd"))
    session = load(processes=2)
    ends = [os.pidfd_open(process) for process in session.process_ids]
    begun = threading.Event()

    def hang() -> None:
        begun.set()
        call(session, "hang")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hang)
        begun.wait()
        session.close()
        assert isinstance(waiting.exception(), BackendFault)
    session.close()
    assert all(wait_for_end(end) for end in ends)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_session_that_is_forgotten_ends() -> None:
    session = load()
    end = os.pidfd_open(session.process_ids[0])
    del session
    gc.collect()
    assert wait_for_end(end)


@pytest.mark.parametrize("is_killed", [True, False])
def test_processes_end_with_their_parent(is_killed: bool) -> None:
    program = (
        "import sys, threading\n"
        f"sys.path[:] = {sys.path!r}\n"
        "from tests.backends.test_isolated import call, load\n"
        "session = load()\n"
        "threading.Thread(target=call, args=(session, 'hang'), daemon=True).start()\n"
        "print(*session.process_ids, flush=True)\n"
        "sys.stdin.readline()\n"
    )
    shared = set(os.listdir("/dev/shm"))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        end = os.pidfd_open(int(parent.stdout.readline()))
        if is_killed:
            parent.send_signal(signal.SIGKILL)
        parent.stdin.close()
        assert wait_for_end(end)
    left = set(os.listdir("/dev/shm")) - shared
    assert not [name for name in left if name.startswith("inferometer-re")]
