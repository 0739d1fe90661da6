"""Ray replicas: a local Ray, a cluster of two nodes on this machine, and actors that are killed."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from inferometer.loadgen import Scenario, SettingsError, judge
from inferometer.serving import ReplicaError
from inferometer.serving.ray_cluster import RayOptions
from inferometer.serving.ray_replicas import RayReplicas
from tests.serving.replica_cases import (
    accuracy,
    check_answers,
    check_error_of_the_model,
    check_killed_in_the_middle,
    check_lost_twice,
    check_own_samples,
    check_right,
    served,
)
from tests.serving.replica_doubles import HERE, recipe, samples
from tests.support import short_settings

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and files to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::pytest.PytestWarning"),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs Ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Actors have to find the doubles.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE / "src"), str(HERE)]))


def started(count: int, options: RayOptions, **argument: Any) -> closing[RayReplicas]:
    return closing(RayReplicas(recipe(**argument), count, options))


def local(**changes: Any) -> RayOptions:
    return RayOptions(address="local", **changes)


def test_actors_answer_from_the_object_store_and_come_back_after_a_kill() -> None:
    with started(2, local(), service_s=0.05) as replicas:
        check_answers(replicas)
        for victim, scenario in enumerate((Scenario.OFFLINE, Scenario.SERVER)):
            check_killed_in_the_middle(replicas, victim, scenario, f"replica {victim} died")
        check_own_samples(replicas)


def test_a_sample_that_kills_actors_fails_the_run() -> None:
    with started(2, local(restarts=1), die_on=9) as replicas:
        check_lost_twice(replicas)


def test_an_error_of_the_model_comes_out_with_its_type() -> None:
    with started(1, local(), fail_on=9) as replicas:
        check_error_of_the_model(replicas)
    with pytest.raises(ValueError, match="no such model"):
        started(1, local(), broken=True)


def test_more_actors_than_there_is_room_for_is_an_error() -> None:
    import ray

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        with pytest.raises(ReplicaError, match="1 of 2 actors started"):
            started(2, RayOptions(limit_s=10.0))
        assert ray.is_initialized()
    finally:
        ray.shutdown()


@pytest.mark.timeout(240)
def test_a_cluster_of_two_nodes_shares_the_work_and_survives_the_loss_of_one(
    tmp_path: Path,
) -> None:
    with (
        _two_nodes(tmp_path) as (address, second),
        started(2, RayOptions(address=address), service_s=0.02) as replicas,
    ):
        assert replicas.description["nodes"] == 2
        replicas.take(samples())
        check_right(served(replicas, accuracy()))
        timer = threading.Timer(0.5, _end, (second,))
        timer.start()
        asked = short_settings(Scenario.OFFLINE, min_query_count=600, min_duration_ms=0)
        outcome = served(replicas, asked)
        timer.join()
        assert outcome.error is None
        series = outcome.recording.performance
        assert series is not None
        assert bool(series.is_complete.all())
        verdict = judge(outcome.recording)
        assert verdict is not None
        rules = {one.rule.id for one in verdict.findings}
        assert "serving.actor-lost" in rules


@contextmanager
def _two_nodes(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start two nodes of one cluster, each with room for one actor, and end just these."""
    port = _free_port()
    # Sockets lie in it, whose paths may not be long.
    head_folder = Path("/dev/shm") / f"inferometer-ray-{os.getpid()}"
    address = f"127.0.0.1:{port}"
    head = _node(["--head", f"--port={port}", f"--temp-dir={head_folder}"], folder / "head")
    second: subprocess.Popen[bytes] | None = None
    try:
        _await_nodes(address, 1)
        second = _node([f"--address={address}"], folder / "second")
        _await_nodes(address, 2)
        yield address, second
    finally:
        for node in (second, head):
            if node is not None:
                _end(node)
        subprocess.run(["rm", "-rf", str(head_folder)], check=False)


def _node(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    command = [
        str(Path(sys.executable).parent / "ray"),
        "start",
        *arguments,
        "--num-cpus=1",
        "--object-store-memory=200000000",
        "--include-dashboard=false",
        "--disable-usage-stats",
        "--block",
    ]
    if "--head" not in arguments:
        command.remove("--include-dashboard=false")
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream)


def _await_nodes(address: str, count: int) -> None:
    program = (
        "import sys, time, ray\n"
        "for _ in range(100):\n"
        "    try:\n"
        "        ray.init(address=sys.argv[1], log_to_driver=False)\n"
        "        break\n"
        "    except ConnectionError:\n"
        "        time.sleep(0.3)\n"
        "while sum(node['Alive'] for node in ray.nodes()) < int(sys.argv[2]):\n"
        "    time.sleep(0.2)\n"
    )
    command = [sys.executable, "-c", program, address, str(count)]
    done = subprocess.run(command, timeout=90, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _end(node: subprocess.Popen[bytes]) -> None:
    """End a node with all that was started for it."""
    if node.poll() is not None:
        return
    root = psutil.Process(node.pid)
    for process in (*root.children(recursive=True), root):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    node.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"adress": "auto"}, "did you mean 'address'"),
        ({"cpus": "many"}, "takes a number"),
        ({"address": "ray://head:10001"}, "proxy"),
    ],
)
def test_options_are_read_from_words(words: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RayOptions.of(words)
    assert RayOptions.of({"address": "auto", "cpus": "0.5"}) == RayOptions("auto", 0.5)
