"""The client against servers that others made, each in an environment of its own.

Skipped unless INFEROMETER_TEST_KSERVE names the interpreter of one with KServe and ONNX Runtime;
``make servers`` makes it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferometer.serving.remote import RemoteFault, RemoteOptions, connect
from inferometer.workloads.packaged import data_file
from tests.runs.test_remote_runs import entries, run_remote

_VARIABLE = "INFEROMETER_TEST_KSERVE"
_MODELS = {
    "pocket-mobilenet": "pocket_mobilenet.onnx",
    "pocket-ssd-mobilenet": "pocket_ssd_mobilenet.onnx",
    "pocket-gnmt-encoder": "pocket_gnmt_encoder.onnx",
    "pocket-gnmt-decoder": "pocket_gnmt_decoder.onnx",
}
_START_S = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kserve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run KServe with the pocket models; give its URL by protocol."""
    interpreter = os.environ.get(_VARIABLE)
    if not interpreter:
        pytest.skip(f"{_VARIABLE} names no interpreter with KServe (make servers)")
    ports = [_free_port(), _free_port()]
    models = [f"{name}={data_file(file)}" for name, file in _MODELS.items()]
    script = Path(__file__).with_name("kserve_server.py")
    line = [interpreter, str(script), *map(str, ports), *models]
    # What it needs is its own; ours is none of it.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    log = tmp_path_factory.mktemp("kserve") / "log.txt"
    with (
        log.open("w") as printed,
        subprocess.Popen(line, stdout=printed, stderr=printed, env=environment) as process,
    ):
        try:
            urls = {"http": f"http://127.0.0.1:{ports[0]}", "grpc": f"grpc://127.0.0.1:{ports[1]}"}
            for url in urls.values():
                _wait_for(url, process, log)
            yield urls
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers: it says so in no other way."""
    deadline = time.monotonic() + _START_S
    while True:
        transport = connect(url, "pocket-mobilenet", "", RemoteOptions(timeout_s=5))
        try:
            transport.describe()
        except RemoteFault as fault:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"KServe isn't there: {fault}\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        else:
            return
        finally:
            transport.close()


@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize(
    ("workload", "count"),
    [("pocket-mobilenet", 500), ("pocket-ssd-mobilenet", 100), ("pocket-gnmt", 30)],
)
def test_kserve_gives_the_same_payloads(
    tmp_path: Path, kserve: dict[str, str], scheme: str, workload: str, count: int
) -> None:
    here = run_remote(tmp_path / "here", workload, count=count)
    there = run_remote(tmp_path / "there", workload, "remote", count=count, url=kserve[scheme])
    assert there.backend["version"].startswith("kserve 0.")
    assert there.tests[0].accuracy == here.tests[0].accuracy
    assert sorted(entries(there)) == sorted(entries(here))
    assert there.tests[0].recording.notes["remote"]
