"""Whole runs of pocket models on a server: same answers as here, and what is found."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inferometer.backends import BackendOptions
from inferometer.cli.output import SilentListener
from inferometer.cli.run import exit_code
from inferometer.loadgen import Mode, Scenario
from inferometer.runs import Runner, RunRequest, ServingOptions, Session
from inferometer.workloads import WorkloadOptions


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run ``inferometer serve`` in a process of its own; give it and its two URLs."""
    line = [sys.executable, "-m", "inferometer.cli.main", "serve", *arguments]
    ports = ["--port", "0", "--grpc-port", "0"]
    with subprocess.Popen([*line, *ports], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            where = said.partition(" at ")[2].split()
            assert len(where) == 3, said
            yield process, where[0], where[2]
        finally:
            process.kill()


def run_remote(
    folder: Path,
    workload: str,
    backend: str = "onnxruntime",
    scenario: Scenario = Scenario.OFFLINE,
    modes: tuple[Mode, ...] = (Mode.ACCURACY,),
    count: int | None = 200,
    **extra: str,
) -> Session:
    request = RunRequest(
        workload=workload,
        output=folder,
        workload_options=WorkloadOptions(count=count),
        backend=backend,
        backend_options=BackendOptions(extra=extra),
        serving=ServingOptions(max_batch_size=8),
        scenarios=(scenario,),
        modes=modes,
    )
    return Runner(request, SilentListener()).run()


def _payloads(session: Session) -> Any:
    folder = session.tests[0].folder
    assert folder is not None
    return (folder / "mlperf_log_accuracy.json").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workload", "count"),
    [("pocket-mobilenet", 500), ("pocket-ssd-mobilenet", 100), ("pocket-gnmt", 60)],
)
def test_a_remote_run_gives_the_same_payloads(tmp_path: Path, workload: str, count: int) -> None:
    here = run_remote(tmp_path / "here", workload, count=count)
    with served(workload) as (process, url, grpc_url):
        for scheme, where in (("http", url), ("grpc", grpc_url)):
            remote = run_remote(tmp_path / scheme, workload, "remote", count=count, url=where)
            (test,) = remote.tests
            found = {finding.rule.id for finding in test.findings}
            assert found == {*(one.rule.id for one in here.tests[0].findings), "remote.shares"}
            assert test.accuracy == here.tests[0].accuracy
            assert sorted(entries(remote)) == sorted(entries(here))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def entries(session: Session) -> list[tuple[int, str]]:
    return [(entry["qsl_idx"], entry["data"]) for entry in json.loads(_payloads(session))]


def test_a_run_says_what_the_server_is_and_whose_the_time_was(tmp_path: Path) -> None:
    with served("pocket-mobilenet") as (_, url, _grpc):
        session = run_remote(tmp_path, "pocket-mobilenet", "remote", url=url)
    (test,) = session.tests
    assert session.is_good
    assert session.backend["framework"] == "remote server"
    assert session.backend["url"] == url
    assert session.workload["model_sha256"] == {}
    assert test.recording.notes["serving"]["kind"] == "in-flight"
    notes = test.recording.notes["remote"]["model"]
    assert notes["answered"] == 25
    (shares,) = [found for found in test.findings if found.rule.id == "remote.shares"]
    assert "the server took" in shares.seen


@pytest.mark.parametrize(
    "scenario", [Scenario.SERVER, pytest.param(Scenario.SINGLE_STREAM, marks=pytest.mark.slow)]
)
def test_a_killed_server_ends_the_run_with_its_finding(tmp_path: Path, scenario: Scenario) -> None:
    with served("pocket-mobilenet") as (process, url, _grpc):
        listener = _Killing(process)
        request = RunRequest(
            workload="pocket-mobilenet",
            output=tmp_path,
            workload_options=WorkloadOptions(count=50),
            backend="remote",
            backend_options=BackendOptions(extra={"url": url, "connections": "4"}),
            scenarios=(scenario,),
            modes=(Mode.PERFORMANCE,),
            settings=_endless,
        )
        session = Runner(request, listener).run()
    (test,) = session.tests
    series = test.recording.performance
    assert series is not None
    rules = {found.rule.id for found in test.findings}
    assert rules & {"remote.connection-lost", "remote.unreachable"}
    assert {"sut.failed", "sut.incomplete"} <= rules
    assert "sut.completed-twice" not in rules
    assert test.is_valid is False
    assert exit_code(session) == 3
    answered = int(series.is_complete.sum())
    assert 0 < answered < series.sample_count
    # What came in after the series had ended isn't counted into it any more.
    told = test.recording.notes["remote"]["model"]["answered"]
    assert answered <= told <= answered + 4


def _endless(_: Scenario) -> dict[str, Any]:
    return {"min_duration_ms": 600_000, "server_target_qps": 200.0}


class _Killing(SilentListener):
    """Kills the server once queries are under way."""

    def __init__(self, process: subprocess.Popen[str]):
        self._process = process

    def progress(self, progress: Any) -> None:
        if progress.issued_queries > 20:
            self._process.kill()
