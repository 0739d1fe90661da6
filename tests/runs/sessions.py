"""Sessions that can be cut off, by a model that sends signals to itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inferometer.loadgen import Scenario
from inferometer.rounds import load_round
from inferometer.runs import (
    Effort,
    Runner,
    RunRequest,
    Session,
    TestResult,
    resumed_requests,
)
from inferometer.workloads import WorkloadOptions

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
