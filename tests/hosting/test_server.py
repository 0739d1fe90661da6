"""The server: the protocol from outside, its limits, and how it stops."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferometer.hosting import HostedModel, HostingError, HostOptions, Server
from inferometer.open_inference import Body, pack, unpack
from inferometer.serving.remote import FaultKind, RemoteFault, RemoteOptions, connect
from tests.hosting.running import Doubling, ones, options, running

_POST = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\n"


def _ask(
    server: Server, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    address = server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def _infer(server: Server, value: Any, path: str = "/v2/models/m/infer") -> tuple[int, Any]:
    status, data, _ = _ask(server, "POST", path, json.dumps(value).encode())
    return status, json.loads(data)


def _json_request(rows: int = 1, **more: Any) -> dict[str, Any]:
    data = [[1.0, 2.0]] * rows
    tensor = {"name": "x", "shape": [rows, 2], "datatype": "FP32", "data": data}
    return {"inputs": [tensor], **more}


def test_the_protocol_in_json() -> None:
    with running(Doubling(), options()) as server:
        assert _ask(server, "GET", "/v2/health/live")[0] == 200
        assert _ask(server, "GET", "/v2/health/ready")[0] == 200
        assert _ask(server, "GET", "/v2/models/m/ready")[0] == 200
        found = json.loads(_ask(server, "GET", "/v2")[1])
        assert found["name"] == "inferometer"
        assert found["extensions"] == ["binary_tensor_data", "statistics"]
        status, answer = _infer(server, _json_request(id="7"))
        assert status == 200
        assert answer == {
            "model_name": "m",
            "model_version": "1",
            "id": "7",
            "outputs": [{"name": "y", "shape": [1, 2], "datatype": "FP32", "data": [2.0, 4.0]}],
        }
        # What the model takes is known from the first request on.
        assert json.loads(_ask(server, "GET", "/v2/models/m/versions/1")[1]) == {
            "name": "m",
            "versions": ["1"],
            "platform": "doubling 1",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
        }


@pytest.mark.parametrize(
    "asked",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "y", "parameters": {"binary_data": True}}]},
    ],
)
def test_the_binary_extension(asked: dict[str, Any]) -> None:
    text, pieces = pack("inputs", Body(ones(3), asked))
    body = b"".join([text, *pieces])
    headers = {"Inference-Header-Content-Length": str(len(text))}
    with running(Doubling(), options()) as server:
        status, data, told = _ask(server, "POST", "/v2/models/m/infer", body, headers)
    assert status == 200
    assert told["Content-Type"] == "application/octet-stream"
    assert "infer;dur=" in told["Server-Timing"]
    length = int(told["Inference-Header-Content-Length"])
    assert unpack("outputs", data, length).tensors["y"].tolist() == [[2.0, 2.0]] * 3
    assert data[length:] == np.full((3, 2), 2, np.float32).tobytes()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/", b"", 404, "there is no GET /"),
        ("GET", "/v3/models", b"", 404, "there is no"),
        ("DELETE", "/v2/models/m", b"", 404, "there is no DELETE"),
        ("GET", "/v2/models/mm", b"", 404, "did you mean 'm'"),
        ("POST", "/v2/models/m/versions/2/infer", b"{}", 404, "version 1 only"),
        ("POST", "/v2/models/m/infer", b"", 400, "not JSON"),
        ("POST", "/v2/models/m/infer", b'{"inputs": [1]}', 400, "not a tensor"),
        (
            "POST",
            "/v2/models/m/infer",
            json.dumps(
                {"inputs": [{"name": "z", "shape": [1], "datatype": "FP32", "data": [1]}]}
            ).encode(),
            400,
            "has no input 'z'",
        ),
        (
            "POST",
            "/v2/models/m/infer",
            json.dumps(_json_request(outputs=[{"name": "w"}])).encode(),
            400,
            "there is no output 'w'",
        ),
    ],
)
def test_what_is_wrong_is_told_as_json(
    method: str, path: str, body: bytes, status: int, says: str
) -> None:
    with running(Doubling(), options()) as server:
        found, data, _ = _ask(server, method, path, body)
        assert found == status
        assert says in json.loads(data)["error"]
        assert _infer(server, _json_request())[0] == 200


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    with running(Doubling(), options(max_body_bytes=100)) as server:
        status, data, headers = _ask(server, "POST", "/v2/models/m/infer", b"x" * 101)
        assert (status, headers["Connection"]) == (413, "close")
        assert "may hold 100 bytes" in json.loads(data)["error"]
        # Without a length, it is counted.
        with socket.create_connection(("127.0.0.1", _port(server))) as raw:
            raw.sendall(_POST + b"Transfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101)
            assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_a_client_that_is_slow_with_its_body_is_given_up() -> None:
    with running(Doubling(), options(body_timeout_s=0.05)) as server:
        with socket.create_connection(("127.0.0.1", _port(server))) as raw:
            raw.sendall(_POST + b"Content-Length: 9\r\n\r\n{")
            assert raw.recv(100).startswith(b"HTTP/1.1 408")
        with socket.create_connection(("127.0.0.1", _port(server))) as raw:
            raw.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            assert raw.recv(100).startswith(b"HTTP/1.1 400")
        assert _infer(server, _json_request())[0] == 200


def test_more_than_the_limit_in_flight_is_told_that_it_is_busy() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        inside.set()
        assert go_on.wait(30)

    with running(Doubling(hold), options(max_in_flight=1, grpc_port=0)) as server:
        transport = connect(server.url, "m", "", RemoteOptions(connections=2))
        held: list[Any] = []
        thread = threading.Thread(target=lambda: held.append(transport.call(ones(1))))
        thread.start()
        assert inside.wait(30)
        with pytest.raises(RemoteFault, match="m is busy: 1 requests") as caught:
            transport.call(ones(1))
        assert caught.value.kind is FaultKind.BUSY
        go_on.set()
        thread.join(30)
        assert held[0].outputs["y"].tolist() == [[2.0, 2.0]]
        text = _ask(server, "GET", "/metrics")[1].decode()
        assert 'inferometer_requests_total{model="m",code="503"} 1\n' in text
        transport.close()


def test_an_error_of_the_model_is_told_to_those_in_its_call_alone() -> None:
    def refuse(x: Any) -> None:
        if x.shape[1] == 3:
            raise ValueError("three columns")

    with running(Doubling(refuse), options()) as server:
        transport = connect(server.url, "m", "", RemoteOptions())
        with pytest.raises(RemoteFault, match=r"HTTP 500.*ValueError: three columns"):
            transport.call(ones(1, 3))
        assert transport.call(ones(1)).outputs["y"].shape == (1, 2)
        transport.close()


def test_a_token_is_asked_for_what_concerns_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Doubling(), options(token="right", grpc_port=0)) as server:
        assert _ask(server, "GET", "/v2/health/ready")[0] == 200
        for path in ("/v2", "/v2/models/m", "/v2/models/m/stats"):
            assert _ask(server, "GET", path)[0] == 401
        assert _ask(server, "GET", "/v2", headers={"Authorization": "Bearer wrong"})[0] == 401
        for url in (server.url, str(server.grpc_url)):
            transport = connect(url, "m", "", RemoteOptions())
            with pytest.raises(RemoteFault, match="token is missing or wrong"):
                transport.call(ones(1))
            transport.close()
            monkeypatch.setenv("INFEROMETER_REMOTE_TOKEN", "right")
            transport = connect(url, "m", "", RemoteOptions())
            assert transport.call(ones(1)).outputs["y"].tolist() == [[2.0, 2.0]]
            transport.close()
            monkeypatch.delenv("INFEROMETER_REMOTE_TOKEN")
    assert "right" not in repr(options(token="right"))


def test_a_stop_lets_what_is_in_flight_finish() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        inside.set()
        assert go_on.wait(30)

    session, held = Doubling(hold), []
    with running(session, options()) as server:
        transport = connect(server.url, "m", "", RemoteOptions())
        thread = threading.Thread(target=lambda: held.append(transport.call(ones(1))))
        thread.start()
        assert inside.wait(30)
        server.stop()
        go_on.set()
        thread.join(30)
    assert held[0].outputs["y"].tolist() == [[2.0, 2.0]]
    assert session.is_closed
    with pytest.raises(RemoteFault, match="can't be reached"):
        transport.call(ones(1))


def test_a_taken_port_is_told() -> None:
    with running(Doubling(), options(grpc_port=0)) as server:
        taken = _port(server)
        chosen = options(port=taken)
        with pytest.raises(HostingError, match=f"{taken} can't be listened on"):
            Server([HostedModel("m", Doubling(), chosen)], chosen)
        chosen = options(grpc_port=int(str(server.grpc_url).rpartition(":")[2]))
        with pytest.raises(HostingError, match="can't be listened on for gRPC"):
            Server([HostedModel("m", Doubling(), chosen)], chosen)


def test_it_is_bound_to_loopback_unless_told_otherwise() -> None:
    assert HostOptions().host == "127.0.0.1"
    with pytest.raises(HostingError, match="both a certificate and its key"):
        HostOptions(key=Path("key.pem"))


def _port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])
