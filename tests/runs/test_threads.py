"""Threads of a call where nobody says: one beside others, all cores where it is alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.backends import BackendOptions
from inferometer.cli.output import SilentListener
from inferometer.loadgen import Mode, Scenario
from inferometer.runs import (
    Effort,
    Runner,
    RunRequest,
    ServingOptions,
    SystemOptions,
    request,
    threads_of,
)

LARGE, SMALL = 17_000_000, 900_000


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "usable_cores", lambda: 8)


@pytest.mark.parametrize(
    ("scenario", "kind", "model_bytes", "asked", "expected"),
    [
        (Scenario.SINGLE_STREAM, None, LARGE, None, 8),
        (Scenario.SINGLE_STREAM, "inline", LARGE, None, 8),
        (Scenario.SINGLE_STREAM, "pool", LARGE, None, 1),
        (Scenario.SINGLE_STREAM, "queue-runner", LARGE, None, None),
        (Scenario.SINGLE_STREAM, None, SMALL, None, 1),
        (Scenario.SINGLE_STREAM, None, LARGE, 3, 3),
        (Scenario.OFFLINE, None, LARGE, None, 1),
        (Scenario.SERVER, None, LARGE, None, 1),
        (Scenario.SERVER, "queue-runner", LARGE, 2, 2),
        (Scenario.MULTI_STREAM, None, LARGE, None, 1),
        (None, None, LARGE, None, 1),
    ],
)
def test_threads(
    scenario: Scenario | None,
    kind: str | None,
    model_bytes: int,
    asked: int | None,
    expected: int | None,
) -> None:
    options = SystemOptions(BackendOptions(threads=asked), ServingOptions(kind=kind))
    assert threads_of(options, scenario, model_bytes) == expected


@pytest.mark.slow
@pytest.mark.parametrize("worth_bytes", [1, LARGE])
def test_a_run_sets_the_model_up_for_each_scenario(
    worth_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "_WORTH_SHARING_BYTES", worth_bytes)
    monkeypatch.setattr(request, "usable_cores", lambda: 2)
    asked = RunRequest(
        "pocket-mobilenet",
        tmp_path / "run",
        scenarios=(Scenario.OFFLINE, Scenario.SINGLE_STREAM, Scenario.SERVER),
        modes=(Mode.PERFORMANCE,),
        effort=Effort(budget_s=0.2, least_s=0.1, precision=0.5),
    )
    session = Runner(asked, SilentListener()).run()
    threads = {test.scenario: test.recording.notes["backend"]["threads"] for test in session.tests}
    assert threads == {
        Scenario.OFFLINE: 1,
        Scenario.SINGLE_STREAM: 2 if worth_bytes == 1 else 1,
        Scenario.SERVER: 1,
    }
