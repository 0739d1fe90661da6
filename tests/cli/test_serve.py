"""``inferometer serve`` from outside: what it says, offers and refuses, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.cli.main import main
from inferometer.serving.remote import RemoteOptions, connect
from inferometer.workloads.packaged import data_file
from tests.runs.test_remote_runs import served


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_a_workload_is_offered_until_it_is_told_to_stop() -> None:
    with served("pocket-mobilenet", "--max-batch", "4") as (process, url, grpc_url):
        assert url.startswith("http://127.0.0.1:")
        assert grpc_url.startswith("grpc://127.0.0.1:")
        found = _json(f"{url}/v2/models/pocket-mobilenet")
        assert found["platform"].startswith("ONNX Runtime ")
        # It was tried on a few samples, so that this is known.
        assert found["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 1, 28, 28]}]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "stopped\n"


@pytest.mark.slow
def test_parts_are_models_of_their_own() -> None:
    with served("pocket-gnmt") as (_, url, _grpc):
        state = _json(f"{url}/v2/models/pocket-gnmt-decoder")["inputs"]
        assert {one["name"] for one in state} >= {"tokens", "state", "memory"}
        assert all(one["datatype"] for one in state)
        assert _json(f"{url}/v2/models/pocket-gnmt-encoder")["name"] == "pocket-gnmt-encoder"


@pytest.mark.slow
def test_a_file_and_a_function_are_offered_by_name(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text("def predict(x):\n    return x + 1\n")
    function = ["--model", f"{script}:predict"]
    file = ["--model", str(data_file("pocket_mobilenet.onnx")), "--name", "mine"]
    for line, name, inputs in (
        (function, "predict", {"x": np.zeros((2, 3))}),
        (file, "mine", {"input": np.zeros((2, 1, 28, 28), np.float32)}),
    ):
        with served(*line) as (_, url, grpc_url):
            for where in (url, grpc_url):
                transport = connect(where, name, "", RemoteOptions())
                (output,) = transport.call(inputs).outputs.values()
                assert len(output) == 2
                transport.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a workload"),
        (["pocket-mobilenet", "--name", "x"], "--name is for your own model"),
        (["--model", "nowhere.onnx"], "there is no such model file"),
        (["--model", "nowhere.onnx", "--tls-cert", "c.pem"], "both a certificate and its key"),
        (["nothing"], "nothing"),
        (["pocket-mobilenet", "--backend", "onnxruntim"], "did you mean 'onnxruntime'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_offered(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["serve", *arguments])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as stop:
        main(["serve", "pocket-mobilenet", "--port", str(taken.getsockname()[1])])
    assert stop.value.code == 2
    assert "choose another --port" in capsys.readouterr().err
